"""Differences made by hand on a running stack: each kind is found by `drift`, and put back by the next `up`."""

from __future__ import annotations

import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from configs import export
from tests.fixtures.hubs import PUBLIC_KEY
from tests.integration.rig import Rig, docker, rig
from tools import setup

pytestmark = pytest.mark.xdist_group("drift")


@dataclass
class Drifting:
    """The stack, its folders on this machine and a network of the user's."""

    rig: Rig
    network: str

    @property
    def base(self) -> Path:
        return self.rig.home / "state" / self.rig.name / "files" / "hub"

    def drift(self, code: int) -> str:
        done = self.rig.tool("drift")
        assert done.returncode == code, done.stdout
        return done.stdout

    def repaired(self) -> None:
        self.rig.up()
        self.drift(0)


@pytest.fixture(scope="module")
def stack(chain: setup.ToolChain) -> Iterator[Drifting]:
    with rig("drift", {}) as made:
        network = made.network("shop")
        made.change({"hosts": {"hub": {"networks": [network]}}})
        made.up()
        yield Drifting(made, network)


def _other_image(it: Drifting) -> None:
    """The container of the log agent runs another image, as after a `docker run` by hand."""
    name = it.rig.container("promtail")
    image = docker("inspect", "-f", "{{.Config.Image}}", it.rig.container("agent")).strip()
    docker("rm", "-f", name)
    docker("create", "--name", name, "--label", f"fleetwatch.stack={it.rig.prefix}", image)


KINDS: dict[str, tuple[Callable[[Drifting], object], str]] = {
    "container removed": (lambda it: docker("rm", "-f", it.rig.container("cadvisor")), "-cadvisor: missing"),
    "container stopped": (lambda it: docker("stop", it.rig.container("agent")), "-agent: exited"),
    "memory changed": (
        lambda it: docker("update", "--memory", "201m", "--memory-swap", "201m", it.rig.container("promtail")),
        "-promtail: another definition",
    ),
    "other image": (_other_image, "-promtail: another image"),
    "compose.yaml edited": (lambda it: _append(it.base / "edge" / "compose.yaml"), "edge/compose.yaml: edited"),
    "config edited": (
        lambda it: _append(it.base / "edge" / "agent" / "config" / "prometheus.yml"),
        "agent/config/prometheus.yml: edited",
    ),
    "config removed": (
        lambda it: (it.base / "edge" / "promtail" / "config" / "promtail.yml").unlink(),
        "promtail/config/promtail.yml: gone",
    ),
    "secret removed": (
        lambda it: (it.base / "edge" / "node-exporter" / "secrets" / "web.yml").unlink(),
        "node-exporter/secrets/web.yml: gone",
    ),
    "unknown file": (lambda it: (it.base / "edge" / "mine.txt").write_text("x"), "edge/mine.txt: not ours"),
    "network left": (
        lambda it: docker("network", "disconnect", it.network, it.rig.container("agent")),
        "-agent: not in the network",
    ),
    "hub config edited": (lambda it: _append(it.base / "loki" / "config" / "loki.yml"), "loki.yml: edited"),
    "hub container stopped": (lambda it: docker("stop", it.rig.container("alertmanager")), "hub-alertmanager"),
}

# Those that hide no other: a container that is gone has no memory limit.
TOGETHER = (
    (
        "container removed", "container stopped", "memory changed", "compose.yaml edited", "config removed",
        "unknown file", "hub config edited",
    ),
    ("other image", "config edited", "secret removed", "network left", "hub container stopped"),
)  # fmt: skip


def _append(path: Path) -> None:
    with path.open("a") as file:
        file.write("# by hand\n")


def test_a_stack_that_was_just_brought_up_has_no_drift(stack: Drifting) -> None:
    assert "Nothing differs" in stack.drift(0)


@pytest.mark.parametrize("kinds", TOGETHER, ids=["first", "second"])
def test_each_kind_is_found_and_put_back(stack: Drifting, kinds: tuple[str, ...]) -> None:
    for kind in kinds:
        KINDS[kind][0](stack)
    found = stack.drift(1)
    assert not [kind for kind in kinds if KINDS[kind][1] not in found], found
    assert f"`make up STACK={stack.rig.name}`" in found
    stack.repaired()


def test_every_kind_is_tried() -> None:
    assert sorted(KINDS) == sorted(kind for kinds in TOGETHER for kind in kinds)


def test_a_user_network_that_was_made_again_is_joined_without_a_restart(stack: Drifting) -> None:
    before = stack.rig.started("agent")
    for role in ("agent", "promtail"):
        docker("network", "disconnect", "-f", stack.network, stack.rig.container(role), check=False)
    docker("network", "rm", stack.network)
    docker("network", "create", "--label", f"fleetwatch.test={stack.rig.prefix}", stack.network)
    assert "not in the network" in stack.drift(1)
    stack.repaired()
    assert stack.rig.started("agent") == before


def test_a_comparison_changes_nothing(stack: Drifting) -> None:
    before = stack.rig.started_all()
    files = {path: path.stat().st_mtime for path in stack.base.rglob("*")}
    _append(stack.base / "edge" / "compose.yaml")
    files[stack.base / "edge" / "compose.yaml"] = (stack.base / "edge" / "compose.yaml").stat().st_mtime
    stack.drift(1)
    assert stack.rig.started_all() == before
    assert {path: path.stat().st_mtime for path in stack.base.rglob("*")} == files
    stack.repaired()


def test_a_docker_that_does_not_answer_is_named(stack: Drifting) -> None:
    stack.rig.env["PATH"] = f"{stack.rig.home / 'bin'}:{stack.rig.env['PATH']}"
    fake = stack.rig.home / "bin" / "docker"
    fake.parent.mkdir(exist_ok=True)
    fake.write_text("#!/bin/sh\necho 'Cannot connect to the Docker daemon' >&2\nexit 1\n")
    fake.chmod(0o755)
    try:
        found = stack.drift(2)
        assert "NOT COMPARED: " in found
        assert "Cannot connect to the Docker daemon" in found
    finally:
        fake.unlink()
    stack.drift(0)


def test_an_update_with_nothing_to_do_repairs_nothing(stack: Drifting) -> None:
    before, begun = stack.rig.started_all(), time.monotonic()
    said = stack.rig.up()
    assert stack.rig.started_all() == before
    assert "differs from what was deployed" not in said
    print(f"`up` with nothing to do: {time.monotonic() - begun:.1f} s")


def test_an_exported_edge_starts_without_the_program(stack: Drifting, tmp_path: Path) -> None:
    """Where it is the only one: the hub's host has its own edge already, so the export has another prefix."""
    config = {
        "prefix": f"{stack.rig.prefix}-x",
        "hub": {"server": {"address": "203.0.113.9"}, "domain": "monitor.example.com"},
        "ssh": {"public_key": PUBLIC_KEY},
        "hosts": {
            "hub": {},
            "web-1": {"server": {"address": "203.0.113.7"}, "via": "internet", "subnet": "10.251.77.0/24"},
        },
        "images": {key: ref for key, ref in _images(stack).items()},
    }
    file, folder = tmp_path / "Pulumi.x.yaml", tmp_path / "web-1"
    file.write_text(yaml.safe_dump({"config": {f"fleetwatch:{key}": value for key, value in config.items()}}))
    other = Rig("drift-export", {})
    other.file.write_text(file.read_text())
    try:
        done = other.tool("export", "web-1", str(folder))
        assert done.returncode == 0, done.stdout
        _fill_in(folder)
        compose = ["docker", "compose", "--project-directory", str(folder)]
        up = subprocess.run([*compose, "up", "-d", "--wait"], capture_output=True, text=True, timeout=180, check=False)
        assert up.returncode == 0, up.stderr
        listed = subprocess.run(
            [*compose, "ps", "--format", "{{.Service}} {{.Health}}"], capture_output=True, text=True
        )
        rows = dict(line.split() for line in listed.stdout.splitlines())
        assert set(rows) >= {"agent", "cadvisor", "node-exporter", "promtail"}
        assert set(rows.values()) == {"healthy"}
    finally:
        subprocess.run(
            ["docker", "compose", "--project-directory", str(folder), "down", "--volumes"], check=False, timeout=120
        )
        other.remove()


def _images(stack: Drifting) -> dict[str, str]:
    kept = stack.rig.home / "state" / stack.rig.name / "images.yaml"
    found: dict[str, str] = yaml.safe_load(kept.read_text())
    return found


def _fill_in(folder: Path) -> None:
    """The examples, with what the README says."""
    hashed = "$2b$04$UuTkLRZZ6QofpDOlMz32MuuxEHA43WOemOYHPz6.SjsVsyO1tDU96"
    for example in folder.glob(f"*/secrets/*{export.EXAMPLE}"):
        text = example.read_text().replace(export.PLACEHOLDER, "y" * 40).replace(export.SCRAPE, "x" * 40)
        text = text.replace(export.HASH, shlex.quote(hashed))
        example.with_name(example.name.removesuffix(export.EXAMPLE)).write_text(text)
