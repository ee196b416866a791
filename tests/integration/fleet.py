"""A fleet of the tests' own in a rehearsal cloud of the tests' own: the production path, beside anything else that runs.

The cloud's internet is one of the networks that are kept for documentation, another one than `make rehearse` takes.
Droplets are containers; what is said about a host is asked on the host itself, over the SSH words that the stack exports.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from localcloud.machines import Machines
from tests.integration.rig import free_ports, merge
from tools import reach
from tools.hubclient import HubClient
from tools.paths import CHECKOUT
from tools.stackfile import sections

INTERNET = "198.18.77.0/24"
VPS = "198.18.77.150"


class Fleet:
    """The cloud, the stack in it, and how tests look at them. `config` is the stack file's sections by name."""

    def __init__(self) -> None:
        self.name = f"fwt{secrets.token_hex(3)}"
        self.home = Path(tempfile.mkdtemp(prefix="fleetwatch-test-fleet-"))
        self.file = self.home / f"Pulumi.{self.name}.yaml"
        self.env = {**os.environ, "FLEETWATCH_STATE": str(self.home / "state")}
        self.state = self.home / "state" / self.name
        self.cloud = ["--internet", INTERNET, "--port", str(free_ports(1)[0])]
        self.config = sections(CHECKOUT / "stacks" / "Pulumi.rehearsal.yaml")
        self.config["env"] = "test"
        self.config["access"]["admin_cidrs"] = ["198.18.77.1/32"]
        self.config["cloud"]["range"] = "10.79.0.0/20"
        self.config["hosts"]["vps-1"]["server"]["address"] = VPS
        self.machines = Machines(self.name, INTERNET)
        self.write()

    def write(self) -> None:
        self.file.write_text(yaml.safe_dump({"config": {f"fleetwatch:{k}": v for k, v in self.config.items()}}))

    def change(self, change: dict[str, Any]) -> None:
        """Merge into the stack file; None removes."""
        merge(self.config, change)
        self.write()

    def tool(self, *words: str, stdin: str | None = None, patience: float = 900) -> subprocess.CompletedProcess[str]:
        """`python -m tools` for this stack; output and errors together in `stdout`."""
        argv = [sys.executable, "-m", "tools", "--stack", self.name, "--file", str(self.file), *words]
        return subprocess.run(
            argv, cwd=CHECKOUT, env=self.env, input=stdin, text=True, timeout=patience, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def rehearse(self) -> str:
        """`make rehearse`: the cloud, then the fleet in it."""
        done = self.tool("rehearse", *self.cloud)
        assert done.returncode == 0, done.stdout[-8000:]
        return done.stdout

    def up(self) -> str:
        """`make up`; what it said. Fails with that when it does not end well."""
        done = self.tool("up")
        assert done.returncode == 0, done.stdout[-8000:]
        return done.stdout

    def planned(self) -> dict[str, str]:
        """What a preview would do to which resource, by name; nothing for what stays the same."""
        done = self.tool("pulumi", "preview", "--json")
        assert done.returncode == 0, done.stdout[-8000:]
        steps = json.loads(done.stdout[done.stdout.index("{") :])["steps"]
        return {step["urn"].split("::")[-1]: step["op"] for step in steps if step["op"] != "same"}

    def outputs(self) -> dict[str, Any]:
        done = self.tool("pulumi", "stack", "output", "--json")
        assert done.returncode == 0, done.stdout[-3000:]
        found: dict[str, Any] = json.loads(done.stdout[done.stdout.index("{") :])
        return found

    def on(self, host: str, *words: str, check: bool = True, stdin: str | None = None) -> str:
        """The output of a command on a host of the fleet."""
        argv = reach.on(self.outputs(), host, words)
        done = subprocess.run(argv, capture_output=True, text=True, input=stdin, check=False, timeout=120)
        assert not check or done.returncode == 0, f"{host}: {shlex.join(words)}: {done.stderr.strip()[-2000:]}"
        return done.stdout

    def containers(self, host: str) -> dict[str, tuple[str, str]]:
        """(id, start) of our containers on a host, by role: what must not change where nothing is to be recreated."""
        label = "label=fleetwatch.stack=fleetwatch"
        ids = self.on(host, "docker", "ps", "-q", "--no-trunc", "--filter", label).split()
        if not ids:
            return {}
        form = '{{index .Config.Labels "fleetwatch.role"}} {{.Id}} {{.State.StartedAt}}'
        lines = self.on(host, "docker", "inspect", "-f", form, *ids).splitlines()
        return {role: (found, started) for role, found, started in (line.split() for line in lines)}

    def everything(self) -> dict[str, dict[str, tuple[str, str]]]:
        """`containers` of every host."""
        return {host: self.containers(host) for host in self.outputs()["hosts"]}

    @contextlib.contextmanager
    def hub(self) -> Iterator[HubClient]:
        """The hub's query side, through a tunnel."""
        with reach.query_side(self.outputs()) as address:
            yield HubClient(address)

    def metrics(self, query: str) -> list[dict[str, Any]]:
        with self.hub() as hub:
            return hub.metrics(query)

    def droplet(self, host: str) -> dict[str, Any]:
        """What the state knows of a host's droplet."""
        done = self.tool("pulumi", "stack", "export")
        resources = json.loads(done.stdout[done.stdout.index("{") :])["deployment"]["resources"]
        (found,) = [one for one in resources if one["urn"].endswith(f"::{host}-droplet")]
        return {"id": found["id"], **found["outputs"]}

    def remove(self) -> None:
        """The cloud with all in it, whatever a broken test left."""
        with contextlib.suppress(Exception):
            self.tool("rehearse-down", *self.cloud)
        with contextlib.suppress(Exception):
            self.machines.remove_all()
        shutil.rmtree(self.home, ignore_errors=True)
