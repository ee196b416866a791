"""`make rebuild` of a server that is gone: what the state has on it is dropped, and made on the one in its place.

The engine would run what removes it on the old machine, which does not answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from configs.settings.places import Server
from tools import pulumi_state, remote_access
from tools.errors import ToolError
from tools.processes import try_output
from tools.progress import say
from tools.stack import Stack

PATIENCE = 30  # seconds


def require_gone(stack: Stack, host: str, server: Server) -> None:
    """ToolError unless the stack file has another address for the host, and its old machine does not answer. A host
    that was moved already passes."""
    was = address(stack.state, host)
    if was is None:
        return
    if was.rpartition("@")[2] == f"{server.address}:{server.port}":
        raise ToolError(
            f"host {host}: expected the address of another machine in the stack file, {server.address} is the one that "
            f"it has. `make up` makes what is missing on it; if it is a new system, `make accept-key HOST={host}` first"
        )
    outputs = pulumi_state.outputs(stack.state)
    known = outputs.get("hosts", {}).get(host, {})
    if "ssh" in known and try_output(remote_access.command_on(outputs, host, ["true"]), timeout=PATIENCE) is not None:
        raise ToolError(
            f"host {host}: its old machine ({known['address']}) still answers, and would go on under the same name. "
            f"Switch it off, then run `make rebuild HOST={host}` again"
        )


def drop(stack: Stack, host: str) -> None:
    """Remove what is on the old machine from the state."""
    gone = pulumi_state.on_machine(stack.state, host)
    say(f"{len(gone)} resources on the machine that is gone leave the state; nothing of it is contacted.")
    exported = json.loads(stack.quiet("stack", "export"))
    stack.quiet("stack", "import", stdin=json.dumps(without(exported, gone)))
    stack.state = stack.read_state()


def address(state: Mapping[str, Any], host: str) -> str | None:
    """Where the host was contacted, `ssh://user@address:port`; None if the state has it nowhere."""
    for one in pulumi_state.resources(state):
        if one["urn"].endswith(f":Host$command:local:Command::{host}-contact"):
            return str(one["inputs"]["triggers"][0])
    return None


def without(state: Mapping[str, Any], gone: frozenset[str]) -> dict[str, Any]:
    """The state without these resources, and without what refers to them."""
    deployment = state["deployment"]
    left = [_apart(one, gone) for one in pulumi_state.resources(state) if one["urn"] not in gone]
    return {**state, "deployment": {**deployment, "resources": left}}


def _apart(resource: Mapping[str, Any], gone: frozenset[str]) -> dict[str, Any]:
    found = dict(resource)
    if "dependencies" in found:
        found["dependencies"] = [urn for urn in found["dependencies"] if urn not in gone]
    if "propertyDependencies" in found:
        of = found["propertyDependencies"]
        found["propertyDependencies"] = {
            key: [urn for urn in urns or () if urn not in gone] for key, urns in of.items()
        }
    return found
