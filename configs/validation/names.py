"""Rules about hosts' names: reserved ones, and those that hosts had before."""

from __future__ import annotations

from collections.abc import Iterator

from configs import names
from configs.settings import Settings


def problems(settings: Settings) -> Iterator[str]:
    """Each with its path."""
    heirs: dict[str, str] = {}
    for name, host in settings.others.items():
        if name == names.ADMIN:
            yield f"hosts.{name}: `{name}` is reserved; choose another name"
        before = host.renamed_from
        if before is None:
            continue
        if before in settings.hosts:
            yield (
                f"hosts.{name}.renamed_from: expected the former name of this host, but hosts.{before} exists; remove "
                "this key, or the other host"
            )
        elif heirs.setdefault(before, name) != name:
            yield f"hosts.{name}.renamed_from: duplicate former name {before}, already used by hosts.{heirs[before]}"
