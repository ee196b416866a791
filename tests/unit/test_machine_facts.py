"""What is found on this machine, with a fake `docker`: one Docker Engine for each local host, ports, folders, keys."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from components import key_files, machine_facts
from configs.settings import Settings, load
from configs.validation import DockerFacts
from tests.fixtures.fleets import SERVER_HUB, SOURCE, fleet
from tests.fixtures.hubs import PUBLIC_KEY

# Answers for two engines; the third one is not there.
DOCKER = """#!/bin/sh
echo "$*" >> "$CALLS"
case "$2" in
    unix:///a.sock) name=shop ;;
    unix:///b.sock) name=blog ;;
    *) echo "Cannot connect to the Docker daemon at $2" >&2; exit 1 ;;
esac
case "$3 $4" in
    info*) printf '{"ServerVersion": "20.10", "DockerRootDir": "/", "SecurityOptions": [%s]}' "${OPTIONS:-}" ;;
    'network ls') printf 'bridge\\n%s\\n' "$name" ;;
    'network inspect') cat "$CALLS.networks" ;;
    ps*) echo '127.0.0.1:8443->443/tcp, 127.0.0.1:8480->80/tcp' ;;
esac
"""
NETWORKS = [
    {"Labels": {"fleetwatch.stack": "fleetwatch"}, "IPAM": {"Config": [{"Subnet": "10.213.77.0/24"}]}},
    {"Labels": {"fleetwatch.stack": "other"}, "IPAM": {"Config": [{"Subnet": "10.1.0.0/24"}]}},
    {"IPAM": {"Config": None}},
]


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the fake was called with."""
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(DOCKER)
    program.chmod(0o755)
    (tmp_path / "calls.networks").write_text(json.dumps(NETWORKS))
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    return tmp_path / "calls"


def _settings(hub: dict[str, Any], **hosts: Any) -> Settings:
    return load(fleet(hub, hosts=hosts), SOURCE)


def test_every_local_host_beside_a_remote_hub_is_looked_at(calls: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    files = {name: {"path": f"{tmp_path}/{name}/*.log"} for name in ("there", "gone")}
    settings = _settings(
        SERVER_HUB,
        a={"local": {"docker": "unix:///a.sock"}, "logs": {"files": files}},
        b={"local": {"docker": "unix:///b.sock"}},
        c={"local": {"docker": "unix:///c.sock"}},
        d={"server": {"address": "203.0.113.9"}, "logs": {"files": {"x": {"path": "/not/looked/for.log"}}}},
    )
    facts = machine_facts.probe(settings)
    assert facts.docker["unix:///a.sock"].networks == {"bridge", "shop"}
    assert facts.docker["unix:///a.sock"].subnets == ("10.1.0.0/24",), "this stack's own network is no conflict"
    assert facts.docker["unix:///b.sock"].networks == {"bridge", "blog"}
    assert facts.docker["unix:///c.sock"] == DockerFacts(
        None,
        "docker reports: Cannot connect to the Docker daemon at unix:///c.sock; `make up` starts it, or see "
        "https://docs.docker.com/engine/install/",
    )
    assert facts.missing_folders == {f"{tmp_path}/gone"}
    assert facts.taken == frozenset(), "the hub's ports are another machine's"
    assert " ps " not in calls.read_text()


def test_a_fleet_without_local_hosts_asks_no_docker(calls: Path) -> None:
    facts = machine_facts.probe(_settings(SERVER_HUB, a={"server": {"address": "203.0.113.9"}}))
    assert (facts.docker, facts.missing_folders) == ({}, frozenset())
    assert not calls.exists()


@pytest.mark.usefixtures("calls")
@pytest.mark.parametrize(
    ("options", "found"),
    [
        ('"name=seccomp,profile=default"', None),
        ('"name=seccomp,profile=builtin","name=rootless","name=cgroupns"', "rootless"),
        ('"name=userns"', "with userns-remap"),
    ],
)
def test_an_engine_that_cannot_run_an_edge_is_noticed(
    options: str, found: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPTIONS", options)
    (facts,) = machine_facts.probe(_settings({"local": {"docker": "unix:///a.sock"}})).docker.values()
    assert (facts.version, facts.unsuited) == ("20.10", found)


@pytest.mark.usefixtures("calls")
def test_a_port_of_another_program_is_taken_and_the_hubs_own_is_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        hub = {"local": {"docker": "unix:///a.sock"}, "ports": {"push": port}}
        assert machine_facts.probe(_settings(hub)).taken - {8482} == {port}


def test_without_the_program_docker_that_is_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (facts,) = machine_facts.probe(_settings({"local": {}})).docker.values()
    assert facts.problem == "the program `docker` is not installed; `make up` as root installs it"


def test_a_public_key_is_read_beside_the_private_one(tmp_path: Path) -> None:
    key = str(tmp_path / "id")
    assert key_files.public_key(key) is None
    assert key_files.public_key(None) is None
    (tmp_path / "id.pub").write_bytes(b"\xff\xfe")
    assert key_files.public_key(key) is None, "bytes that are no text"
    (tmp_path / "id.pub").write_text(f"{PUBLIC_KEY} me@here\n")
    assert key_files.public_key(key) == f"{PUBLIC_KEY} me@here"
    assert machine_facts.probe(load(fleet(ssh={"key": key}), SOURCE)).public_key == f"{PUBLIC_KEY} me@here"
    assert not key_files.has_private_key(key)
    (tmp_path / "id").write_text("x")
    assert key_files.has_private_key(key)
