"""What `make up` does about drift: the hosts are compared while the engine runs, and afterwards put right.

The engine does not compare what its commands deployed: for a removed file or container it has nothing to do. A host's
commands are then run again, by what the state holds after the update. A host that does not answer is named and stops
nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from tools import deployed, drift, nodes, pulumi_state
from tools.comment.model import HostDrift
from tools.errors import ToolError
from tools.progress import say, step
from tools.stack import Stack

LIMIT = 900  # seconds for one command that deploys: it may pull images


class Comparison:
    """The hosts in the state of a stack before an update, compared in the background. Nothing before the first one."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.marks = marks(stack.state)
        self._found: list[HostDrift] = []
        self._problem: ToolError | None = None
        self._thread = threading.Thread(target=self._compare, daemon=True)
        if self.marks:
            self._thread.start()

    def __enter__(self) -> Comparison:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            deployed.stop()

    def _compare(self) -> None:
        try:
            state = self._stack.export_clear()
            self._found = drift.ask(state, list(deployed.comparing(state)), self._stack.env)
        except ToolError as problem:
            self._problem = problem

    def found(self) -> list[HostDrift]:
        """What differed on each host, once all have answered."""
        if self.marks:
            self._thread.join()
        if self._problem is not None:
            say(f"The hosts could not be compared with what was deployed: {self._problem}")
        return self._found


def marks(state: Mapping[str, Any]) -> dict[str, list[str]]:
    """By host, when each of its commands that compare last ran. Works without the state's secrets."""
    found: dict[str, list[str]] = {}
    for host, resource in deployed.marked(state):
        found.setdefault(host, []).append(f"{resource['urn']} {resource.get('modified') or resource.get('created')}")
    return found


def repair(stack: Stack, comparison: Comparison, unreachable: Collection[str] = ()) -> list[str]:
    """Put right what differed; the hosts where that failed, with the reason. To be called after the engine ran.
    `unreachable`: the hosts that the engine's output reports as such, which are not reported again."""
    found = comparison.found()
    for one in found:
        if not one.reached and one.host not in unreachable:
            say(f"host {one.host}: not compared with what was deployed: {one.reason}")
    different = {one.host: one for one in found if one.reached and (one.lines or one.reason)}
    if not different:
        return []
    now = marks(stack.read_state())
    for host in [host for host in different if host in now and now[host] == comparison.marks.get(host)]:
        say(f"host {host}: differs from what was deployed, putting it right:")
        for line in different[host].lines or (different[host].reason,):
            say(f"  {line}")
    there = [host for host in different if host in now]
    if not there:
        return []
    with step(f"Repairing {', '.join(there)}"):
        state, ring = stack.export_clear(), nodes.of(pulumi_state.outputs(stack.state))

        def put_right(host: str) -> str:
            return _of_ring(stack, host) or _repair(state, different[host], stack.env)

        failed = deployed.each([host for host in there if host not in ring], put_right)
        for host in ring:  # one after the other
            failed |= deployed.each([host], put_right) if host in there else {}
    return [f"host {host}: {reason}" for host, reason in failed.items() if reason]


def _of_ring(stack: Stack, host: str) -> str:
    """Why a node of a cluster may not be touched now, or nothing: what puts it right may restart its programs."""
    outputs = pulumi_state.outputs(stack.state)
    settings = stack.settings() if host in nodes.of(outputs) else None
    try:
        if settings is not None:
            nodes.require_others(settings, outputs, host, nodes.SETTLES)
    except ToolError as problem:
        return str(problem).removeprefix(f"host {host}: ")
    return ""


def _repair(state: Mapping[str, Any], found: HostDrift, env: Mapping[str, str]) -> str:
    """The reason why it failed, or nothing."""
    ready = deployed.readiness(state, found.host)
    first = [ready] if ready is not None and _unready(found) else []
    for command in [*first, *deployed.comparing(state).get(found.host, [])]:
        answer = deployed.run(command, "repair", env, LIMIT)
        for line in answer.warnings:
            say(line)
        if answer.code != 0:
            return answer.reason
    return ""


def _unready(found: HostDrift) -> bool:
    """Whether the host lacks what its readiness step makes: a folder, or a Docker that answers."""
    return bool(found.reason) or any(line.startswith("folder ") for line in found.lines)


def failures(problems: Sequence[str]) -> str:
    """The message about hosts that could not be put right."""
    lines = "\n".join(f"  - {problem}" for problem in problems)
    return f"Differences from what was deployed could not be put right:\n{lines}"
