"""Records what the engine says to some changes of a fleet: `python -m tests.preview.record` (five minutes, as root).

The fleet of the rehearsal is brought up in a cloud of containers of its own; each change is previewed by `record`, and
nothing of it is carried out. What depends on the day or the machine is taken out (`trimmed`), the rest stands in
recorded/ as the engine said it. Afterwards `UPDATE=1 pytest tests/preview` writes the comments again, to look at.
"""

from __future__ import annotations

import copy
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import yaml

from tests.integration.rig import free_ports, merge
from tools import images, rehearsal
from tools.environment import pulumi_env
from tools.paths import CHECKOUT
from tools.stack import Stack
from tools.working_copy import sections

RECORDED = Path(__file__).parent / "recorded"
NAME, INTERNET = "fwtpreview", "198.18.79.0/24"
NOISE = frozenset(
    {"sourcePosition", "stackTrace", "created", "modified", "propertyDependencies", "dependencies", "provider"}
)
VPS = {"server": {"address": "198.18.79.150", "user": "deploy"}, "via": "internet"}
CHANGES: dict[str, dict[str, Any]] = {
    "host-added": {"hosts": {"web-1": {"droplet": {"size": "s-1vcpu-1gb"}}}},
    "host-removed": {"hosts": {"vps-1": None}},
    "scrape-interval": {"hosts": {"db-1": {"scrape": {"node": "5s"}}}},
    "hub-resized": {"hub": {"droplet": {"size": "s-4vcpu-8gb"}}},
    "image-bumped": {"images": {"prometheus": "docker.io/prom/prometheus:v3.16.0"}},
    "password-rotated": {"hosts": {"vps-1": {"rotation": 1}}},
    "host-renamed": {"hosts": {"vps-1": None, "vps-2": {**VPS, "renamed_from": "vps-1"}}},
    "host-abandoned": {"hosts": {"vps-1": {"abandoned": True}}},
}


def trimmed(told: Mapping[str, Any], home: str) -> Any:
    """The record without times, source positions and paths of this machine; of outputs only the stack's."""

    def look(value: Any, key: str = "") -> Any:
        if isinstance(value, Mapping):
            drop = NOISE | ({"outputs"} if "urn" in value and not str(value.get("type")).endswith(":Stack") else set())
            return {name: look(inner, name) for name, inner in value.items() if name not in drop}
        if isinstance(value, list):
            return [look(inner) for inner in value]
        return value.replace(home, "/state").replace(str(CHECKOUT), "/checkout") if isinstance(value, str) else value

    found = look(told)
    found["preview"].pop("duration", None)
    found["preview"].pop("config", None)
    steps = found["preview"]["steps"]
    found["preview"]["steps"] = [one for one in steps if one["op"] != "same" or "pulumi:pulumi:Stack" in one["urn"]]
    found["preview"]["diagnostics"] = [one for one in found["preview"]["diagnostics"] if one.get("message")]
    return found


def main() -> None:
    """Bring the fleet up, record, remove it."""
    home = Path(tempfile.mkdtemp(prefix="fleetwatch-record-"))
    config = sections(CHECKOUT / "stacks" / "Pulumi.rehearsal.yaml")
    config |= {"env": "test"}
    config["access"]["admin_cidrs"] = ["198.18.79.1/32"]
    config["cloud"]["range"] = "10.84.0.0/20"
    config["hosts"]["vps-1"] = copy.deepcopy(VPS)
    file, state = home / f"Pulumi.{NAME}.yaml", home / "state" / NAME
    env = {**os.environ, "FLEETWATCH_STATE": str(home / "state")}
    made = rehearsal.Rehearsal(NAME, INTERNET, free_ports(1)[0])

    def write(with_change: Mapping[str, Any]) -> None:
        changed = copy.deepcopy(config)
        merge(changed, with_change)
        file.write_text(yaml.safe_dump({"config": {f"fleetwatch:{key}": value for key, value in changed.items()}}))

    def tool(*words: str, stdin: str | None = None) -> None:
        argv = [sys.executable, "-m", "tools", "--stack", NAME, "--file", str(file), *words]
        subprocess.run(argv, cwd=CHECKOUT, env=env, input=stdin, text=True, check=True)

    write({})
    with mock.patch.dict(os.environ, env):
        try:
            chain = rehearsal.prepare(made)
            parts = {key: ref for key, ref in chain.overrides.items() if key in images.PARTS}
            stack = Stack(NAME, file, pulumi_env(state), parts)
            stack.prepare()
            stack.select()
            dsn = f"postgresql://postgres:{secrets.token_hex(16)}@db:5432/postgres"
            tool("secret", "hosts.db-1.postgres.main.dsn", stdin=dsn)
            tool("up")
            for name, change in CHANGES.items():
                write(change)
                place = home / f"{name}.preview.json"
                tool("record", str(place))
                told = trimmed(json.loads(place.read_text()), str(home))
                (RECORDED / place.name).write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")
        finally:
            rehearsal.remove(made)
            shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
