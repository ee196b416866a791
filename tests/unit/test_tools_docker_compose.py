"""Docker Compose on this machine: found, installed with apt or built, and which plugin of the user's is touched."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fixtures.fake_programs import Programs
from tools import cache, docker_compose, gobuild
from tools.errors import ToolError

# As the docker program: the user's own plugin comes before the system's.
DOCKER = """
[ "$*" = "compose version --short" ] || exit 1
for plugin in "$DOCKER_CONFIG/cli-plugins/docker-compose" "$STATE/system"; do
    [ ! -x "$plugin" ] || exec "$plugin"
done
echo "docker: 'compose' is not a docker command." >&2
exit 1
"""
BUILD = "docker-compose-0123456789ab"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """A machine with docker alone, for a plain user; a build gives 2.40.3."""
    made = Programs(tmp_path)
    made.fake("docker", DOCKER)
    monkeypatch.setenv("PATH", str(made.bin))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("FLEETWATCH_CACHE", str(tmp_path / "fleetwatch"))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(gobuild, "program", lambda _name: _plugin(_build(made), "2.40.3"))
    return made


def _build(machine: Programs) -> Path:
    return machine.folder / "fleetwatch" / "go-programs" / BUILD


def _link(machine: Programs) -> Path:
    return machine.folder / "config" / "cli-plugins" / "docker-compose"


def _plugin(path: Path, version: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho {version}\n")
    path.chmod(0o755)
    return path


def _no_build(_name: str) -> Path:
    raise AssertionError("built although it is there")


@pytest.mark.parametrize("version", ["2.24.1", "v2.40.3", "2.26.1-4", "5.7.1", "dev"])
def test_present_plugin_stays(machine: Programs, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr(gobuild, "program", _no_build)
    _plugin(machine.folder / "system", version)
    assert docker_compose.find() == docker_compose.Compose(version.removeprefix("v"), docker_compose.FOUND)
    assert not _link(machine).parent.exists()


def test_newer_plugin_than_tested_is_reported(machine: Programs, capsys: pytest.CaptureFixture[str]) -> None:
    _plugin(machine.folder / "system", "6.1.0")
    assert docker_compose.find().version == "6.1.0"
    assert capsys.readouterr().out == "Docker Compose 6.1.0 was not tested; tested are 2.24.1 to 5.x.\n"
    _plugin(machine.folder / "system", "5.7.1")
    docker_compose.find()
    assert capsys.readouterr().out == ""


def test_missing_plugin_is_built_and_linked(machine: Programs) -> None:
    found = docker_compose.find()
    assert found == docker_compose.Compose("2.40.3", f"{docker_compose.BUILT}: {_link(machine)}")
    assert _link(machine).readlink() == _build(machine)
    os.utime(_build(machine), (0, 0))
    assert docker_compose.find() == found
    assert _build(machine).stat().st_mtime > 0, "unused builds are removed after a month"


@pytest.mark.parametrize("version", ["2.24.0", "2.10.2"])
def test_old_system_plugin_stays_behind_ours(
    machine: Programs, capsys: pytest.CaptureFixture[str], version: str
) -> None:
    _plugin(machine.folder / "system", version)
    assert docker_compose.find().version == "2.40.3"
    assert f"Docker Compose: found {version}, expected 2.24.1 or newer" in capsys.readouterr().out
    assert version in (machine.folder / "system").read_text()


def test_old_plugin_of_the_user_is_moved_aside(machine: Programs, capsys: pytest.CaptureFixture[str]) -> None:
    _plugin(_link(machine), "2.20.0")
    assert docker_compose.find().version == "2.40.3"
    aside = machine.folder / "config" / "docker-compose-before-fleetwatch"
    assert "2.20.0" in aside.read_text()
    assert f"older than 2.24.1 or broken; moved to {aside}" in capsys.readouterr().out


def test_link_into_a_removed_cache_is_made_again(machine: Programs) -> None:
    _link(machine).parent.mkdir(parents=True)
    _link(machine).symlink_to(machine.folder / "gone" / "docker-compose-ba9876543210")
    assert docker_compose.find().version == "2.40.3"
    assert _link(machine).readlink() == _build(machine)
    assert not (machine.folder / "config" / "docker-compose-before-fleetwatch").is_symlink()


POLICY = 'case "$2" in {name}) printf "{name}:\\n  Candidate: {version}\\n" ;; *) echo "  Candidate: (none)" ;; esac'


def _apt(machine: Programs, monkeypatch: pytest.MonkeyPatch, name: str, version: str, install: str) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    machine.fake("apt-cache", POLICY.format(name=name, version=version))
    machine.fake("apt-get", install)
    _plugin(machine.folder / "packaged", version)


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("docker-compose-plugin", "2.40.3-1~debian.12~bookworm"),
        ("docker-compose-v2", "2.24.6+ds1-0ubuntu2"),
        ("docker-compose", "1:2.26.1-4"),
    ],
)
def test_root_installs_a_package_that_is_new_enough(
    machine: Programs, monkeypatch: pytest.MonkeyPatch, name: str, version: str
) -> None:
    monkeypatch.setattr(gobuild, "program", _no_build)
    _apt(machine, monkeypatch, name, version.partition(":")[2] or version, "/bin/mv $STATE/packaged $STATE/system")
    assert docker_compose.find().origin == f"installed with apt: {name}"
    assert machine.calls("apt-get") == [f"apt-get -q -y --no-install-recommends install {name}"]


def test_debian_12_has_none_that_is_new_enough(machine: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    _apt(machine, monkeypatch, "docker-compose", "1.29.2-3", "exit 100")
    assert docker_compose.find().origin.startswith(docker_compose.BUILT)
    assert machine.calls("apt-get") == []


def test_failed_installation_leads_to_a_build(
    machine: Programs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _apt(machine, monkeypatch, "docker-compose", "2.26.1-4", "echo 'E: no space left' >&2; exit 100")
    assert docker_compose.find().origin.startswith(docker_compose.BUILT)
    out = capsys.readouterr().out
    assert "docker-compose cannot be installed; building Docker Compose instead." in out
    assert "E: no space left" in out


def test_plain_user_installs_nothing(machine: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    _apt(machine, monkeypatch, "docker-compose", "2.26.1-4", "exit 1")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert docker_compose.find().origin.startswith(docker_compose.BUILT)
    assert machine.calls("apt-get") == []


def test_docker_that_ignores_the_link_is_an_error(machine: Programs) -> None:
    machine.fake("docker", "exit 1")
    with pytest.raises(ToolError, match="`docker compose version` answers nothing; expected 2.24.1 or newer"):
        docker_compose.find()


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    monkeypatch.setattr("tools.docker_engine.stop_own", lambda: False)
    return lambda: cache._clean(argparse.Namespace())


def test_clean_removes_our_link_alone(machine: Programs, clean: Callable[[], None]) -> None:
    docker_compose.find()
    clean()
    assert not _link(machine).is_symlink()
    _plugin(_link(machine), "2.40.3")
    clean()
    assert _link(machine).is_file()
    _link(machine).unlink()
    elsewhere = machine.folder / "other" / "go-programs" / BUILD
    _link(machine).symlink_to(_plugin(elsewhere, "2.40.3"))
    clean()
    assert _link(machine).readlink() == elsewhere, "another cache's"
