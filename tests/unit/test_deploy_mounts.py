"""mounts.sh for real: which of the host's folders an edge mounts so that a disk that is mounted later is seen."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from configs import compose, deployment, services
from configs.deploy import script
from configs.settings import load
from tests.fixtures.full import SOURCE, raw

SHARED, RECEIVES, PRIVATE = " shared:1", " master:1", ""
SPACE = "/srv/my app"


def _mountinfo(**mounts: str) -> str:
    """A line for each mount: its place (`/` is `root`), and how it propagates."""
    places = {"root": "/", "log": "/var/log", "space": "/srv/my\\040app"}
    return "".join(f"27 1 254:0 / {places[name]} rw,relatime{how} - ext4 /dev/vda rw\n" for name, how in mounts.items())


def _compose_yaml() -> str:
    """Of an edge with the journal and files, one of them in a folder with a space in its name."""
    sections = raw()
    files = {"shop": {"path": "/srv/shop/*.log"}, "other": {"path": f"{SPACE}/*.log"}}
    sections["hosts"]["hub"]["logs"] = {"journal": True, "files": files}
    context = deployment.context(load(sections, SOURCE), "hub", "/srv/fw", "/var/run/docker.sock")
    specs = services.edge_specs(context)
    images = {spec.service.image: "x:1" for spec in specs}
    return compose.compose_yaml(context, compose.containers(context, specs, images))


def _adapted(folder: Path, text: str, mounts: str) -> str:
    (folder / "new").mkdir()
    (folder / "new" / "compose.yaml").write_text(text)
    (folder / "mountinfo").write_text(mounts)
    whole = script("mounts", MOUNTINFO=str(folder / "mountinfo"), next=str(folder / "new")) + "adapt_mounts\n"
    done = subprocess.run(["/bin/sh", "-c", whole], capture_output=True, text=True, check=True, timeout=20)
    assert (done.stdout, done.stderr) == ("", "")
    assert [path.name for path in (folder / "new").iterdir()] == ["compose.yaml"]
    return (folder / "new" / "compose.yaml").read_text()


def _followed(text: str) -> set[str]:
    services: dict[str, Any] = yaml.safe_load(text)["services"]
    mounts = [mount for service in services.values() for mount in service["volumes"]]
    return {mount["source"] for mount in mounts if mount.get("bind") == {"propagation": "rslave"}}


FOLDERS = {"/var/log", "/run/log", "/srv/shop", SPACE}


def test_each_folder_of_the_host_is_followed_and_no_file_or_socket() -> None:
    assert _followed(_compose_yaml()) == FOLDERS


def test_a_host_that_shares_its_mounts_gets_what_was_rendered(tmp_path: Path) -> None:
    text = _compose_yaml()
    assert _adapted(tmp_path, text, _mountinfo(root=SHARED)) == text


@pytest.mark.parametrize(
    ("mounts", "followed"),
    [
        ({"root": PRIVATE}, set()),
        ({"root": RECEIVES}, FOLDERS),
        ({"root": SHARED, "log": PRIVATE}, FOLDERS - {"/var/log"}),
        ({"root": PRIVATE, "log": SHARED}, {"/var/log"}),
        ({"root": PRIVATE, "space": SHARED}, {SPACE}),
    ],
)
def test_docker_is_asked_only_for_what_the_host_allows(
    mounts: dict[str, str], followed: set[str], tmp_path: Path
) -> None:
    """Docker starts no container with rslave for a folder on a private mount."""
    text = _compose_yaml()
    made = _adapted(tmp_path, text, _mountinfo(**mounts))
    assert _followed(made) == followed
    assert "bind" not in made.replace("propagation: rslave", "").replace("type: bind", "") or followed

    def without(found: str) -> Any:
        services = yaml.safe_load(found)
        for service in services["services"].values():
            for mount in service["volumes"]:
                mount.pop("bind", None)
        return services

    assert without(made) == without(text), "nothing else is touched"
