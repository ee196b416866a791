"""The typed settings of a stack file, for commands that run before the program or without it.

Encrypted values cannot be read here; placeholders take their places, so that the settings around them are complete.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from configs.settings import Settings, read
from configs.settings.secrets import is_secret_path, placeholder, readable
from configs.settings.sections import own_sections, value_at

DEFAULT_DOCKER = "unix:///var/run/docker.sock"


def read_settings(config: Mapping[str, Any], env: str, source: str) -> tuple[Settings | None, list[str]]:
    """The settings in a stack file's `config`, repaired where they have mistakes, and the mistakes. None: the hub is
    not readable. The program reports the same mistakes."""
    return read(readable_sections(config, env), source)


def readable_sections(config: Mapping[str, Any], env: str) -> dict[str, Any]:
    """The program's sections of a stack file's `config`, with a placeholder for each encrypted value."""
    return {"env": env, **readable(own_sections(config))}


def complete_settings(config: Mapping[str, Any], env: str, source: str) -> Settings | None:
    """Like `read_settings`, with a placeholder for each secret that the file does not contain: `make secret` keeps it
    elsewhere, and the settings around it are needed all the same."""
    return read(_completed(config, env, source), source)[0]


def mistakes(config: Mapping[str, Any], env: str, source: str) -> list[str]:
    """The mistakes in these settings, apart from secrets that the file does not contain."""
    return read(_completed(config, env, source), source)[1]


def _completed(config: Mapping[str, Any], env: str, source: str) -> dict[str, Any]:
    sections = readable_sections(config, env)
    for path in missing_paths(read(sections, source)[1]):
        if is_secret_path(path):
            _fill(sections, path.split("."))
    return sections


def _fill(sections: dict[str, Any], keys: list[str]) -> None:
    node = value_at(sections, *keys[:-1])
    if isinstance(node, dict):
        node[keys[-1]] = placeholder(keys[-1])


def missing_paths(problems: Iterable[str]) -> set[str]:
    """Paths of required values that are not given."""
    return {path for path, _, rest in (problem.partition(":") for problem in problems) if rest.startswith(" missing")}


def configured_docker(settings: Settings) -> str | None:
    """`hub.local.docker`, if the stack file sets it."""
    local = settings.hub.local
    return local.docker if local is not None and "docker" in local.model_fields_set else None


def docker_address(settings: Settings | None) -> str:
    """The Docker Engine of a hub on this machine: `hub.local.docker`, else DOCKER_HOST, else the usual socket."""
    configured = configured_docker(settings) if settings is not None else None
    return configured or os.environ.get("DOCKER_HOST") or DEFAULT_DOCKER
