"""The engine's own mark of a secret, in the inputs of a registration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pulumi.runtime import rpc


def secret(value: str) -> dict[str, str]:
    """The value with the mark."""
    return {rpc._special_sig_key: rpc._special_secret_sig, "value": value}


def is_secret(value: Any) -> bool:
    return isinstance(value, dict) and value.get(rpc._special_sig_key) == rpc._special_secret_sig


def plain(value: Any) -> Any:
    """A value without marks, at any depth."""
    if is_secret(value):
        return plain(value["value"])
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


def clear_texts(value: Any) -> Iterator[str]:
    """Every text, keys included, that no mark covers."""
    if isinstance(value, dict) and not is_secret(value):
        for key, inner in value.items():
            yield from (key, *clear_texts(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from clear_texts(inner)
    elif isinstance(value, str):
        yield value
