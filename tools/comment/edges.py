"""An edge's Compose project, read from the inputs of the command that brings it to its host: before and after."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from configs import compose
from configs.deploy.reading import file_variables, parameters, rows, unbundled
from configs.names import SECRETS
from tools.comment.model import COMMAND, SECRET, UNKNOWN, Change

LATE = "its text is known only while the update runs, because it holds what another resource gives"
HIDDEN = "secret, not shown"


@dataclass(frozen=True)
class Project:
    """`services`, `networks` and `volumes` as in compose.yaml; `texts`: the files that can be seen, by path; `hidden`:
    why the files of a folder cannot be; `reloads`: the shell with which a role reads its files again; `user_networks`:
    those that its containers join; `machine`: the droplet's id; `keeps_volumes`: they outlive a removal."""

    services: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    networks: Mapping[str, Any] = field(default_factory=dict)
    volumes: tuple[str, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    hidden: Mapping[str, str] = field(default_factory=dict)
    reloads: Mapping[str, str] = field(default_factory=dict)
    user_networks: frozenset[str] = frozenset()
    machine: str = ""
    keeps_volumes: bool = False

    def with_secrets(self) -> list[str]:
        """The roles that have secret files."""
        return [
            role
            for role, service in self.services.items()
            if any(isinstance(one, Mapping) and one.get("target") == SECRETS for one in service.get("volumes") or ())
        ]

    def definition(self, role: str) -> dict[str, Any]:
        """What makes Compose create the container of a role again when it differs."""
        service = self.services[role]
        return {**service, **{f"network {name}": self.networks.get(name) for name in service.get("networks") or ()}}


def is_project(change: Change) -> bool:
    """Whether it is the command that brings an edge to its host."""
    return change.type == COMMAND and any(
        file_variables(_environment(inputs)) for inputs in (change.before, change.after)
    )


def read(inputs: Mapping[str, Any]) -> Project:
    """The project of these inputs; an empty one if there are none."""
    environment = _environment(inputs)
    script = parameters(str(environment.get("SCRIPT") or ""))
    names = file_variables(environment)
    seen = {name: str(environment[name]) for name in names if not _why_not(environment[name])}
    texts = dict(unbundled("".join(seen.values())))
    content = _yaml(texts.get(compose.FILE, ""))
    services = content.get("services") or {}
    folders = {_variable(role): f"{role}/config" for role in services}
    return Project(
        services=services,
        networks=content.get("networks") or {},
        volumes=tuple(content.get("volumes") or ()),
        texts=texts,
        hidden={_folder(name, folders): _why_not(environment[name]) for name in names if name not in seen},
        reloads={row["ROLE"]: row.get("RELOAD", "") for row in rows(script) if "ROLE" in row},
        user_networks=frozenset(script.get("NETWORKS", "").splitlines()),
        machine=str(environment.get("MACHINE") or ""),
        keeps_volumes=_keeps_volumes(inputs),
    )


def _environment(inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    found = inputs.get("environment")
    return found if isinstance(found, Mapping) else {}


def _why_not(value: object) -> str:
    text = str(value)
    return HIDDEN if text == SECRET else LATE if UNKNOWN in text else ""


@functools.lru_cache(maxsize=512)
def _yaml(text: str) -> Mapping[str, Any]:
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}
    return found if isinstance(found, Mapping) else {}


def _variable(role: str) -> str:
    return f"FILES_{role.upper().replace('-', '_')}"


def _folder(name: str, folders: Mapping[str, str]) -> str:
    """Where the files of a variable are; those of a role may be in several."""
    found = folders.get(name) or folders.get(name.rpartition("_")[0])
    return found or {"FILES": "", "FILES_HOSTS": compose.HOSTS}.get(name, name.removeprefix("FILES_").lower())


def _keeps_volumes(inputs: Mapping[str, Any]) -> bool:
    """By the script that removes the project, on this machine or over SSH."""
    removal = str(_environment(inputs).get("OFF_SCRIPT") or inputs.get("delete") or "")
    return parameters(removal).get("VOLUMES", "") != "yes"
