"""Pulumi's state of a stack, and the operations that an interrupted run left pending.

A resource that was being created when a run was stopped may or may not exist,
and Pulumi does not know it. Its Docker object is removed (only if it carries this stack's label), so that the next run
can create one of the same name.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools import state_files
from tools.errors import ToolError
from tools.orphans import DROPLET
from tools.processes import try_output
from tools.progress import say
from tools.remote_access import with_arguments

# A command runs again and continues what it began; a password is made in the state alone.
_REPEATED = ("command:", "random:")
PATIENCE = 30  # seconds until a hub that does not answer counts as unknown

_OF_HOST = ("Host", "Hub", "Edge")  # components; each has its host's name
_ON_MACHINE = ("command:", "docker:", "pulumi:providers:docker")
_DOCKER_KINDS = {
    "docker:index/container:Container": "container",
    "docker:index/network:Network": "network",
}


def export(stack: str, pulumi: list[str], env: Mapping[str, str]) -> dict[str, Any]:
    """The state as Pulumi keeps it, secrets encrypted; empty when there is none yet."""
    done = subprocess.run([*pulumi, "stack", "export", "--stack", stack], capture_output=True, text=True, env=env)
    found: dict[str, Any] = {} if done.returncode else json.loads(done.stdout)
    return found


def read(folder: Path, stack: str) -> dict[str, Any] | None:
    """The same, from a backend that is a folder, as `export` gives it; None if the file is not of the known form."""
    place = folder / ".pulumi" / "stacks" / "fleetwatch" / f"{stack}.json"
    try:
        kept = state_files.content(place if place.exists() else place.with_suffix(".json.gz"))
        return {"version": kept["version"], "deployment": kept["checkpoint"].get("latest") or {}}
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return None


def resources(state: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The resources of a state; none of one that is empty."""
    return (state.get("deployment") or {}).get("resources") or []


def on_machine(state: Mapping[str, Any], host: str) -> frozenset[str]:
    """URNs of what is on a host's machine: below one of its components, without passwords and what the cloud has."""
    found = resources(state)
    parents = {one["urn"]: one.get("parent", "") for one in found}
    roots = tuple(f"::fleetwatch:index:{part}::{host}" for part in _OF_HOST)

    def belongs(urn: str) -> bool:
        return bool(urn) and (urn.endswith(roots) or belongs(parents.get(urn, "")))

    return frozenset(one["urn"] for one in found if one["type"].startswith(_ON_MACHINE) and belongs(one["urn"]))


def pending(state: Mapping[str, Any]) -> list[Any]:
    """The operations that an interrupted run did not finish."""
    return list((state.get("deployment") or {}).get("pending_operations") or [])


def outputs(state: Mapping[str, Any]) -> dict[str, Any]:
    """The stack's outputs; of a secret one its encrypted form, if the state has that."""
    for resource in resources(state):
        if resource.get("type") == "pulumi:pulumi:Stack":
            found: dict[str, Any] = resource.get("outputs") or {}
            return {key: _clear(value) for key, value in found.items()}
    return {}


def _clear(value: Any) -> Any:
    """A secret of a state that was exported with its secrets in clear."""
    return json.loads(value["plaintext"]) if isinstance(value, dict) and "plaintext" in value else value


def stopped(state: Mapping[str, Any], docker: Sequence[str], host: str = "") -> dict[str, str]:
    """The hub's containers in the state that do not run any more, their names by URN: removed, stopped, or their Docker
    Engine is. `docker`: the command line that runs docker on the hub, or on its node `host`; nothing is known of one
    that does not answer."""
    made = [
        resource
        for resource in resources(state)
        if resource.get("type") == "docker:index/container:Container"
        and not resource.get("delete")
        and (not host or _host_of(resource) == host)
    ]
    if not made:
        return {}
    listed = try_output(with_arguments(docker, ["ps", "-q", "--no-trunc"]), timeout=PATIENCE)
    if listed is None:
        return {}
    running = set(listed.split())
    return {
        str(resource["urn"]): str((resource.get("outputs") or {}).get("name"))
        for resource in made
        if str(resource.get("id")) not in running
    }


def _host_of(resource: Mapping[str, Any]) -> str:
    labels = (resource.get("inputs") or {}).get("labels") or []
    return next((str(one.get("value")) for one in labels if one.get("label") == "fleetwatch.host"), "")


@dataclass(frozen=True)
class LocalDocker:
    """The Docker Engine of a hub on this machine, and the stack's prefix: the value of its label."""

    address: str
    prefix: str


def clear_pending(
    state: dict[str, Any], stack: str, docker: LocalDocker | None, pulumi: list[str], env: Mapping[str, str]
) -> None:
    """Remove the Docker objects that an interrupted run was creating, and the pending operations. `docker` None: only
    the operations, and objects that may exist elsewhere are named. orphans.py has looked for droplets before."""
    unfinished = pending(state)
    if not unfinished:
        return
    known = {r.get("outputs", {}).get("id") for r in resources(state)}
    for operation in unfinished:
        resource = operation.get("resource") or {}
        kind, name = _DOCKER_KINDS.get(resource.get("type", "")), (resource.get("inputs") or {}).get("name")
        if operation.get("type") == "creating" and kind and name and docker:
            _remove_unknown(docker, kind, name, known)
        elif operation.get("type") == "creating" and resource.get("custom") and not _repeated(resource["type"]):
            unknown = resource["urn"].rpartition("::")[2]
            say(f"{unknown} may or may not exist; if the next run reports that it exists already, remove it.")
    say(f"An earlier run was interrupted; {len(unfinished)} unfinished operation(s) start again.")
    state["deployment"]["pending_operations"] = []
    imported = [*pulumi, "stack", "import", "--stack", stack]
    done = subprocess.run(imported, input=json.dumps(state), text=True, env=env, capture_output=True)
    if done.returncode:
        raise ToolError(
            f"The pending operations in the state of stack {stack} cannot be cleared: {done.stderr.strip()}"
        )


def _repeated(kind: str) -> bool:
    """Whether creating a resource of this type again is harmless. The account has been looked at for droplets."""
    return kind == DROPLET or kind.startswith(_REPEATED)


def clear_checks(docker: str, prefix: str) -> None:
    """Remove the containers of interrupted configuration checks; no other run of this stack is active now."""
    labels = [f"label=fleetwatch.stack={prefix}", "label=fleetwatch.role=check"]
    filters = [argument for label in labels for argument in ("--filter", label)]
    left = subprocess.run(
        ["docker", "-H", docker, "ps", "-aq", *filters], capture_output=True, text=True
    ).stdout.split()
    if left:
        subprocess.run(["docker", "-H", docker, "rm", "--force", "--volumes", *left], capture_output=True, check=False)


def _remove_unknown(docker: LocalDocker, kind: str, name: str, known: set[str]) -> None:
    label = (
        '{{index .Config.Labels "fleetwatch.stack"}}' if kind == "container" else '{{index .Labels "fleetwatch.stack"}}'
    )
    base = ["docker", "-H", docker.address, kind]
    done = subprocess.run([*base, "inspect", "-f", "{{.Id}} " + label, name], capture_output=True, text=True)
    fields = done.stdout.split()
    if done.returncode == 0 and len(fields) == 2 and fields[1] == docker.prefix and fields[0] not in known:
        force = ["--force", "--volumes"] if kind == "container" else []  # anonymous volumes only
        subprocess.run([*base, "rm", *force, fields[0]], capture_output=True, check=False)
