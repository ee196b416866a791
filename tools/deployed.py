"""The commands in a stack's state that deployed something to a host, run once more exactly as the engine ran them.

`make drift` runs those that can compare (components/host.py marks them) with ACTION=drift, `make up` repairs with
ACTION=repair. The state is read with its secrets in clear, which stay in memory: they go to a command's stdin, as in an
update, and no message contains one.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from configs.deploy import COMPARES
from tools import pulumi_state
from tools.comment.model import SECRET_SIGNATURE, SIGNATURE
from tools.errors import ToolError

COMMAND = "command:local:Command"
LIMIT = 120  # seconds for one comparison; a busy host of one core takes one of them
AT_ONCE = 20  # hosts
NO_CONNECTION = 255  # the exit code of ssh, which configs/deploy/on_host.sh keeps

T = TypeVar("T")


@dataclass(frozen=True)
class Command:
    """One command of the state. `environment` and `stdin` may hold secrets: neither is part of its representation."""

    name: str
    host: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    stdin: str = field(repr=False)


@dataclass(frozen=True)
class Answer:
    """How a command ended. `code` None: not within its time limit. `warnings`: what it reports without failing."""

    code: int | None
    lines: tuple[str, ...]
    reason: str
    warnings: tuple[str, ...] = ()

    @property
    def reached(self) -> bool:
        """Whether the host was: what failed there may be repaired."""
        return self.code not in (None, NO_CONNECTION)


def marked(state: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The resources of the state whose command can compare, with their hosts. None of a host that is abandoned, which
    is not contacted. Reads no secret."""
    for resource in _commands(state):
        host = _environment(resource).get(COMPARES)
        if isinstance(host, str) and not resource.get("retainOnDelete"):
            yield host, resource


def comparing(state: Mapping[str, Any]) -> dict[str, list[Command]]:
    """By host, in the order of the state: the commands that can compare what they deployed with what is there."""
    found: dict[str, list[Command]] = {}
    for host, resource in marked(state):
        found.setdefault(host, []).append(_command(resource, host))
    return found


def readiness(state: Mapping[str, Any], host: str) -> Command | None:
    """The command that makes a host ready: Docker, and the folder that files go into."""
    for resource in _commands(state):
        if resource["urn"].endswith(f"::{host}-ready"):
            return _command(resource, host)
    return None


def run(command: Command, action: str, env: Mapping[str, str], limit: float = LIMIT) -> Answer:
    """Run a command with ACTION=`action`. What it started ends with its time limit too."""
    if _RUNNING.stopped:
        return Answer(None, (), "interrupted")
    whole = {**env, **command.environment, "ACTION": action}
    try:
        process = subprocess.Popen(
            command.argv,
            env=whole,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        return Answer(NO_CONNECTION, (), f"{command.argv[0]}: {error.strerror}")
    with process, _RUNNING.holding(process):
        try:
            out, err = process.communicate(command.stdin, timeout=limit)
        except subprocess.TimeoutExpired:
            _end(process)
            return Answer(None, (), f"no answer within {limit:.0f} s")
    warnings = tuple(line for line in err.splitlines() if ": warning: " in line)
    return Answer(process.returncode, tuple(out.splitlines()), _reason(command.host, err, process.returncode), warnings)


def each(hosts: Iterable[str], work: Callable[[str], T], done: Callable[[str, T], None] | None = None) -> dict[str, T]:
    """The result of `work` for every host, many at once; `done` hears of each as it ends. An interruption ends all."""
    names = list(hosts)
    found: dict[str, T] = {}
    lock = threading.Lock()

    def one(host: str) -> None:
        result = work(host)
        with lock:
            found[host] = result
            if done is not None:
                done(host, result)

    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        for future in [pool.submit(one, host) for host in names]:
            future.result()
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        stop()
        raise
    pool.shutdown()
    return {host: found[host] for host in names}


def stop() -> None:
    """After an interruption: end every command that runs, and begin no other."""
    _RUNNING.stop()


def plain(value: Any) -> Any:
    """A value of the state as the engine gave it to the provider."""
    if isinstance(value, Mapping):
        if value.get(SIGNATURE) == SECRET_SIGNATURE:
            if "plaintext" not in value:
                raise ToolError("the state was read without its secrets")  # a mistake of the caller
            return plain(json.loads(value["plaintext"]))
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


def _commands(state: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for resource in pulumi_state.resources(state):
        if resource.get("type") == COMMAND and not resource.get("delete"):
            yield resource


def _environment(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    return (resource.get("inputs") or {}).get("environment") or {}


def _command(resource: Mapping[str, Any], host: str) -> Command:
    inputs = plain(resource["inputs"])
    return Command(
        name=str(resource["urn"]).rpartition("::")[2],
        host=host,
        argv=(*(inputs.get("interpreter") or ["/bin/sh", "-c"]), str(inputs["create"])),
        environment={str(key): str(value) for key, value in (inputs.get("environment") or {}).items()},
        stdin=str(inputs.get("stdin") or ""),
    )


def _reason(host: str, stderr: str, code: int) -> str:
    """The sentence that the command ended with, without the host that stands before it anyway."""
    lines: Sequence[str] = [line for line in stderr.splitlines() if line.strip()]
    text = lines[-1].strip().removeprefix(f"host {host}: ") if lines else ""
    return text or (f"the command ended with exit code {code}" if code else "")


class _Running:
    """The processes that run now, so that an interruption ends them."""

    def __init__(self) -> None:
        self._processes: set[subprocess.Popen[str]] = set()
        self.stopped = False

    @contextlib.contextmanager
    def holding(self, process: subprocess.Popen[str]) -> Iterator[None]:
        self._processes.add(process)
        try:
            yield
        finally:
            self._processes.discard(process)

    def stop(self) -> None:
        self.stopped = True
        for process in list(self._processes):
            _end(process)


_RUNNING = _Running()


def _end(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
