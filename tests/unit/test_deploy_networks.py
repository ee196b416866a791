"""Lists in shell variables, for real: join.sh, leave.sh and ready_host.sh take each line of a list as one name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.fake_programs import Programs
from tests.unit.test_deploy_hosts import DOCKER as ENGINE
from tests.unit.test_deploy_hosts import Ready, ready

__all__ = ["ready"]  # a fixture

OWN = "fleetwatch-edge fleetwatch-hub"
# `docker inspect` prints the container's networks; connect and disconnect only have to be called.
DOCKER = """
case "$1" in
    inspect) cat "$STATE/joined" ;;
    network) printf '%s|' "$@" >> "$STATE/changes"; echo >> "$STATE/changes" ;;
esac
"""


@pytest.fixture
def host(tmp_path: Path) -> Programs:
    made = Programs(tmp_path)
    made.fake("docker", DOCKER)
    (tmp_path / "joined").write_text("fleetwatch-edge\n")
    return made


def _changes(host: Programs) -> list[list[str]]:
    file = host.folder / "changes"
    lines = file.read_text().splitlines() if file.exists() else []
    return [line.rstrip("|").split("|")[1:] for line in lines]


def _join(host: Programs, networks: str) -> list[list[str]]:
    done = host.there("join", CONTAINERS="fleetwatch-agent", NETWORKS=networks, OWN=OWN)
    assert (done.returncode, done.stderr) == (0, "")
    return _changes(host)


def test_a_container_joins_the_listed_networks_and_leaves_others(host: Programs) -> None:
    (host.folder / "joined").write_text("fleetwatch-edge\nshop_default\nold\n")
    assert _join(host, "blog\nshop_default") == [
        ["connect", "blog", "fleetwatch-agent"],
        ["disconnect", "old", "fleetwatch-agent"],
    ]


def test_without_networks_only_foreign_ones_are_left(host: Programs) -> None:
    assert _join(host, "") == []


@pytest.mark.parametrize("network", ["my net", "*", "a;touch x", "$(touch x)", "-x"])
def test_a_network_is_one_argument_whatever_its_name(host: Programs, network: str) -> None:
    assert _join(host, network) == [["connect", network, "fleetwatch-agent"]]


@pytest.mark.parametrize("network", ["my net", "*", "$(touch x)"])
def test_a_joined_network_with_such_a_name_is_left_as_one(host: Programs, network: str) -> None:
    (host.folder / "joined").write_text(f"fleetwatch-edge\n{network}\n")
    assert _join(host, "") == [["disconnect", network, "fleetwatch-agent"]]


def test_every_container_joins(host: Programs) -> None:
    done = host.there("join", CONTAINERS="a b", NETWORKS="x\ny", OWN=OWN)
    assert done.returncode == 0, done.stderr
    joined = [change for change in _changes(host) if change[0] == "connect"]
    assert [change[1:] for change in joined] == [["x", "a"], ["y", "a"], ["x", "b"], ["y", "b"]]


def test_a_container_that_is_gone_is_reported_with_the_way_out(host: Programs) -> None:
    host.fake("docker", "echo 'no such container' >&2; exit 1")
    done = host.there("join", CONTAINERS="fleetwatch-agent", NETWORKS="shop", OWN=OWN)
    assert done.returncode == 1
    assert "fleetwatch-agent does not exist any more (removed by hand?): `make pulumi ARGS=" in done.stderr


def test_a_container_leaves_every_network_by_its_whole_name(host: Programs) -> None:
    done = host.there("leave", CONTAINERS="a b", NETWORKS="my net\n*")
    assert done.returncode == 0, done.stderr
    assert [change[1:] for change in _changes(host)] == [["my net", "a"], ["*", "a"], ["my net", "b"], ["*", "b"]]


def _engine(host: Programs) -> None:
    host.fake("id", 'case "$1" in -u) echo 0 ;; -un) echo root ;; esac')
    host.fake("df", "echo 'Filesystem 1024-blocks Used Available'; echo '/dev/vda1 9 1 9000000 1% /'")
    host.fake("docker", ENGINE)


def test_a_log_folder_with_a_space_or_a_star_in_its_name_is_one_folder(host: Programs, ready: Ready) -> None:
    _engine(host)
    folders = [host.folder / name for name in ("my app", "*", "$(touch x)")]
    for folder in folders:
        folder.mkdir()
    assert ready(FOLDERS="\n".join(map(str, folders))) == (0, "Docker 20.10.24+dfsg1, Compose 2.40.3\n", "")
    folders[0].rmdir()
    assert ready(FOLDERS="\n".join(map(str, folders)))[2] == (
        f"host web-1: hosts.web-1.logs: expected the folder {host.folder}/my app on that host, it does not exist\n"
    )


def test_every_network_of_the_list_is_looked_for(host: Programs, ready: Ready) -> None:
    _engine(host)
    host.fake("docker", ENGINE.replace("shop_default", "shop_default\\nblog"))
    assert ready(NETWORKS="shop_default\nblog")[0] == 0
    assert "got shop-2;" in ready(NETWORKS="shop_default\nshop-2\nblog")[2]
