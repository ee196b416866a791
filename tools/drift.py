"""`make drift`: compares what runs on every host, and in the cloud, with what was deployed. Changes nothing.

Each edge and the hub's files answer by the command that deployed them (deployed.py); the hub's containers, networks and
volumes and the cloud by a preview that refreshes first. Exit codes: 0, nothing differs; 1, something does; 2,
something could not be compared, such as a host that does not answer.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tools import agent_targets, deployed, nodes, pulumi_state
from tools.cli import Commands
from tools.comment import changes
from tools.comment.model import HostDrift, Record
from tools.errors import ToolError, sentence
from tools.progress import say
from tools.stack import Stack
from tools.stack_factory import open_stack
from tools.unknown_name import unknown

CLEAN, FOUND, UNKNOWN = 0, 1, 2
ENGINE = "hub and cloud"  # what the engine compares
_WORDS = {"added": "missing", "removed": "not in the stack file", "changed": "changed", "replaced": "changed"}
Progress = Callable[[str, HostDrift], None]


def register(commands: Commands) -> None:
    parser = commands.add("drift", _drift, "what differs on the hosts and in the cloud from what was deployed")
    parser.add_argument("--host", default="", help="compare this host alone")


def _drift(options: argparse.Namespace) -> int:
    try:
        return report(open_stack(options), options.host)
    except (ToolError, OSError) as problem:  # 1 is for drift
        print(f"fleetwatch: {sentence(problem)}", file=sys.stderr)
        return UNKNOWN


def report(stack: Stack, host: str = "") -> int:
    """Compare, show every difference by host, and the exit code."""
    stack.prepare()
    stack.select(repair=False)
    state = stack.export_clear()
    hosts = deployed.comparing(state)
    if not hosts:
        raise ToolError(f"The stack {stack.name} is not up; `make up STACK={stack.name}` brings it up.")
    if host and host not in hosts:
        raise unknown("HOST", host, "a host that is up", hosts)
    chosen = [host] if host else sorted(hosts)
    say(f"Comparing {len(chosen)} host(s){'' if host else ', the hub and the cloud'} with what was deployed")
    start = time.monotonic()

    def shown(name: str, found: HostDrift) -> None:
        say(f"  {name}: {_outcome(found)} ({time.monotonic() - start:.1f} s)")

    found = everything(stack, state, chosen, engine=not host, progress=shown)
    show(found, stack.name)
    return code(found)


def code(found: Sequence[HostDrift]) -> int:
    """The exit code."""
    if any(one.reason for one in found):
        return UNKNOWN
    return FOUND if any(one.lines for one in found) else CLEAN


def everything(
    stack: Stack, state: Mapping[str, Any], hosts: Sequence[str], *, engine: bool, progress: Progress
) -> list[HostDrift]:
    """The hosts, and with `engine` the hub's docker resources and the cloud: all at once."""
    of_engine: list[HostDrift] = []

    def refresh() -> None:
        of_engine.append(_of_engine(lambda: stack.planned("--refresh")))
        progress(ENGINE, of_engine[0])

    thread = threading.Thread(target=refresh, daemon=True)
    if engine:
        thread.start()
    found = ask(state, hosts, stack.env, progress)
    if engine:
        thread.join()
    if any(one.reason for one in of_engine):
        found = [_with_stopped(stack, state, one) for one in found]
    return [*of_engine, *found]


def _with_stopped(stack: Stack, state: Mapping[str, Any], found: HostDrift) -> HostDrift:
    """With the containers that do not run on this node of a cluster: while another node does not answer, the engine
    compares none."""
    outputs = pulumi_state.outputs(state)
    if found.host not in nodes.of(outputs) or not found.reached:
        return found
    docker = agent_targets.docker_on(stack, outputs)(found.host)
    stopped = pulumi_state.stopped(state, docker, found.host)
    lines = [f"container {name}: does not run" for name in sorted(stopped.values())]
    return replace(found, lines=(*found.lines, *lines))


def of_stack(stack: Stack) -> list[HostDrift]:
    """What differs on the hosts of a stack that was selected."""
    state = stack.export_clear()
    return ask(state, sorted(deployed.comparing(state)), stack.env)


def ask(
    state: Mapping[str, Any], hosts: Sequence[str], env: Mapping[str, str], progress: Progress | None = None
) -> list[HostDrift]:
    """What differs on these hosts, in their order. One that does not answer delays the others by nothing."""
    commands = deployed.comparing(state)
    return list(deployed.each(hosts, lambda host: _compare(host, commands[host], env), progress).values())


def _compare(host: str, commands: Sequence[deployed.Command], env: Mapping[str, str]) -> HostDrift:
    lines: list[str] = []
    reason = ""
    for command in commands:
        answer = deployed.run(command, "drift", env)
        lines += answer.lines if answer.code == 0 else ()
        if not answer.reached:
            return HostDrift(host, tuple(lines), answer.reason, reached=False)
        reason = reason or (answer.reason if answer.code else "")
    return HostDrift(host, tuple(lines), reason)


def _of_engine(plan: Callable[[], Mapping[str, Any]]) -> HostDrift:
    """What the engine finds in the hub's Docker and at DigitalOcean."""
    try:
        return HostDrift(ENGINE, tuple(engine_lines(plan())))
    except ToolError as problem:
        return HostDrift(ENGINE, (), str(problem).removeprefix("Pulumi failed: "), reached=False)


def engine_lines(plan: Mapping[str, Any]) -> list[str]:
    """What a refreshed preview would change, a line each. Commands are not compared by a refresh: one that would run
    follows from another change, or from one of the stack file that was not deployed."""
    planned = changes.planned_changes(Record("", steps=tuple(plan.get("steps") or ())))
    things = [change for change in planned if change.type != deployed.COMMAND]
    if things:
        return [f"{one.kind} {one.name}: {_WORDS[one.action]}{_properties(one.why)}" for one in things]
    return [f"{one.name}: the stack file was changed and not deployed{_properties(one.why)}" for one in planned]


def _properties(why: Sequence[str]) -> str:
    return f" ({', '.join(sorted(set(why)))})" if why else ""


def _outcome(found: HostDrift) -> str:
    if found.reason:
        return f"not compared: {found.reason.splitlines()[0]}"
    return f"{len(found.lines)} difference(s)" if found.lines else "as deployed"


def show(found: Sequence[HostDrift], stack: str) -> None:
    """Every difference by host, then what to do."""
    for one in found:
        if one.lines or one.reason:
            say(f"\n{one.host}")
        for line in one.lines:
            say(f"  {line}")
        if one.reason:
            say(f"  NOT COMPARED: {one.reason}")
    drifted, dumb = [one.host for one in found if one.lines], [one.host for one in found if one.reason]
    say("")
    if not drifted and not dumb:
        say("Nothing differs from what was deployed.")
    if drifted:
        say(f"`make up STACK={stack}` puts back what differs ({', '.join(drifted)}).")
    if dumb:
        say(f"Not compared: {', '.join(dumb)}; the reasons are above.")
