"""Log paths: no folder of the host hides what the log agent needs, and no folder is mounted twice."""

from __future__ import annotations

from typing import Any

import pytest

from configs.deployment import context
from configs.log_paths import overlap
from configs.services import edge_specs
from configs.services.container import container
from configs.settings import Settings, load
from configs.validation import check_file
from tests.fixtures.full import SOURCE, small

AGENTS = ("promtail", "alloy")
WAY_OUT = "write the logs to such a folder, or name it before the first wildcard"


def _raw(*paths: str, agent: str = "promtail") -> dict[str, Any]:
    logs = {"agent": agent, "journal": True, "files": {f"f{index}": {"path": path} for index, path in enumerate(paths)}}
    return small(hosts={"hub": {"logs": logs}})


def _targets(settings: Settings) -> list[str]:
    found = context(settings, "hub", "/var/lib/fleetwatch/fleetwatch", "/var/run/docker.sock")
    (agent,) = (spec for spec in edge_specs(found) if spec.role in AGENTS)
    made = container(agent, stack="fleetwatch", host="hub", base=found.base, image="x:1")
    return [*(mount.target for mount in made.mounts), *made.tmpfs]


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("/etc/x.log", "/etc"),
        ("/etc/promtail/*", "/etc/promtail"),
        ("/usr/bin/*", "/usr/bin"),
        ("/usr/local/*.log", "/usr/local"),
        ("/usr/local/bin/x", "/usr/local/bin"),
        ("/bin/x.log", "/bin"),
        ("/lib/x", "/lib"),
        ("/lib64/x", "/lib64"),
        ("/run/*/a.log", "/run"),
        ("/run/secrets/fleetwatch/x", "/run/secrets/fleetwatch"),
        ("/var/*/x.log", "/var"),
        ("/var/log", "/var"),
        ("/var/run/app/x.log", "/var/run/app"),
        ("/var/lib/*/x.log", "/var/lib"),
        ("/var/lib/promtail/x", "/var/lib/promtail"),
        ("/var/lib/promtail/a/b/x", "/var/lib/promtail/a/b"),
        ("/alloy-data/x", "/alloy-data"),
        ("/proc/1/x", "/proc/1"),
        ("/sys/x", "/sys"),
        ("/dev/x", "/dev"),
        ("/boot/x", "/boot"),
        ("/sbin/x", "/sbin"),
        ("/root/x.log", "/root"),
        ("/tmp/x.log", "/tmp"),
        ("//etc//./promtail/x", "/etc/promtail"),
    ],
)
def test_folder_that_the_agent_needs_is_refused(path: str, folder: str) -> None:
    (problem,) = check_file(_raw(path), SOURCE)[1]
    assert problem == (
        f"hosts.hub.logs.files.f0.path: {folder} cannot be mounted, it would hide files that the log agent needs; "
        f"expected a folder of logs, such as /var/log/nginx/*.log; {WAY_OUT}, got {path!r} ({SOURCE})"
    )


@pytest.mark.parametrize("agent", AGENTS)
def test_no_target_of_the_agent_is_accepted_as_log_folder(agent: str) -> None:
    """The target of a mount itself, a folder inside it, and the folder around it."""
    targets = set(_targets(load(_raw(agent=agent), SOURCE))) - {"/var/log", "/run/log"}
    assert len(targets) > 4
    for target in targets:
        around = target.rpartition("/")[0]
        inside = [] if target == "/tmp" else [f"{target}/inside"]  # memory, and nothing that the agent needs is in it
        for folder in (target, *inside, *([around] if around else [])):
            assert check_file(_raw(f"{folder}/x.log"), SOURCE)[1], folder


@pytest.mark.parametrize("path", ["/var/log/", "/var/log/nginx/.", "/srv/*/"])
def test_path_that_ends_in_a_folder_is_refused(path: str) -> None:
    (problem,) = check_file(_raw(path), SOURCE)[1]
    assert problem.startswith(
        "hosts.hub.logs.files.f0.path: expected a path of files, this one ends in a folder; add a file name such as *."
    )


@pytest.mark.parametrize("agent", AGENTS)
def test_usual_paths_are_accepted_and_mounted_once(agent: str) -> None:
    paths = (
        "/var/log/x.log", "/var/log//y/*.log", "/var/log/./y/z.log", "/run/log/app/*.log", "/home/*/app/x.log",
        "/usr/local/nginx/logs/*.log", "/root/.pm2/logs/*.log", "/opt/app/{a,b}/*.log", "/var/lib/docker/x.log",
        "/library/x.log", "/tmp/app/x.log", "/var/lib/promtail-logs/x.log",
    )  # fmt: skip
    settings = load(_raw(*paths, agent=agent), SOURCE)
    found = {source.path for source in settings.edges["hub"].logs.files.values()}
    assert {"/var/log/y/*.log", "/var/log/y/z.log"} <= found, "in one form, also in the agent's configuration"
    targets = _targets(settings)
    assert len(targets) == len(set(targets)), "Docker refuses a second mount at one path"
    assert not any("//" in target for target in targets)


def test_folders_overlap_by_whole_names() -> None:
    assert all(overlap(*folders) for folders in (("/a", "/a"), ("/a/b", "/a"), ("/a", "/a/b")))
    assert not overlap("/a", "/ab")
