"""Droplets that an interrupted run may have made without the state knowing: the account is asked before the next run.

DigitalOcean takes a droplet's name twice, so that a run which simply begins anew would make a second droplet, and the
first would be paid for without anybody knowing. Other things of the cloud are not looked for.
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
    asked. `config` gives the stack's own values in clear; it and the account are asked only where a run was cut off."""
    deployment = state.get("deployment") or {}
    pending = list(_being_made(deployment))
    if not pending:
        return
    wanted = [resource["inputs"]["name"] for resource in pending]
    try:
        there = cloud_api.droplets(config(), env)
    except CloudError as problem:
        raise ToolError(
            f"An earlier run was cut off while it made droplet {', '.join(wanted)}, and whether it is there cannot be "
            f"asked: {problem}. Nothing was changed: a run without that answer might make it twice."
        ) from None
    known = {str(one.get("id")) for one in deployment.get("resources") or [] if one.get("type") == DROPLET}
    found = [
        _told(resource, number, stack)
        for resource in pending
        for number in there.get(resource["inputs"]["name"], [])
        if number not in known
    ]
    if found:
        lines = "\n".join(found)
        raise ToolError(
            "An earlier run was cut off while it made a droplet; it is in the account and not in the state, so that "
            f"another run would make it twice:\n{lines}\nIf a run elsewhere is making it now, wait for that one. "
            "Otherwise delete the droplet in DigitalOcean's control panel (there is nothing on it yet), or take it "
            f"into the state with the command above; then `make up STACK={stack}`."
        )


def _being_made(deployment: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for operation in deployment.get("pending_operations") or []:
        resource = operation.get("resource") or {}
        if operation.get("type") == "creating" and resource.get("type") == DROPLET:
            yield resource


def _told(resource: Mapping[str, Any], number: str, stack: str) -> str:
    name = str(resource["urn"]).rpartition("::")[2]
    words = f"import {DROPLET} {name} {number} --parent host={resource['parent']} --protect=false"
    command = f'make pulumi STACK={stack} ARGS="{words} --generate-code=false --yes"'
    return f"  - {resource['inputs']['name']}, id {number}: {command}"
