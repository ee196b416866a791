"""Which settings are secrets: those that the models type as SecretStr."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from pydantic import BaseModel, SecretStr

from configs.settings.edge import Edge
from configs.settings.host import Host
from configs.settings.hub import Hub
from configs.settings.model import Settings
from configs.settings.schema import ANY, key_patterns, secret_patterns

UNREAD = "unread"  # the placeholder of an encrypted value without a form
_PEM = "PRIVATE KEY-----"


@cache
def secret_places() -> frozenset[tuple[str, ...]]:
    """Every place in a stack file that holds a secret, such as ("hosts", "*", "postgres", "*", "dsn"): `*` stands for a
    name that the user chooses."""
    edges = {("hosts", ANY, *rest) for rest in secret_patterns(Edge)}
    return frozenset({("hub", *rest) for rest in secret_patterns(Hub)} | edges)


@cache
def key_places() -> tuple[tuple[str, ...], ...]:
    """The place of every key of the sections `hub` and `hosts`, with `*` for a name that the user chooses."""
    of_hosts = [("hosts", ANY, *rest) for model in (Host, Edge) for rest in key_patterns(model)]
    return tuple([*(("hub", *rest) for rest in key_patterns(Hub)), *of_hosts])


@cache
def secret_keys() -> frozenset[str]:
    """The last keys of these places: `dsn`, `password` and so on."""
    return frozenset(place[-1] for place in secret_places())


def is_secret_path(path: str) -> bool:
    """Whether a path such as `hosts.db-1.postgres.main.dsn` leads to a secret."""
    keys = path.split(".")
    return any(
        len(place) == len(keys) and all(known in (ANY, key) for known, key in zip(place, keys, strict=True))
        for place in secret_places()
    )


def secret_paths(settings: Settings) -> list[str]:
    """Paths in the stack file, such as `hosts.db-1.postgres.main.dsn`, of every secret that is given."""
    return [*_paths(settings.hub, "hub"), *_paths(dict(settings.edges), "hosts")]


def placeholder(key: str) -> str:
    """A value of the form that a secret under this key has."""
    return {
        "dsn": "postgresql://unread:unread@unread:5432/unread",  # pragma: allowlist secret
        "url": "https://unread.invalid/",
        "key": f"-----BEGIN {_PEM}\n{UNREAD}\n-----END {_PEM}",
    }.get(key, UNREAD)


def readable(value: Any, key: str = "") -> Any:
    """A section with a placeholder for each encrypted value, so that settings can be read without decrypting them."""
    if isinstance(value, dict):
        if set(value) == {"secure"}:
            return placeholder(key)
        return {name: readable(inner, str(name)) for name, inner in value.items()}
    return [readable(inner, key) for inner in value] if isinstance(value, list) else value


def _paths(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield path
    elif isinstance(value, BaseModel):
        for key, inner in value:
            yield from _paths(inner, f"{path}.{key}")
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _paths(inner, f"{path}.{key}")
