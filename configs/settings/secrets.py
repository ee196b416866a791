"""Which settings are secrets, found by their type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, SecretStr

from configs.settings.load import Settings


def secret_paths(settings: Settings) -> list[str]:
    """Paths in the stack file, such as `hosts.db-1.postgres.main.dsn`, of every secret that is given."""
    return [*_paths(settings.hub, "hub"), *_paths(dict(settings.edges), "hosts")]


def _paths(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield path
    elif isinstance(value, BaseModel):
        for key, inner in value:
            yield from _paths(inner, f"{path}.{key}")
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _paths(inner, f"{path}.{key}")
