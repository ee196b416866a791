"""One stack on this machine: up, down, secrets, and the engine's commands with the right environment.

Everything of a stack (state backend, passphrase, working copy, rendered files) is in its own folder of the state, so
that any checkout continues it.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools import engine_state, stackfile, status
from tools.errors import ToolError
from tools.paths import CHECKOUT, state_dir
from tools.progress import say

# `url` is Slack's and a webhook's: whoever has it can post. Grafana's addresses are called auth_url and so on.
SECRET_KEYS = frozenset({"dsn", "client_secret", "password", "routing_key", "url"})

OVERLAY = "fleetwatch:images"
_WITH_FILE = ("up", "preview", "destroy", "refresh", "config", "import", "watch")
_INIT = ("--secrets-provider", "passphrase", "--no-select", "--non-interactive")


@dataclass
class Stack:
    """`env` is the engine's environment, `images` the references that replace pins on this machine."""

    name: str
    file: Path
    env: Mapping[str, str]
    images: Mapping[str, str] | None = None  # None: as in the last working copy

    def __post_init__(self) -> None:
        self.home = state_dir() / self.name
        self.working = self.home / f"Pulumi.{self.name}.yaml"
        self.backend = self.home / "backend"
        self.files = self.home / "files"

    def prepare(self, check: bool = True) -> dict[str, Any]:
        """Write the working copy and give its configuration. `check` refuses secrets that stand in clear."""
        user = stackfile.read(self.file)
        clear = stackfile.clear_secrets(user.get("config") or {}, SECRET_KEYS)
        if clear and check:
            lines = "\n".join(f"  - {path}: `make secret KEY={path}` asks for it" for path in clear)
            raise ToolError(f"{self.file}: secrets stand in clear; take them out and set them encrypted:\n{lines}")
        last = stackfile.read(self.working) if self.working.exists() else {}
        images = self.images if self.images is not None else (last.get("config") or {}).get(OVERLAY) or {}
        overlay = {"hub": {"local": {"files": str(self.files)}}, **({"images": dict(images)} if images else {})}
        made = stackfile.compose(user, last, overlay)
        stackfile.write(self.working, made)
        config: dict[str, Any] = made["config"]
        return config

    def docker(self) -> str:
        """Where the hub's Docker Engine is."""
        hub = self._config().get("fleetwatch:hub") or {}
        return str((hub.get("local") or {}).get("docker") or "unix:///var/run/docker.sock")

    def prefix(self) -> str:
        """The beginning of all Docker names."""
        return str(self._config().get("fleetwatch:prefix") or "fleetwatch")

    def _config(self) -> dict[str, Any]:
        source = self.working if self.working.exists() else self.file
        return stackfile.read(source).get("config") or {}

    def select(self) -> None:
        """Make the stack if there is none, and clear what an interrupted run left."""
        engine_state.clear_dead_lock(self.backend, self.name)
        if not self.exists():
            # The engine writes the new stack's salt into the file of the project that it is asked from.
            (self.home / "Pulumi.yaml").write_text("name: fleetwatch\nruntime: python\n")
            self._quiet(["pulumi", "-C", str(self.home), "stack", "init", self.name, *_INIT])
        engine_state.clear_half_made(self.name, self.prefix(), self.docker(), ["pulumi", "-C", str(CHECKOUT)], self.env)

    def exists(self) -> bool:
        """Whether the state knows the stack."""
        return (self.backend / ".pulumi" / "stacks" / "fleetwatch" / f"{self.name}.json").exists()

    def run(self, *words: str) -> int:
        """An engine command whose output the user sees; its exit code."""
        return _streamed(self._argv(words), self.env)

    def quiet(self, *words: str, stdin: str | None = None) -> str:
        """An engine command whose output is wanted; ToolError with the engine's words if it fails."""
        return self._quiet(self._argv(words), stdin)

    def _quiet(self, argv: Sequence[str], stdin: str | None = None) -> str:
        done = subprocess.run(argv, env=dict(self.env), input=stdin, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ToolError(explain(done.stderr.strip() or done.stdout.strip()))
        return done.stdout

    def _argv(self, words: Sequence[str]) -> list[str]:
        config = ["--config-file", str(self.working)] if words[0] in _WITH_FILE else []
        return ["pulumi", "-C", str(CHECKOUT), *words, "--non-interactive", "--stack", self.name, *config]

    def outputs(self, secrets: bool = False) -> dict[str, Any]:
        """The stack's outputs; ToolError when it was never brought up."""
        if not self.exists():
            raise ToolError(f"There is no stack {self.name} on this machine yet; `make up` makes it.")
        shown = ["--show-secrets"] if secrets else []
        found: dict[str, Any] = json.loads(self.quiet("stack", "output", "--json", *shown))
        if "query" not in found:
            raise ToolError(f"The stack {self.name} is not up; `make up` brings it up.")
        return found


# Said by the engine of every plugin on PATH; which plugins are used is told once, in our own words.
_NOISE = re.compile(
    r"warning: using pulumi-(resource|language)-\S+ from \$PATH"
    r"|^If you want to remove the stack comp|^The resources in the stack have been deleted, but"
)


def _streamed(argv: Sequence[str], env: Mapping[str, str]) -> int:
    """Run with the output shown line by line, without its noise.

    The first Ctrl-C asks the engine to end in order, the second to end at once. It has a session of its own, so that
    each of them reaches it once.
    """
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    interrupted = False
    with subprocess.Popen(argv, env=dict(env), text=True, start_new_session=True, **pipes) as engine:  # type: ignore[call-overload]
        while True:
            try:
                for line in engine.stdout:
                    if not _NOISE.search(line):
                        print(line, end="", flush=True)
                code = int(engine.wait())
                break
            except KeyboardInterrupt:
                if not interrupted:
                    say("Interrupted: the engine finishes what it is doing; Ctrl-C again ends it at once.")
                interrupted = True
                engine.send_signal(signal.SIGINT)
    if interrupted:
        raise KeyboardInterrupt
    return code


def explain(said: str) -> str:
    """The engine's words, with the way out where it is known."""
    if "incorrect passphrase" in said:
        return (
            "The passphrase is not the one that this stack's secrets were encrypted with. It is kept in the file "
            "`passphrase` of the stack's state; if PULUMI_CONFIG_PASSPHRASE is set, unset it and try again."
        )
    return f"The engine says: {said}"


def up(stack: Stack) -> int:
    """Bring the stack up, wait for data, print the table. Exit code 0 only if everything arrived."""
    stack.prepare()
    stack.select()
    say("\nBringing the stack up (pulumi up)")
    code = stack.run("up", "--yes", "--skip-preview", "--suppress-outputs")
    if code:
        raise ToolError("pulumi up did not end well; what it says stands above. `make up` again continues from there.")
    return 0 if wait_for_data(stack) else 1


def wait_for_data(stack: Stack, patience: float = 60.0) -> bool:
    """Show the table once everything expected has arrived, or after `patience` seconds with what is missing."""
    outputs = stack.outputs()
    status.wait(outputs, patience)
    return status.show(outputs, stack.docker(), stack.prefix())


def more_images(file: Path) -> list[str]:
    """Image keys that this stack file needs besides the usual ones."""
    hosts = (stackfile.read(file).get("config") or {}).get("fleetwatch:hosts") or {}
    agents = [((host or {}).get("logs") or {}).get("agent") for host in hosts.values() if isinstance(host or {}, dict)]
    return ["alloy"] if "alloy" in agents else []


def engine_command(stack: Stack, words: Sequence[str]) -> int:
    """Any command of the Pulumi CLI for this stack, such as `preview --diff` or `stack output`."""
    if not words:
        raise ToolError('Which command? For example: make pulumi ARGS="preview --diff"')
    stack.prepare()
    stack.select()
    return stack.run(*words)


def secret(stack: Stack, key: str) -> None:
    """Ask for a secret without echo (or read it from stdin) and put it encrypted into the working copy."""
    stack.prepare(check=False)
    stack.select()
    value = getpass.getpass(f"{key}: ") if sys.stdin.isatty() else sys.stdin.read().rstrip("\n")
    if not value:
        raise ToolError(f"{key}: expected a text, got nothing; nothing was changed.")
    stack.quiet("config", "set", "--secret", "--path", f"fleetwatch:{key}", stdin=value)
    say(f"{key} is set. `make up` brings it to work.")


def down(stack: Stack, yes: bool) -> int:
    """Remove all containers, networks and files; the data after a question."""
    prefix, docker = stack.prefix(), stack.docker()
    volumes = _docker(docker, "volume", "ls", "-q", "--filter", f"label=fleetwatch.stack={prefix}").split()
    with_data = yes or (bool(volumes) and _ask_for_data(volumes))
    if stack.exists():
        stack.select()
        # Passwords stay with the data: Grafana keeps its own copy of the admin's in there.
        keep = [] if with_data or not volumes else ["--exclude", "**randomPassword:RandomPassword::*"]
        if stack.run("destroy", "--yes", "--skip-preview", "--suppress-outputs", *keep):
            raise ToolError("pulumi destroy did not end well; what it says stands above. `make down` again continues.")
    _remove_left_over(docker, prefix)
    if with_data:
        for volume in volumes:
            _docker(docker, "volume", "rm", volume)
        shutil.rmtree(stack.home, ignore_errors=True)
        with contextlib.suppress(OSError):
            stack.home.parent.rmdir()  # only if nothing else is in it
        say(f"Removed, with {len(volumes)} volume(s) of data.")
    else:
        say(
            f"Removed. {len(volumes)} volume(s) of data and their passwords are kept; `make down YES=1` removes them too."
        )
    return 0


def _ask_for_data(volumes: Sequence[str]) -> bool:
    if not sys.stdin.isatty():
        return False
    answer = input(f"Remove the data as well ({', '.join(volumes)})? [y/N] ")
    return answer.strip().lower() in ("y", "yes")


def _remove_left_over(docker: str, prefix: str) -> None:
    """What carries this stack's label and is in no state any more, as after a lost state."""
    for container in _docker(docker, "ps", "-aq", "--filter", f"label=fleetwatch.stack={prefix}").split():
        _docker(docker, "rm", "--force", container)
    for network in _docker(docker, "network", "ls", "-q", "--filter", f"label=fleetwatch.stack={prefix}").split():
        _docker(docker, "network", "rm", network)


def _docker(docker: str, *words: str) -> str:
    done = subprocess.run(["docker", "-H", docker, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError(f"docker {words[0]}: {done.stderr.strip()}")
    return done.stdout
