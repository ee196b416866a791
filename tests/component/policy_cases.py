"""The stack files that the guard rails are tested with: those of the checkout, and one for every kind of hub."""

from __future__ import annotations

import copy
from typing import Any

import yaml

from tests.component.program import full
from tests.component.test_fleet import KEY, fleet
from tests.fixtures import fleets
from tests.fixtures.full import STORAGE
from tests.fixtures.stackfiles import STACK_FILES


def shipped(name: str) -> dict[str, Any]:
    """The sections of a stack file of the checkout, with what a person adds: a key, and the secrets."""
    (file,) = [file for file in STACK_FILES if file.name == f"Pulumi.{name}.yaml"]
    config = yaml.safe_load(file.read_text())["config"]
    sections = {key.removeprefix("fleetwatch:"): value for key, value in config.items()}
    for host in sections["hosts"].values():
        for database in host.get("postgres", {}):
            host["postgres"][database] = {"dsn": "postgresql://watch:s3cret@db/shop"}
    if "local" not in sections["hub"]:
        sections["ssh"] = {"key": "~/.ssh/id_ed25519", "public_key": KEY}
    return {"env": name, **sections}


def with_alloy() -> dict[str, Any]:
    sections = full()
    sections["hosts"]["hub"]["logs"]["agent"] = "alloy"
    return sections


def production() -> dict[str, Any]:
    """The fleet as production has to have it."""
    sections = copy.deepcopy(fleet(web_1={"droplet": {"size": "s-1vcpu-1gb", "backups": True}}))
    sections["hub"]["droplet"]["backups"] = True
    return {**sections, "env": "prod"}


def three_nodes(**host: Any) -> dict[str, Any]:
    """A hub of three nodes, and a host in its private network."""
    storage = {**copy.deepcopy(fleets.CLUSTER), "nodes": {"a": {}, "b": {}, "c": {}}}
    made = fleets.fleet(
        {**fleets.HUB, "storage": storage}, hosts={"hub-b": {}, "hub-c": {}, "web-1": {"droplet": {}, **host}}
    )
    return {**made, "env": "dev"}


def bucket() -> dict[str, Any]:
    """A hub with everything on, whose metrics and logs are in a bucket."""
    sections = full()
    sections["hub"]["storage"] = copy.deepcopy(STORAGE)
    for key in ("metrics", "metrics_size"):
        sections["hub"].get("retention", {}).pop(key, None)
    return sections


_BACKUP = {"to": {"path": "/mnt/backup"}, "password": "unread"}  # pragma: allowlist secret
_SPACES = {"to": {"spaces": "ams3"}, "password": "unread"}  # pragma: allowlist secret
CASES = {
    **{file.name: shipped(file.name.split(".")[1]) for file in STACK_FILES},
    "everything on": full(),
    "everything on, Alloy": with_alloy(),
    "a fleet": {**fleet(), "env": "dev"},
    "a backup into a folder": {**full(), "hub": {**full()["hub"], "backup": _BACKUP}},
    "a backup into a bucket of Spaces": {**production(), "hub": {**production()["hub"], "backup": _SPACES}},
    "production": production(),
    "a bucket": bucket(),
    "three nodes": three_nodes(),
    "three nodes, Alloy": three_nodes(logs={"agent": "alloy"}),
}
