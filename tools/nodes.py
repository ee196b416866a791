"""The nodes of a cluster: what each knows of the rings, whether one may be changed, and which is changed first.

Of a hub on one host there are none, and every function here does nothing.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from configs import names
from configs.deploy import numbered, on_stdin, script
from configs.deployment import FIRST_NODE, gone, ring_view
from configs.settings import Settings
from tools import agent_targets, pulumi_state, remote_access
from tools.errors import ToolError
from tools.progress import say
from tools.stack import Stack
from tools.times import moment

PATIENCE = 60  # seconds for one node
SETTLES = 120  # seconds until a node whose programs were restarted is in the rings again
PROGRAMS = {"receive": "Thanos Receive", "loki": "Loki", "alertmanager": "Alertmanager"}


@dataclass(frozen=True)
class View:
    """What one node knows. `away`: why it does not answer. `made`: the hub is on it. `ready`: its programs that take
    requests; `sees`: by program, the nodes that it counts as members."""

    host: str
    node: str
    away: str = ""
    made: bool = False
    ready: frozenset[str] = frozenset()
    sees: Mapping[str, frozenset[str]] | None = None

    def state(self, program: str) -> str:
        """For a table: `ready`, and how many nodes it sees."""
        if self.away:
            return "does not answer"
        if program not in self.ready:
            return "not ready"
        return "ready" if program == "receive" else f"ready, sees {len((self.sees or {}).get(program, ()))}"


def of(outputs: Mapping[str, Any]) -> dict[str, str]:
    """The nodes of a stack that is up, by host; none of a hub on one host."""
    return {host: outputs["nodes"][host] for host in remote_access.hub_hosts(outputs)} if outputs.get("nodes") else {}


def docker(stack: Stack, outputs: Mapping[str, Any]) -> Sequence[str]:
    """The command line that runs docker on the hub: of a cluster, on the first node that answers."""
    found = agent_targets.docker_on(stack, outputs)
    if not of(outputs):
        return found("hub")
    for host in of(outputs):
        argv = remote_access.with_arguments(found(host), ["version", "--format", "{{.Server.Version}}"])
        if _output(argv, "")[0] == 0:
            return found(host)
    raise ToolError(f"None of the hub's nodes answers: {', '.join(of(outputs))}. `make status` shows the reasons.")


def views(settings: Settings, outputs: Mapping[str, Any]) -> list[View]:
    """What every node knows, all queried at once; none of a hub on one host."""

    def view(host: str, node: str) -> View:
        text = ring_view(settings, base(settings, host))
        code, told = _output(remote_access.command_on(outputs, host, ["sh"]), text)
        return parsed(host, node, told) if code == 0 else View(host, node, away=told)

    found = of(outputs)
    with ThreadPoolExecutor(max(1, len(found))) as pool:
        return list(pool.map(view, found.keys(), found.values()))


def parsed(host: str, node: str, told: str) -> View:
    """The lines of ring_view.sh."""
    words = [line.split() for line in told.splitlines() if line.strip()]
    sees = {program: {one[2] for one in words if one[:2] == ["sees", program]} for program in PROGRAMS}
    return View(
        host,
        node,
        made=["made"] in words,
        ready=frozenset(one[1] for one in words if one[0] == "ready"),
        sees={program: frozenset(seen) for program, seen in sees.items()},
    )


def problems(found: Sequence[View]) -> dict[str, list[str]]:
    """By host, sentences about what is wrong with its node; of a program that two nodes do not see, with both."""
    wrong: dict[str, list[str]] = {view.host: [] for view in found}
    for view in found:
        if view.away:
            wrong[view.host].append(f"{view.host}: the node does not answer: {view.away}")
        elif not view.made:
            wrong[view.host].append(f"{view.host}: the hub is not on it; `make up` brings it there")
        for program, name in PROGRAMS.items() if view.made else ():
            if program not in view.ready:
                wrong[view.host].append(
                    f"{view.host}: {name} takes no requests. On the host: `docker ps -a`, then `docker logs` of it"
                )
            elif program != "receive":
                seen = (view.sees or {}).get(program, frozenset())
                blind = [one.host for one in found if one.made and one.node not in seen and one is not view]
                wrong[view.host] += [
                    f"{view.host}: {name} does not see {other}: docs/runbooks/NodesApart.md" for other in blind
                ]
    return {host: sentences for host, sentences in wrong.items() if sentences}


def table(found: Sequence[View]) -> list[tuple[str, ...]]:
    """A row for each node: its host, and each program."""
    return [(view.host, *(view.state(program) for program in PROGRAMS)) for view in found]


def base(settings: Settings, host: str) -> str:
    """The folder on a node for rendered files."""
    server = settings.hosts[host].server if host in settings.hosts else None
    return f"{server.files if server is not None else names.FILES}/{settings.prefix}"


def order(stack: Stack) -> None:
    """Before an update: a broken node is changed first, because no other may be changed while it is down; else one that
    is new, which joins the rings as they are. ToolError where a droplet is to be resized while a node is broken."""
    outputs = pulumi_state.outputs(stack.state)
    settings = stack.settings() if of(outputs) else None
    if settings is None or not settings.hub.nodes:
        return
    found = [view for view in views(settings, outputs) if view.host in settings.hub.nodes]
    broken = problems(found)
    new = [host for host in settings.hub.nodes if host not in of(outputs)]
    if broken:
        # One of which the least is left: it costs the others nothing.
        left = {view.host: (len(view.ready), -len(broken.get(view.host, ()))) for view in found}
        first = min(broken, key=lambda host: left[host])
        say("\n".join(["", *(line for lines in broken.values() for line in lines), f"{first} is changed first."]))
        begin_with(stack, first)
    elif new:
        begin_with(stack, new[0])
    last = outputs.get("node_sizes") or {}
    for host in of(outputs):
        droplet = settings.hosts[host].droplet if host in settings.hosts else None
        if broken and droplet is not None and last.get(host, droplet.size) != droplet.size:
            require_others(settings, outputs, host)


def again(state: Mapping[str, Any]) -> list[str]:
    """What lets an update look at the rings once more where its last look at them was for a change that then failed:
    Pulumi would take that look for granted, although the other nodes may have failed since."""
    at = {
        str(one["urn"]).rpartition("::")[2]: (str(one["urn"]), moment(str(one["modified"])).timestamp())
        for one in pulumi_state.resources(state)
        if str(one["urn"]).endswith(("-ring-before", "-ring-after"))
    }
    failed = []
    for name, (urn, looked) in at.items():
        host, _, step = name.rpartition("-ring-")
        if step == "before" and looked > at.get(f"{host}-ring-after", ("", 0.0))[1]:
            failed.append(urn)
    return [word for urn in failed for word in ("--replace", urn)]


def begin_with(stack: Stack, host: str) -> None:
    """Let the program change this node before the others."""
    stack.env = {**stack.env, FIRST_NODE: host}


def require_others(settings: Settings, outputs: Mapping[str, Any], host: str, patience: int = 0) -> None:
    """ToolError unless the other two nodes are healthy in every ring that this one is in, within this many seconds."""
    if host not in of(outputs):
        return
    rows = numbered([{"NAME": name, "NODE": node} for name, node in of(outputs).items()])
    view = ring_view(settings, base(settings, host))
    ways = {
        f"ON_{number}": shlex.join([*outputs["hosts"][name]["ssh"], on_stdin(view)])
        for number, name in enumerate(of(outputs), 1)
    }
    text = script("ring", HOST=host, STEP="before", PATIENCE=str(patience), GONE=gone(settings), **rows)
    done = subprocess.run(
        ["sh", "-c", text],
        env={**os.environ, **ways, "VIEW": view},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ToolError((done.stderr.strip().splitlines() or ["the rings cannot be looked at"])[-1])


def _output(argv: Sequence[str], stdin: str) -> tuple[int, str]:
    """The exit code and the output; of a command that failed its last message."""
    try:
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return 255, f"no answer within {PATIENCE} s"
    if done.returncode == 0:
        return 0, done.stdout
    return done.returncode, (done.stderr.strip().splitlines() or ["ssh gives no reason"])[-1]
