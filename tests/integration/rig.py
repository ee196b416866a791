"""A stack of the tests' own: ports, names, subnet and state that no live stack has; gone at the end, even a bad one.

Uses the project's tools as `make up` does, so what is tested is what a user runs.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeVar

import yaml

from tests.fixtures.leftovers import claimed, labelled, unmounted
from tools.hubclient import HubClient
from tools.paths import CHECKOUT

DOCKER = "unix:///var/run/docker.sock"
T = TypeVar("T")


def docker(*words: str, check: bool = True, stdin: str | None = None, errors: bool = False) -> str:
    """A docker command's output, with `errors` also that on its standard error; its own words in the failure."""
    done = subprocess.run(["docker", *words], capture_output=True, text=True, input=stdin, check=False)
    assert not check or done.returncode == 0, f"docker {' '.join(words[:3])}: {done.stderr.strip()}"
    return done.stdout + (done.stderr if errors else "")


def eventually(what: str, ask: Callable[[], T], patience: float = 60, pause: float = 1) -> T:
    """The first answer that is true; fails saying what was waited for and the last answer."""
    end = time.monotonic() + patience
    last: T | Exception | None = None
    while time.monotonic() < end:
        try:
            answer = ask()
            if answer:
                return answer
            last = answer
        except Exception as error:  # the last one is shown
            last = error
        time.sleep(pause)
    raise AssertionError(f"within {patience:.0f} s did not come: {what}; last answer: {last!r}")


def timestamp(shown: str) -> float:
    """One of Docker's times, which have up to nine decimals; Python reads six."""
    whole, _, rest = shown.rstrip("Z").partition(".")
    return datetime.fromisoformat(whole).replace(tzinfo=timezone.utc).timestamp() + float(f"0.{rest or 0}")


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now, below those that the kernel gives to outgoing connections."""
    found: set[int] = set()
    while len(found) < count:
        port = 20000 + secrets.randbelow(12000)
        with socket.socket() as one, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", port))
            found.add(port)
    return sorted(found)


class Rig:
    """One stack. `config` is the stack file's `config:` without the project's name in the keys."""

    def __init__(self, name: str, config: Mapping[str, Any]) -> None:
        token = secrets.token_hex(3)
        self.name = f"{name}-{token}"
        self.prefix = f"fwt-{name}-{token}"
        self.home = Path(tempfile.mkdtemp(prefix=f"fleetwatch-test-{name}-"))
        self.file = self.home / f"Pulumi.{self.name}.yaml"
        https, http, push, query = free_ports(4)
        self.ports = {"https": https, "http": http, "push": push, "query": query}
        self.env = {**os.environ, "FLEETWATCH_STATE": str(self.home / "state")}
        self.extra: list[str] = []  # ids of containers and networks that a test made
        retention = {"metrics": "1d", "logs": "1d", "metrics_size": "1GB"}
        hub = {"local": {}, "ports": dict(self.ports), "retention": retention}
        octets = secrets.randbelow(200) + 20, secrets.randbelow(250)
        hosts = {"hub": {"subnet": f"10.{octets[0]}.{octets[1]}.0/24"}}
        self.config: dict[str, Any] = {"prefix": self.prefix, "env": "test", "hub": hub, "hosts": hosts}
        merge(self.config, config)
        self.write()
        self.hub = HubClient(f"http://127.0.0.1:{query}")

    def write(self) -> None:
        """The stack file as `config` is now."""
        whole = {"config": {f"fleetwatch:{key}": value for key, value in self.config.items()}}
        self.file.write_text(yaml.safe_dump(whole))

    def change(self, change: Mapping[str, Any]) -> None:
        """Merge into the stack file."""
        merge(self.config, change)
        self.write()

    def argv(self, *words: str) -> list[str]:
        """The command line of `python -m tools` for this stack."""
        return [sys.executable, "-m", "tools", "--stack", self.name, "--file", str(self.file), *words]

    def tool(self, *words: str, stdin: str | None = None, patience: float = 900) -> subprocess.CompletedProcess[str]:
        """`python -m tools` for this stack; output and errors together in `stdout`."""
        return subprocess.run(
            self.argv(*words), cwd=CHECKOUT, env=self.env, input=stdin, text=True, timeout=patience, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def up(self) -> str:
        """Bring it up; its output. Fails with the output when it does not end well, and the logs that it points to."""
        done = self.tool("up")
        assert done.returncode == 0, done.stdout[-6000:] + self._named_logs(done.stdout)
        return done.stdout

    def _named_logs(self, output: str) -> str:
        """The last lines of the containers whose logs a failure names: they are removed before anybody can look."""
        names = sorted(set(re.findall(r"docker logs (\S*[a-z0-9])", output)))
        done = [
            subprocess.run(
                ["docker", "logs", "--tail", "30", name], text=True, check=False,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )
            for name in names
        ]  # fmt: skip
        return "".join(f"\n--- {name}\n{one.stdout}" for name, one in zip(names, done, strict=True))

    def up_fails(self) -> str:
        """`up` that must not end well; its output."""
        done = self.tool("up")
        assert done.returncode not in (0, 130), f"this was expected to fail:\n{done.stdout[-4000:]}"
        assert "Traceback (most recent" not in done.stdout, done.stdout[-6000:]
        return done.stdout

    def preview(self) -> dict[str, int]:
        """How many resources a preview would create, update, replace, delete or leave."""
        done = self.tool("pulumi", "preview", "--json")
        assert done.returncode == 0, done.stdout[-6000:]
        summary: dict[str, int] = json.loads(done.stdout[done.stdout.index("{") :])["changeSummary"]
        return summary

    def container(self, role: str) -> str:
        return f"{self.prefix}-{role}"

    def started(self, role: str) -> tuple[str, str]:
        """(id, start time) of a container: what must not change by a reload."""
        found = docker("inspect", "-f", "{{.Id}} {{.State.StartedAt}}", self.container(role)).split()
        return found[0], found[1]

    def started_all(self) -> dict[str, tuple[str, str]]:
        """Of every container of the stack, by name."""
        names = docker("ps", "--format", "{{.Names}}", "--filter", f"label=fleetwatch.stack={self.prefix}").split()
        return {name: self.started(name.removeprefix(f"{self.prefix}-")) for name in names}

    def run(self, image: str, *words: str, options: tuple[str, ...] = ()) -> str:
        """Start a container of a test; its id. It is removed with the rig."""
        found = docker("run", "-d", "--label", f"fleetwatch.test={self.prefix}", *options, image, *words).strip()
        return found

    def network(self, suffix: str) -> str:
        """A Docker network of a test; its name."""
        name = f"{self.prefix}-{suffix}"
        docker("network", "create", "--label", f"fleetwatch.test={self.prefix}", name)
        return name

    def left(self) -> dict[str, list[str]]:
        """Everything in Docker that still carries this stack's label."""
        label = f"label=fleetwatch.stack={self.prefix}"
        kinds = {"container": ("ps", "-aq"), "network": ("network", "ls", "-q"), "volume": ("volume", "ls", "-q")}
        return {kind: docker(*words, "--filter", label).split() for kind, words in kinds.items()}

    def remove(self) -> None:
        """Take everything away: by `down`, then by label whatever a broken test left."""
        with contextlib.suppress(Exception):
            self.tool("down", "--yes")
        for words in labelled(self.prefix):
            docker(*words, check=False)
        unmounted(self.home)
        shutil.rmtree(self.home, ignore_errors=True)


def merge(into: dict[str, Any], change: Mapping[str, Any]) -> None:
    """Deep merge; None removes a key."""
    for key, value in change.items():
        if value is None:
            into.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = dict(value) if isinstance(value, Mapping) else value


@contextlib.contextmanager
def rig(name: str, config: Mapping[str, Any] | None = None) -> Iterator[Rig]:
    """A stack for one group of tests."""
    made = Rig(name, config or {})
    with claimed(made.prefix, made.home):
        try:
            yield made
        finally:
            made.remove()
