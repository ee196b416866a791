"""The engine's own state: is it locked, and did an interrupted run leave something half made?

A lock whose process is gone is taken away. A resource that was being created when a run was stopped may or may not be
there, and the engine does not know it; its Docker object is removed (only if it carries this stack's label), so that
the next run creates it without stumbling over the name.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.errors import ToolError
from tools.orphans import DROPLET
from tools.progress import say

_DOCKER_KINDS = {
    "docker:index/container:Container": "container",
    "docker:index/network:Network": "network",
}


def in_use(by: str, stack: str) -> str:
    """The sentence about a lock that a living run, or one of another machine, holds."""
    return (
        f"The state of stack {stack} is in use by another run: {by}. Wait for it; if it is gone for good, "
        f"`make pulumi STACK={stack} ARGS=cancel` takes its lock away, and the next `make up` continues from there."
    )


def clear_dead_lock(backend: Path, stack: str) -> None:
    """Take away a lock whose process is gone; a living one is an error that says who and since when."""
    for lock in sorted((backend / ".pulumi" / "locks").rglob(f"fleetwatch/{stack}/*.json")):
        try:
            owner = json.loads(lock.read_text())
        except (OSError, ValueError):
            continue
        here = owner.get("hostname") == socket.gethostname()
        if not here or _alive(int(owner.get("pid", 0))):
            who = f"{owner.get('username')} on {owner.get('hostname')}"
            raise ToolError(in_use(f"{who}, process {owner.get('pid')}, since {owner.get('timestamp')}", stack))
        say(f"An earlier run (process {owner.get('pid')}, {owner.get('timestamp')}) was stopped; taking over its lock.")
        lock.unlink(missing_ok=True)


def export(stack: str, pulumi: list[str], env: Mapping[str, str]) -> dict[str, Any]:
    """The state as the engine keeps it, secrets encrypted; empty when there is none yet."""
    done = subprocess.run([*pulumi, "stack", "export", "--stack", stack], capture_output=True, text=True, env=env)
    found: dict[str, Any] = {} if done.returncode else json.loads(done.stdout)
    return found


def drifted(state: Mapping[str, Any], docker: str) -> list[str]:
    """Names of containers that the state knows and that do not run any more: removed, stopped, or with their engine."""
    resources = (state.get("deployment") or {}).get("resources") or []
    known = {
        str(resource.get("id")): str((resource.get("outputs") or {}).get("name"))
        for resource in resources
        if resource.get("type") == "docker:index/container:Container" and not resource.get("delete")
    }
    listed = subprocess.run(["docker", "-H", docker, "ps", "-q", "--no-trunc"], capture_output=True, text=True)
    running = set(listed.stdout.split()) if listed.returncode == 0 else set(known)
    return sorted(name for container, name in known.items() if container not in running)


def clear_half_made(
    state: dict[str, Any], stack: str, prefix: str, docker: str | None, pulumi: list[str], env: Mapping[str, str]
) -> None:
    """Remove what an interrupted run was about to create, and the engine's note of it. `docker` None: only the note,
    and what may be there elsewhere is named. Droplets were looked for before (orphans.py)."""
    pending = (state.get("deployment") or {}).get("pending_operations") or []
    if not pending:
        return
    known = {r.get("outputs", {}).get("id") for r in state["deployment"].get("resources") or []}
    for operation in pending:
        resource = operation.get("resource") or {}
        kind, name = _DOCKER_KINDS.get(resource.get("type", "")), (resource.get("inputs") or {}).get("name")
        if operation.get("type") == "creating" and kind and name and docker:
            _remove_unknown(docker, kind, name, prefix, known)
        elif operation.get("type") == "creating" and resource.get("custom") and resource["type"] != DROPLET:
            unknown = resource["urn"].rpartition("::")[2]
            say(f"It may or may not have made {unknown}; if the next run finds it in its way, remove it.")
    say(f"An earlier run was interrupted; {len(pending)} unfinished operation(s) are begun anew.")
    state["deployment"]["pending_operations"] = []
    imported = [*pulumi, "stack", "import", "--stack", stack]
    done = subprocess.run(imported, input=json.dumps(state), text=True, env=env, capture_output=True)
    if done.returncode:
        raise ToolError(f"The state of stack {stack} could not be put in order: {done.stderr.strip()}")


def clear_checks(docker: str, prefix: str) -> None:
    """Remove the containers of configuration checks that were cut off; nobody else's check can be under way now."""
    labels = [f"label=fleetwatch.stack={prefix}", "label=fleetwatch.role=check"]
    filters = [word for label in labels for word in ("--filter", label)]
    left = subprocess.run(
        ["docker", "-H", docker, "ps", "-aq", *filters], capture_output=True, text=True
    ).stdout.split()
    if left:
        subprocess.run(["docker", "-H", docker, "rm", "--force", "--volumes", *left], capture_output=True, check=False)


def _remove_unknown(docker: str, kind: str, name: str, prefix: str, known: set[str]) -> None:
    label = (
        '{{index .Config.Labels "fleetwatch.stack"}}' if kind == "container" else '{{index .Labels "fleetwatch.stack"}}'
    )
    base = ["docker", "-H", docker, kind]
    said = subprocess.run([*base, "inspect", "-f", "{{.Id}} " + label, name], capture_output=True, text=True)
    words = said.stdout.split()
    if said.returncode == 0 and len(words) == 2 and words[1] == prefix and words[0] not in known:
        force = ["--force", "--volumes"] if kind == "container" else []  # anonymous volumes only
        subprocess.run([*base, "rm", *force, words[0]], capture_output=True, check=False)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        # Dead, but its parent (in a container often a process 1 that is no init) never asks how it ended.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return True
