"""The machine as a fleet of one host: a hub on a server that exists, with its edge, by the project's own commands."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml

from tests.integration.fleet_view import View
from tests.vm.emulator import Emulator
from tools.errors import ToolError
from tools.hubclient import HubClient
from tools.paths import CHECKOUT, cache_dir
from tools.processes import run

T = TypeVar("T")
TRIES = 4
# Everything on the machine that a deployment might leave: the names of networks and volumes, files, and folders without
# any. Images stay after `make down` (docs/tasks/remove.md).
_LISTING = """
docker ps -a --format 'container {{.Names}}'
docker network ls --format 'network {{.Name}}'
docker volume ls --format 'volume {{.Name}}'
find /etc /usr/local /var/lib/fleetwatch "$HOME" -xdev -type f ! -name '.bash_history' 2> /dev/null | sed 's/^/file /'
find /etc /usr/local /var/lib/fleetwatch -xdev -type d -empty 2> /dev/null | sed 's/^/folder /'
"""


class Machine(View):
    """`name` is the stack's too. Its state, key and overlay are in `home`, which the caller removes."""

    def __init__(self, name: str, home: Path, emulator: Emulator, images: dict[str, str]) -> None:
        self.name, self.home, self.emulator, self.images = name, home, emulator, images
        self.file = home / f"Pulumi.{name}.yaml"
        self.key = home / "key"
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
        self.env = {**kept, "FLEETWATCH_STATE": str(home / "state")}
        self._outputs: dict[str, Any] = {}
        hub = {
            "server": {"address": "127.0.0.1", "port": emulator.port, "user": "root"},
            "retention": {"metrics": "1d", "logs": "1d", "metrics_size": "1GB"},
        }
        config = {
            "env": "test",
            "hub": hub,
            "hosts": {"hub": {"logs": {"journal": True}}},
            "ssh": {"key": str(self.key), "timeout": "60s"},  # an emulated processor negotiates slowly
            **({"images": images} if images else {}),
        }
        self.file.write_text(yaml.safe_dump({"config": {f"fleetwatch:{key}": value for key, value in config.items()}}))

    def make(self, target: str, *settings: str) -> None:
        """A target of the Makefile for this stack; ToolError with the end of its output if it fails."""
        argv = ["make", target, f"STACK={self.name}", f"FILE={self.file}", *settings]
        run(argv, what=f"vm make {target}", env=self.env, cwd=CHECKOUT)
        self._outputs = {}

    @staticmethod
    def shown(target: str) -> str:
        """What the last `make` of this target printed."""
        return (cache_dir("logs") / f"vm-make-{target}.log").read_text(errors="replace")

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs."""
        if not self._outputs:
            argv = self.argv("pulumi", "stack", "output", "--json")
            done = subprocess.run(argv, cwd=CHECKOUT, env=self.env, capture_output=True, text=True, check=True)
            self._outputs = json.loads(done.stdout[done.stdout.index("{") :])
        return self._outputs

    def ssh(self, script: str, patience: float = 120) -> subprocess.CompletedProcess[str]:
        """A shell script as root on the machine, which is known by its port alone."""
        argv = ["ssh", "-i", str(self.key), "-p", str(self.emulator.port), "-o", "BatchMode=yes"]
        argv += ["-o", "ConnectTimeout=10", "-o", "LogLevel=ERROR", "-o", "IdentitiesOnly=yes"]
        argv += ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "root@127.0.0.1", script]
        return subprocess.run(
            argv, capture_output=True, text=True, errors="replace", check=False, stdin=subprocess.DEVNULL,
            timeout=patience,
        )  # fmt: skip

    def answers(self) -> bool:
        """Whether a command can be run on it."""
        try:
            return self.ssh("true", 20).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def run(self, script: str, patience: float = 120) -> str:
        """The output of a shell script on the machine, which must end well."""
        done = self.ssh(script, patience)
        if done.returncode:
            shown = (done.stdout + done.stderr)[-3000:]
            raise ToolError(f"on the machine, exit code {done.returncode}: {script}\n{shown}")
        return done.stdout.strip()

    def ask(self, question: Callable[[HubClient], T]) -> T:
        """An answer of the hub. A tunnel may take longer than it is waited for on an emulated processor."""
        for _ in range(TRIES - 1):
            with contextlib.suppress(ToolError), self.hub() as hub:
                return question(hub)
            time.sleep(5)
        with self.hub() as hub:
            return question(hub)

    def metrics(self, query: str) -> list[dict[str, Any]]:
        """An instant query."""
        return self.ask(lambda hub: hub.metrics(query))

    def boot_id(self) -> str:
        """What is different after each boot; empty while it does not answer."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.ssh("cat /proc/sys/kernel/random/boot_id", 60).stdout.strip()
        return ""

    def listing(self) -> set[str]:
        """What is on it that a deployment might leave."""
        return set(self.run(_LISTING).splitlines())

    def reboot(self) -> float:
        """Restart it through systemd and wait for SSH; the time of the command."""
        before, begun = self.boot_id(), time.time()
        self.ssh("systemctl reboot")
        end = time.monotonic() + 900
        while time.monotonic() < end:
            if self.boot_id() not in ("", before):
                return begun
            time.sleep(2)
        raise ToolError("the machine was not back within 900 s after `systemctl reboot`")


def new_name() -> str:
    """Of a stack and of its run."""
    return f"vm-{secrets.token_hex(3)}"


def new_key(home: Path) -> str:
    """A key pair for SSH in this folder; the public half."""
    key = home / "key"
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "fleetwatch", "-f", str(key)], what="ssh-keygen")
    return key.with_suffix(".pub").read_text().strip()


def save_images(refs: Sequence[str], home: Path) -> Path:
    """The images as one file, for `docker load` on the machine."""
    made = home / "images.tar"
    if not refs:
        made.write_bytes(bytes(1 << 20))  # an empty disk
        return made
    run(["docker", "save", "-o", str(made), *refs], what="docker save")
    return made
