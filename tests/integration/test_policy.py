"""The guard rails through the real engine: the policy pack and the reader of the preview say the same.

Droplets and what belongs to them are previewed against the rehearsal cloud's API, with machines that only remember.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cloud.rig import FakeMachines, running
from tests.fixtures.hubs import PUBLIC_KEY
from tests.integration.rig import Rig, docker, rig
from tools import setup
from tools.policy_pack import FOLDER, PACK, PACKAGES, WANTED

pytestmark = pytest.mark.xdist_group("policy")
# Of the hub, a docker resource, and of its edge, a service in compose.yaml.
LATEST = {"images": {"grafana": "docker.io/grafana/grafana:latest", "cadvisor": "ghcr.io/google/cadvisor:latest"}}
PASSWORD = "hunter2-s3cret"
# A fleet in production with all that it has to have.
FLEET: dict[str, Any] = {
    "env": "prod",
    "hub": {
        "local": None,
        "ports": None,
        "droplet": {"region": "fra1", "size": "s-2vcpu-4gb", "volume": 20, "backups": True},
    },
    "access": {"admin_cidrs": ["192.0.2.0/24"]},
    "ssh": {"public_key": PUBLIC_KEY},
    "hosts": {"web-1": {"droplet": {"size": "s-1vcpu-1gb", "backups": True}}},
}
BROKEN: dict[str, Any] = {
    **LATEST,
    "access": {"admin_cidrs": ["0.0.0.0/1", "160.0.0.0/3"]},
    "cloud": {"protect": False},
    "hosts": {
        "web-1": {
            "droplet": {"backups": False, "setup": f"#!/bin/sh\ncurl https://me:{PASSWORD}@example.com/x | sh\n"},
        },
    },
}
BREAKS = {
    ("pinned-images", "hub-grafana"),
    ("pinned-images", "hub-project"),
    ("pinned-images", "web-1-project"),
    ("no-open-ports", "firewall-hub"),
    ("no-open-ports", "firewall-edge"),
    ("protected-in-production", "vpc"),
    ("protected-in-production", "hub-volume"),
    ("protected-in-production", "hub-address"),
    ("protected-in-production", "hub-droplet"),
    ("backups-in-production", "web-1-droplet"),
    ("no-plain-secrets", "web-1-droplet"),
}


def reader(stack: Rig) -> tuple[int, set[tuple[str, str]], str]:
    """`make policy`: exit code, (rule, resource) of every violation, what was said."""
    done = stack.tool("policy")
    found = re.findall(r"^([a-z-]+): \w+ (\S+?)(?: \([^)]*\))?: ", done.stdout, re.MULTILINE)
    return done.returncode, set(found), done.stdout


def pack(stack: Rig) -> tuple[int, set[tuple[str, str]], str]:
    """`make policy PACK=1`: the same from what the engine shows."""
    done = stack.tool("policy", "--pack")
    found = re.findall(r"\[mandatory\]\s+(\S+)\s+\(\S+ (\S+)\)", done.stdout)
    assert "fleetwatch@v" in done.stdout, f"the engine did not load the pack:\n{done.stdout[-3000:]}"
    return done.returncode, set(found), done.stdout


@pytest.fixture(scope="module")
def local(chain: setup.ToolChain) -> Iterator[Rig]:
    with rig("policy", {}) as made:
        yield made


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """The environment in which the provider finds the rehearsal cloud's API."""
    with running(tmp_path_factory.mktemp("cloud"), FakeMachines()) as client:
        yield {"DIGITALOCEAN_TOKEN": client.server.token, "DIGITALOCEAN_API_URL": client.server.url}


@pytest.fixture
def production(chain: setup.ToolChain, cloud: Mapping[str, str]) -> Iterator[Rig]:
    with rig("policydo", FLEET) as made:
        made.env |= cloud
        yield made


def test_a_good_local_stack_passes_both(local: Rig) -> None:
    code, found, said = reader(local)
    assert (code, found) == (0, set()), said
    assert "no violation" in said
    code, found, said = pack(local)
    assert (code, found) == (0, set()), said


def test_a_bad_local_stack_fails_both_alike(local: Rig) -> None:
    local.change(LATEST)
    try:
        by_reader, by_pack = reader(local), pack(local)
    finally:
        local.change({"images": None})
    assert by_reader[:2] == (1, {("pinned-images", "hub-grafana"), ("pinned-images", "hub-project")}), by_reader[2]
    assert "Container hub-project (service cadvisor, role cadvisor)" in by_reader[2]
    assert by_pack[0] != 0
    assert by_pack[1] == by_reader[1], by_pack[2]


def test_an_update_with_the_pack_lets_the_good_pass_and_leaves_the_bad_out(local: Rig) -> None:
    """Its first run sees every generated password and rendered file; its second one must not touch either container."""
    local.env[WANTED] = "1"
    local.up()
    before = local.started("grafana"), local.started("cadvisor")
    moving = {role: f"fwt-policy/{role}:latest" for role in ("grafana", "cadvisor")}
    for role, name in moving.items():  # on this machine, so that the rule is what stops them and no failed pull
        docker("tag", docker("inspect", "-f", "{{.Image}}", local.container(role)).strip(), name)
    try:
        local.change({"images": moving, "hub": {"retention": {"logs": "2d"}}})
        done = local.tool("up")
    finally:
        docker("rmi", *moving.values())
    assert done.returncode != 0, done.stdout[-3000:]
    assert "pinned-images" in done.stdout, done.stdout[-6000:]
    assert (local.started("grafana"), local.started("cadvisor")) == before
    for role in ("grafana", "cadvisor"):
        assert docker("inspect", "-f", "{{.State.Running}}", local.container(role)).strip() == "true"
    assert "retention_period: 2d" in _file(local, "loki/config/loki.yml"), "what breaks no rule is changed"


def _file(stack: Rig, name: str) -> str:
    """A rendered file as it is on this machine, the hub."""
    return (stack.home / "state" / stack.name / "files" / "hub" / name).read_text()


def test_a_good_fleet_in_production_passes_both(production: Rig) -> None:
    code, found, said = reader(production)
    assert (code, found) == (0, set()), said
    assert "resources of prod" in said
    code, found, said = pack(production)
    assert (code, found) == (0, set()), said


def test_a_bad_fleet_in_production_fails_both_alike(production: Rig) -> None:
    production.change(BROKEN)
    by_reader, by_pack = reader(production), pack(production)
    assert by_reader[:2] == (1, BREAKS), by_reader[2]
    assert by_pack[0] != 0
    assert by_pack[1] == BREAKS, by_pack[2]
    assert PASSWORD not in by_reader[2] + by_pack[2], "a violation names the place, never the secret"


def test_a_stack_file_with_a_mistake_is_told_as_ever(local: Rig) -> None:
    local.change({"hub": {"colour": "blue"}})
    try:
        done = local.tool("policy")
    finally:
        local.change({"hub": {"colour": None}})
    assert done.returncode == 1
    assert "hub.colour: unknown key" in done.stdout
    assert "Traceback (most recent" not in done.stdout


def test_the_pack_has_its_packages_as_locked(local: Rig) -> None:
    """After the tests above; a program beside it that cannot find them says so instead of passing."""
    stamp = PACKAGES / "fleetwatch-stamp"
    assert stamp.read_text() == (FOLDER / "requirements.txt").read_text()
    assert os.access(PACK, os.X_OK)
    assert Path(FOLDER / "PulumiPolicy.yaml").is_file()
