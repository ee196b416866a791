"""Droplets that an interrupted run created and the state does not know: the account is checked before the next run.

DigitalOcean accepts the same droplet name twice, so that another run would create a second droplet, and the first would
cost money unnoticed. Other resources of the cloud are not checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from components import cloud_api
from components.cloud_api import CloudError
from tools.errors import ToolError

DROPLET = "digitalocean:index/droplet:Droplet"


def refuse(
    state: Mapping[str, Any], stack: str, config: Callable[[], Mapping[str, str]], env: Mapping[str, str]
) -> None:
    """ToolError if a droplet that a run was making is in the account and not in the state, or if the account cannot be
    queried. `config` gives the stack's values in clear; it and the account are used only after an interrupted run."""
    deployment = state.get("deployment") or {}
    pending = list(_pending_droplets(deployment))
    if not pending:
        return
    wanted = [resource["inputs"]["name"] for resource in pending]
    try:
        there = cloud_api.droplets(config(), env)
    except CloudError as problem:
        raise ToolError(
            f"An earlier run was interrupted while it created droplet {', '.join(wanted)}, and the account cannot be "
            f"checked: {problem}. Nothing was changed: another run might create it twice."
        ) from None
    known = {str(one.get("id")) for one in deployment.get("resources") or [] if one.get("type") == DROPLET}
    found = [
        _import_command(resource, number, stack)
        for resource in pending
        for number in there.get(resource["inputs"]["name"], [])
        if number not in known
    ]
    if found:
        lines = "\n".join(found)
        raise ToolError(
            "An earlier run was interrupted while it created a droplet. The account has it, the state does not: "
            f"another run would create it twice:\n{lines}\nIf another run is creating it now, wait for that one. "
            "Otherwise delete the droplet in DigitalOcean's control panel (there is nothing on it yet), or take it "
            f"into the state with the command above; then `make up STACK={stack}`."
        )


def _pending_droplets(deployment: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for operation in deployment.get("pending_operations") or []:
        resource = operation.get("resource") or {}
        if operation.get("type") == "creating" and resource.get("type") == DROPLET:
            yield resource


def _import_command(resource: Mapping[str, Any], number: str, stack: str) -> str:
    name = str(resource["urn"]).rpartition("::")[2]
    arguments = f"import {DROPLET} {name} {number} --parent host={resource['parent']} --protect=false"
    command = f'make pulumi STACK={stack} ARGS="{arguments} --generate-code=false --yes"'
    return f"  - {resource['inputs']['name']}, id {number}: {command}"
