"""What an update cannot use costs nothing that runs: an image that cannot be had, one whose tool rejects the files, a
disk that is full. On the edge and on the hub."""

from __future__ import annotations

import contextlib
import copy
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.registry_standin import RegistryStandIn, serving
from tests.integration.rig import Rig, docker, free_ports, rig
from tools import setup

pytestmark = pytest.mark.xdist_group("refused")
REFUSAL = "field that_this_version_needs not found"


@dataclass
class Stack:
    """A stack that is up; its files are on a small file system, where this machine lets one be mounted."""

    rig: Rig
    files: Path
    disk_refused: str

    def deployed(self) -> dict[str, bytes]:
        """Everything that is deployed, but not what an update notes for itself."""
        found = {str(path.relative_to(self.files)): path for path in self.files.rglob("*") if path.is_file()}
        return {name: path.read_bytes() for name, path in found.items() if "edge." not in name}

    def unchanged(self, up: str, running: dict[str, tuple[str, str]], files: dict[str, bytes]) -> None:
        """After an update that failed."""
        assert self.rig.started_all() == running, f"a running container was touched:\n{up[-3000:]}"
        now = self.deployed()
        assert {name for name in {*now, *files} if now.get(name) != files.get(name)} == set(), up[-3000:]


def _mount(folder: Path) -> str:
    """A file system of 8 MB in memory; why not, if that is refused."""
    words = ("mount", "-t", "tmpfs", "-o", "size=8m", "fleetwatch-test", str(folder))
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return f"no small disk to fill on this machine: {done.stderr.strip()}" if done.returncode else ""


@pytest.fixture(scope="module")
def running(chain: setup.ToolChain) -> Iterator[Stack]:
    with rig("refused", {}) as made:
        small = made.home / "small"
        small.mkdir()
        refused = _mount(small)
        made.change({"hub": {"local": {"files": str(small)}}})
        made.up()
        yield Stack(made, small / "hub", refused)


@pytest.fixture
def stack(running: Stack) -> Iterator[Stack]:
    """The stack as it came up, before and after each test."""
    config = copy.deepcopy(running.rig.config)
    yield running
    running.rig.config = config
    running.rig.write()


CHANGES: dict[str, dict[str, Any]] = {  # of files besides, so that what is not to be changed is known: by image key
    "cadvisor": {"hosts": {"hub": {"scrape": {"node": "6s"}}}},
    "loki": {"hub": {"retention": {"logs": "2d"}}},
}


@pytest.mark.parametrize("key", CHANGES)
def test_an_image_that_no_registry_has_is_named_and_costs_nothing(stack: Stack, key: str) -> None:
    before, files = stack.rig.started_all(), stack.deployed()
    with serving(RegistryStandIn({f"team/{key}": ["1"]})) as registry:
        image = f"{registry.host}/team/{key}:2"
        stack.rig.change({"images": {key: image}, **CHANGES[key]})
        said = stack.rig.up_fails()
    sentence = re.escape(f"host hub: the image {image} ({key}) is not there and could not be pulled: ") + "(.+)"
    found = re.search(sentence, said)
    assert found, said[-4000:]
    assert re.search("manifest unknown|not found", found[1]), f"not the registry's reason: {found[1]}"
    assert f"Check `images.{key}` in the stack file, and on that host `docker pull {image}`" in found[1]
    assert "othing was changed, what ran before still runs" in said
    stack.unchanged(said, before, files)


def test_a_registry_that_does_not_answer_is_the_reason_that_is_shown(stack: Stack) -> None:
    before, files = stack.rig.started_all(), stack.deployed()
    image = f"127.0.0.1:{free_ports(1)[0]}/team/node:1"
    stack.rig.change({"images": {"node_exporter": image}})
    said = stack.rig.up_fails()
    assert re.search(rf"the image {image} \(node_exporter\) is not there .*connection refused", said), said[-4000:]
    stack.unchanged(said, before, files)


@contextlib.contextmanager
def stricter(rig: Rig, image: str, tool: str) -> Iterator[str]:
    """An image in which this tool rejects every file."""
    name, file = f"fleetwatch.local/{rig.prefix}:stricter", rig.home / "stricter"
    file.write_text(f"#!/bin/sh\necho '{REFUSAL}' >&2\nexit 1\n")
    file.chmod(0o755)
    made = docker("create", "--label", f"fleetwatch.test={rig.prefix}", image).strip()
    docker("cp", str(file), f"{made}:{tool}")
    docker("commit", made, name)
    docker("rm", made)
    try:
        yield name
    finally:
        docker("rmi", name)


@pytest.mark.parametrize(
    ("key", "tool", "rejected"),
    [
        (
            "promtail",
            "/usr/bin/promtail",
            "host hub: {role}: {image} rejects its configuration (output above).",
        ),
        ("prometheus", "/bin/promtool", "{role}: {image} rejects the new configuration (output above); the previous"),
    ],
)
def test_a_newer_image_that_rejects_the_files_there_are_is_not_used(
    stack: Stack, chain: setup.ToolChain, key: str, tool: str, rejected: str
) -> None:
    """On the edge, and on the hub."""
    before, files = stack.rig.started_all(), stack.deployed()
    (image,) = (image.ref for image in chain.images if image.key == key)
    with stricter(stack.rig, image, tool) as name:
        stack.rig.change({"images": {key: name}})
        said = stack.rig.up_fails()
    assert rejected.format(role=stack.rig.container(key), image=name) in said, said[-4000:]
    assert REFUSAL in said, "not the tool's own message"
    stack.unchanged(said, before, files)


def test_a_full_disk_is_named_and_costs_nothing(stack: Stack) -> None:
    if stack.disk_refused:
        pytest.skip(stack.disk_refused)
    before, files = stack.rig.started_all(), stack.deployed()
    stack.rig.change({"hosts": {"hub": {"scrape": {"node": "7s"}}}})
    filler = stack.files / "filler"
    with pytest.raises(OSError, match="No space left"):
        filler.write_bytes(bytes(16 << 20))
    said = stack.rig.up_fails()
    filler.unlink()
    assert re.search(r"host hub: the new files cannot be written to \S+, nothing was changed: .*No space left", said), (
        said[-4000:]
    )
    stack.unchanged(said, before, files)


def test_the_next_update_is_clean(stack: Stack) -> None:
    before = stack.rig.started_all()
    stack.rig.up()
    assert stack.rig.started_all() == before
    assert set(stack.rig.preview()) == {"same"}
