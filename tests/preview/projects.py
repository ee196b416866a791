"""An edge's command before and after a change, as a preview shows it, and what the comment makes of it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import yaml

from configs.deploy import bundle, numbered, script
from configs.names import SECRETS
from configs.services.spec import RELOAD_BY_HUP, RESTART
from tools.comment import container_table, containers
from tools.comment.model import COMMAND, SECRET, Action, Change

RELOADS = {"agent": RELOAD_BY_HUP, "promtail": RELOAD_BY_HUP, "sql-exporter": RESTART, "cadvisor": ""}
TEXTS = {"agent": "interval: 15s\n", "promtail": "clients: []\n", "sql-exporter": "jobs: []\n"}
COMPOSE: dict[str, Any] = {
    "name": "fleetwatch",
    "services": {
        role: {
            "image": f"{role}:1.0.0",
            "networks": {"edge": None},
            "volumes": [{"type": "bind", "source": f"./{role}/secrets", "target": SECRETS}],
        }
        for role in RELOADS
    },
    "networks": {"edge": {"name": "fleetwatch-edge"}},
    "volumes": {"fleetwatch-agent": {"name": "fleetwatch-agent"}},
}


def inputs(
    project: Mapping[str, Any] = COMPOSE,
    texts: Mapping[str, str] = TEXTS,
    *,
    networks: str = "",
    volumes: str = "yes",
    **environment: str,
) -> dict[str, Any]:
    """The inputs of an edge's command, as a preview shows them."""
    table = numbered([{"ROLE": role, "RELOAD": RELOADS.get(role, "")} for role in project["services"]])
    removal = script("remove_project", VOLUMES=volumes, DIR="/x/edge")
    shown = {"compose.yaml": yaml.safe_dump(project), "README": "x\n"}
    return {
        "environment": {
            "SCRIPT": script("project", DIR="/x/edge", NETWORKS=networks, JOINING="agent", **table),
            "OFF_SCRIPT": removal,
            "FILES": bundle(shown, whole=False),
            **{
                f"FILES_{role.upper().replace('-', '_')}": bundle({f"{role}/config/file.yml": text}, whole=False)
                for role, text in texts.items()
            },
            **environment,
        },
        "stdin": SECRET,
    }


def edge(
    action: Action, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, *why: str, kept: bool = False
) -> Change:
    return Change(action, COMMAND, "web-1-project", "web-1", why or ("environment",), before or {}, after or {}, kept)


def project(**roles: Any) -> dict[str, Any]:
    """The project with keys of these roles changed; None removes one."""
    made = copy.deepcopy(COMPOSE)
    for role, keys in roles.items():
        name = role.replace("_", "-")
        if keys is None:
            del made["services"][name]
        else:
            made["services"].setdefault(name, {}).update(keys)
    return made


def found(one: Change) -> dict[str, str]:
    """By role: the action and the reasons."""
    return {
        item.role: " ".join([item.action, *(["perhaps"] if item.perhaps else []), *item.why])
        for item in containers.changed_containers([one])
    }


def table_of(*changes: Change) -> str:
    return "\n".join(container_table.lines(changes))
