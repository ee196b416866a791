"""The fleet that the tests named test_fleet_* take through its life, in a rehearsal cloud of the tests' own.

The production path: the program, its tools and its engine, an API on loopback, machines made of containers. It has an
internet (198.18.77.0/24), a VPC, names and ports that no other stack of this machine has. What is said about a host is
asked on the host, over the SSH words that the stack exports.
"""

from __future__ import annotations

import contextlib
import copy
import json
import os
import re
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import yaml

from configs import services
from localcloud.cloud.catalogue import SERVED_IMAGE
from tests.fixtures.leftovers import claimed
from tests.integration.fleet_view import View
from tests.integration.rig import docker, eventually, free_ports, merge
from tools import rehearsal
from tools.environment import pulumi_env
from tools.paths import CHECKOUT
from tools.stack import Stack
from tools.working_copy import sections

INTERNET = "198.18.77.0/24"
HERE = "198.18.77.1"  # this machine, as the cloud's internet sees it
VPS, VPS_2 = "198.18.77.150", "198.18.77.151"
PROJECT, WATCHER = "monitoring", "ops@example.com"  # at the cloud; who is told when the hub is away
APP = "10.79.9.9"  # a server with a private address only
RANGE = "10.79.0.0/20"


class Fleet(View):
    """The cloud, the stack in it, and how tests look at them. `config` is the stack file's sections by name."""

    internet = INTERNET
    more_images: Sequence[str] = ()  # of the machines, beside those of every rehearsal

    def __init__(self) -> None:
        self.name = f"fwt{secrets.token_hex(3)}"
        self.home = Path(tempfile.mkdtemp(prefix="fleetwatch-test-fleet-"))
        self.port = free_ports(1)[0]
        self.config = sections(CHECKOUT / "stacks" / "Pulumi.rehearsal.yaml")
        self.config["env"] = "test"
        self.config["access"]["admin_cidrs"] = [f"{HERE}/32"]
        self.config["cloud"] |= {"range": RANGE, "project": PROJECT}
        self.config["hub"]["uptime"] = {"email": [WATCHER]}
        self.config["hosts"]["vps-1"]["server"]["address"] = VPS
        self.config["hosts"]["db-1"]["metrics"] = {"agent": "vmagent"}  # the others have the default
        self.begin()

    def begin(self) -> None:
        """What follows from name, home, port and config."""
        self.file = self.home / f"Pulumi.{self.name}.yaml"
        self.env = {**os.environ, "FLEETWATCH_STATE": str(self.home / "state")}
        self.state = self.home / "state" / self.name
        self.rehearsal = rehearsal.Rehearsal(self.name, self.internet, self.port)
        self.machines = self.rehearsal.machines()
        self.dsn_password = secrets.token_hex(16)
        self.said = ""  # by the first `up`
        self.hub_left = 0.0  # when the hub was destroyed, to be made anew
        self.commands: set[bytes] = set()  # command lines that were seen while it ran
        self.environments: set[bytes] = set()  # and environments
        self._outputs: dict[str, Any] = {}
        self.write()

    # The stack

    def write(self) -> None:
        """The stack file as `config` is now, its droplets of the image that the rehearsal has."""
        config = copy.deepcopy(self.config)
        for place in (config.get("hub"), *(config.get("hosts") or {}).values()):
            if isinstance(place, dict) and isinstance(place.get("droplet"), dict):
                place["droplet"].setdefault("image", SERVED_IMAGE)
        self.file.write_text(yaml.safe_dump({"config": {f"fleetwatch:{k}": v for k, v in config.items()}}))

    def change(self, change: Mapping[str, Any]) -> None:
        """Merge into the stack file; None removes."""
        merge(self.config, change)
        self.write()

    @contextlib.contextmanager
    def meanwhile(self, change: Mapping[str, Any]) -> Iterator[None]:
        """Merge into the stack file, and take it back."""
        before = copy.deepcopy(self.config)
        self.change(change)
        try:
            yield
        finally:
            self.config = before
            self.write()

    def prepare(self) -> None:
        """What `make rehearse` does before its `up`: everything below the fleet, the one secret of its stack file."""
        with mock.patch.dict(os.environ, self.env):
            chain = rehearsal.prepare(self.rehearsal, self.more_images)
            if "project" in self.config.get("cloud", {}):
                self.ask("POST", "projects", json={"name": PROJECT, "purpose": "Monitoring"})
            parts = {key: ref for key, ref in chain.overrides.items() if key in services.IMAGE_KEYS}
            stack = Stack(self.name, self.file, pulumi_env(self.state), parts)
            stack.prepare()
            stack.select()
        if "db-1" not in self.config["hosts"]:
            return
        dsn = f"postgresql://postgres:{self.dsn_password}@db:5432/postgres"
        done = self.tool("secret", "hosts.db-1.postgres.main.dsn", stdin=dsn)
        assert done.returncode == 0, done.stdout

    def tool(self, *words: str, stdin: str | None = None, patience: float = 900) -> subprocess.CompletedProcess[str]:
        """`python -m tools` for this stack; output and errors together in `stdout`."""
        if words[0] != "pulumi" or words[1] == "refresh":
            self._outputs = {}
        return subprocess.run(
            self.argv(*words), cwd=CHECKOUT, env=self.env, input=stdin, text=True, timeout=patience, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def rehearse(self) -> str:
        """`make rehearse`: the cloud, then the fleet in it."""
        return _well(self.tool("rehearse", "--internet", self.internet, "--port", str(self.port)))

    def up(self) -> str:
        """`make up`; what it said. Fails with that when it does not end well."""
        return _well(self.tool("up"))

    def up_fails(self) -> str:
        """`make up` that must not end well; what it said."""
        done = self.tool("up")
        assert done.returncode != 0, f"this was expected to fail:\n{done.stdout[-4000:]}"
        assert "Traceback (most recent" not in done.stdout, done.stdout[-6000:]
        return done.stdout

    def planned(self) -> dict[str, str]:
        """What a preview would do to which resource, by name; nothing for what stays the same or is only read."""
        said = _well(self.tool("pulumi", "preview", "--json"))
        steps = json.loads(said[said.index("{") :])["steps"]
        return {step["urn"].split("::")[-1]: step["op"] for step in steps if step["op"] not in ("same", "read")}

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs after the last command."""
        if not self._outputs:
            said = _well(self.tool("pulumi", "stack", "output", "--json"))
            self._outputs = json.loads(said[said.index("{") :])
        return self._outputs

    def exported(self, *words: str) -> list[dict[str, Any]]:
        """The resources of the state, as `pulumi stack export` gives them."""
        said = _well(self.tool("pulumi", "stack", "export", *words))
        found: list[dict[str, Any]] = json.loads(said[said.index("{") :])["deployment"]["resources"]
        return found

    def passwords(self) -> dict[str, str]:
        """Every generated password, by its resource's name."""
        made = [one for one in self.exported("--show-secrets") if one["type"].endswith(":RandomPassword")]
        return {one["urn"].split("::")[-1]: _plain(one["outputs"]["result"]) for one in made}

    # The cloud

    @property
    def token(self) -> str:
        return (self.state / "cloud" / "token").read_text().strip()

    def ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        """What the cloud's API answers, which must not be an error."""
        with httpx.Client(trust_env=False, headers={"Authorization": f"Bearer {self.token}"}, timeout=10) as client:
            got = client.request(method, f"{self.rehearsal.url}/v2/{path}", **more)
        assert got.status_code < 300, f"{method} {path}: {got.status_code} {got.text}"
        found: dict[str, Any] = got.json() if got.content else {}
        return found

    def api(self, kind: str) -> list[dict[str, Any]]:
        """Everything of one kind that the cloud has, such as droplets, or uptime/checks."""
        found: list[dict[str, Any]] = self.ask("GET", kind, params={"per_page": "200"})[kind.rpartition("/")[2]]
        return found

    def droplet(self, host: str) -> dict[str, Any]:
        """What the cloud says of a host's droplet."""
        (found,) = [one for one in self.api("droplets") if one["name"] == f"fleetwatch-test-{host}"]
        return found

    def server(self, name: str) -> str:
        """The container that is a server."""
        return f"fleetwatch-cloud-{self.name}-server-{name}"

    def make_server(self, name: str, address: str, user: str = rehearsal.SERVER_USER) -> None:
        """One more server on the internet, with a Docker Engine that answers."""
        public = (self.state / "ssh_key.pub").read_text().strip()
        self.machines.create_server(name, address, user, public)
        container = self.server(name)
        eventually(f"Docker of {name}", lambda: docker("exec", container, "docker", "version"), 120)

    def inside(self, server: str, *words: str, check: bool = True) -> str:
        """The output of a command in a server, as from its console."""
        return docker("exec", self.server(server), *words, check=check)

    def remove(self) -> None:
        """The cloud with all in it, whatever a broken test left."""
        with contextlib.suppress(Exception):
            self.tool("rehearse-down", "--internet", self.internet, "--port", str(self.port))
        with contextlib.suppress(Exception):
            self.machines.remove_all()
        shutil.rmtree(self.home, ignore_errors=True)


def beside(planned: Mapping[str, str], *hosts: str) -> dict[str, str]:
    """What is planned for anything else than the resources of these hosts, their gates among them."""
    own = re.compile(rf"(hub-gate-)?({'|'.join(map(re.escape, hosts))})(-|$)")
    return {name: op for name, op in planned.items() if not own.match(name)}


def _well(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout[-8000:]
    return done.stdout


def _plain(value: Any) -> str:
    """A secret of `stack export --show-secrets`."""
    return str(json.loads(value["plaintext"]) if isinstance(value, dict) else value)


@contextlib.contextmanager
def told(kind: Callable[[], Fleet] = Fleet) -> Iterator[Fleet]:
    """A cloud that answers, with a server on its internet and no fleet in it yet."""
    made = kind()
    with claimed(made.name, made.home):
        try:
            made.prepare()
            yield made
        finally:
            made.remove()
