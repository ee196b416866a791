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
import shlex
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import yaml

from localcloud.machines import Machines
from tests.integration.rig import docker, free_ports, merge
from tools import images, reach, rehearse
from tools.environment import pulumi_env
from tools.hubclient import HubClient
from tools.paths import CHECKOUT
from tools.stack import Stack
from tools.stackfile import sections

INTERNET = "198.18.77.0/24"
HERE = "198.18.77.1"  # this machine, as the cloud's internet sees it
VPS, VPS_2 = "198.18.77.150", "198.18.77.151"
APP = "10.79.9.9"  # a server with a private address only
RANGE = "10.79.0.0/20"


class Fleet:
    """The cloud, the stack in it, and how tests look at them. `config` is the stack file's sections by name."""

    def __init__(self) -> None:
        self.name = f"fwt{secrets.token_hex(3)}"
        self.home = Path(tempfile.mkdtemp(prefix="fleetwatch-test-fleet-"))
        self.port = free_ports(1)[0]
        self.config = sections(CHECKOUT / "stacks" / "Pulumi.rehearsal.yaml")
        self.config["env"] = "test"
        self.config["access"]["admin_cidrs"] = [f"{HERE}/32"]
        self.config["cloud"]["range"] = RANGE
        self.config["hosts"]["vps-1"]["server"]["address"] = VPS
        self.begin()

    def begin(self) -> None:
        """What follows from name, home, port and config."""
        self.file = self.home / f"Pulumi.{self.name}.yaml"
        self.env = {**os.environ, "FLEETWATCH_STATE": str(self.home / "state")}
        self.state = self.home / "state" / self.name
        self.rehearsal = rehearse.Rehearsal(self.name, INTERNET, self.port)
        self.machines = Machines(self.name, INTERNET)
        self.dsn_password = secrets.token_hex(16)
        self.said = ""  # by the first `up`
        self.commands: set[bytes] = set()  # command lines that were seen while it ran
        self._outputs: dict[str, Any] = {}
        self.write()

    # The stack

    def write(self) -> None:
        """The stack file as `config` is now."""
        self.file.write_text(yaml.safe_dump({"config": {f"fleetwatch:{k}": v for k, v in self.config.items()}}))

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
            chain = rehearse.prepare(self.rehearsal)
            parts = {key: ref for key, ref in chain.overrides.items() if key in images.PARTS}
            stack = Stack(self.name, self.file, pulumi_env(self.state), parts)
            stack.prepare()
            stack.select()
        dsn = f"postgresql://postgres:{self.dsn_password}@db:5432/postgres"
        done = self.tool("secret", "hosts.db-1.postgres.main.dsn", stdin=dsn)
        assert done.returncode == 0, done.stdout

    def argv(self, *words: str) -> list[str]:
        """The command line of `python -m tools` for this stack."""
        return [sys.executable, "-m", "tools", "--stack", self.name, "--file", str(self.file), *words]

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
        return _well(self.tool("rehearse", "--internet", INTERNET, "--port", str(self.port)))

    def up(self) -> str:
        """`make up`; what it said. Fails with that when it does not end well."""
        return _well(self.tool("up"))

    def up_fails(self) -> str:
        """`make up` that must not end well; what it said."""
        done = self.tool("up")
        assert done.returncode != 0, f"this was expected to fail:\n{done.stdout[-4000:]}"
        assert "Traceback" not in done.stdout, done.stdout[-6000:]
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

    def api(self, kind: str) -> list[dict[str, Any]]:
        """Everything of one kind that the cloud has, such as droplets."""
        with httpx.Client(trust_env=False, headers={"Authorization": f"Bearer {self.token}"}, timeout=10) as client:
            got = client.get(f"{self.rehearsal.url}/v2/{kind}", params={"per_page": "200"})
        assert got.status_code == 200, f"{kind}: {got.status_code} {got.text}"
        found: list[dict[str, Any]] = got.json()[kind]
        return found

    def droplet(self, host: str) -> dict[str, Any]:
        """What the cloud says of a host's droplet."""
        (found,) = [one for one in self.api("droplets") if one["name"] == f"fleetwatch-test-{host}"]
        return found

    def server(self, name: str) -> str:
        """The container that is a server."""
        return f"fleetwatch-cloud-{self.name}-server-{name}"

    def inside(self, server: str, *words: str, check: bool = True) -> str:
        """The output of a command in a server, as from its console."""
        return docker("exec", self.server(server), *words, check=check)

    # The hosts

    def on(self, host: str, *words: str, check: bool = True, stdin: str | None = None) -> str:
        """The output of a command on a host of the fleet."""
        assert host in self.outputs()["hosts"], f"{host} is not up"
        argv = reach.on(self.outputs(), host, words)
        done = subprocess.run(argv, capture_output=True, text=True, input=stdin or "", check=False, timeout=120)
        assert not check or done.returncode == 0, f"{host}: {shlex.join(words)}: {done.stderr.strip()[-2000:]}"
        return done.stdout

    def containers(self, host: str) -> dict[str, tuple[str, str]]:
        """(id, start) of our containers on a host, by role: what must not change where nothing is to be recreated."""
        label = "label=fleetwatch.stack=fleetwatch"
        form = '{{index .Config.Labels "fleetwatch.role"}} {{.Id}} {{.State.StartedAt}}'
        script = f"docker ps -q --no-trunc --filter {label} | xargs -r docker inspect -f {shlex.quote(form)}"
        lines = self.on(host, "sh", "-c", script).splitlines()
        return {role: (found, started) for role, found, started in (line.split() for line in lines)}

    def everything(self) -> dict[str, dict[str, tuple[str, str]]]:
        """`containers` of every host that is up."""
        return {host: self.containers(host) for host in self.outputs()["hosts"]}

    # The hub's public door

    @property
    def address(self) -> str:
        """The hub's reserved address."""
        return str(self.outputs()["hosts"]["hub"]["address"])

    def root_ca(self) -> str:
        """The certificate of the hub's own CA."""
        place = "/data/caddy/pki/authorities/local/root.crt"
        return self.on("hub", "docker", "exec", "fleetwatch-caddy", "cat", place)

    def https(self, method: str, path: str, auth: tuple[str, str] | None = None, **more: Any) -> httpx.Response:
        """One request from this machine, to which the hub has to show a certificate of its own CA."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=self.root_ca())
        sni = {"sni_hostname": "hub.fleetwatch.internal"}
        with httpx.Client(verify=context, trust_env=False, timeout=20) as client:
            return client.request(method, f"https://{self.address}{path}", auth=auth, extensions=sni, **more)

    def lets_in(self, user: str, password: str) -> bool:
        """Whether this user may push."""
        status = self.https("POST", "/loki/api/v1/push", (user, password), json={"streams": []}).status_code
        assert status in (204, 401, 422), status
        return status != 401

    # The data

    @contextlib.contextmanager
    def hub(self) -> Iterator[HubClient]:
        """The hub's query side, through a tunnel."""
        with reach.query_side(self.outputs()) as address:
            yield HubClient(address)

    def metrics(self, query: str) -> list[dict[str, Any]]:
        """An instant query."""
        with self.hub() as hub:
            return hub.metrics(query)

    def newest(self, job: str = "agent") -> dict[str, float]:
        """When the newest sample of a job is from, by host; a host that is silent for five minutes is not in it."""
        found = self.metrics(f'max by (host) (timestamp(up{{job="{job}"}}))')
        return {one["metric"]["host"]: float(one["value"][1]) for one in found}

    def stamps(self, series: str, window: str) -> list[float]:
        """Times of the raw samples of the one series that matches."""
        found = self.metrics(f"{series}[{window}]")
        assert len(found) == 1, f"expected one series of {series}, got {[one['metric'] for one in found]}"
        return [float(at) for at, _ in found[0]["values"]]

    def lines(self, query: str, since: float = 0) -> list[str]:
        """The newest log lines from `since` on, at most of the last hour."""
        now = time.time()
        with self.hub() as hub:
            return [line for stream in hub.logs(query, max(since, now - 3600), now) for _, line in stream["values"]]

    def talker(self, host: str) -> str:
        """A container on a host that writes a line every second; the word in its lines."""
        token = f"t{secrets.token_hex(6)}"
        script = f"""image=$(docker inspect -f '{{{{.Config.Image}}}}' fleetwatch-agent)
            docker rm -f talker > /dev/null 2>&1
            docker run -d --name talker --restart unless-stopped --entrypoint sh "$image" -c \\
                'n=0; while :; do n=$((n + 1)); echo "token={token} n=$n"; sleep 1; done'"""
        self.on(host, "sh", "-c", script)
        return token

    def remove(self) -> None:
        """The cloud with all in it, whatever a broken test left."""
        with contextlib.suppress(Exception):
            self.tool("rehearse-down", "--internet", INTERNET, "--port", str(self.port))
        with contextlib.suppress(Exception):
            self.machines.remove_all()
        shutil.rmtree(self.home, ignore_errors=True)


class Watcher:
    """Remembers every command line that this machine shows while it is open: those inside the cloud's machines too,
    because they have this kernel."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._end.wait(0.2):
            for process in os.listdir("/proc"):
                if process.isdigit():
                    with contextlib.suppress(OSError):
                        self.seen.add(Path("/proc", process, "cmdline").read_bytes())


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
def told() -> Iterator[Fleet]:
    """A cloud that answers, with a server on its internet and no fleet in it yet."""
    made = Fleet()
    try:
        made.prepare()
        yield made
    finally:
        made.remove()
