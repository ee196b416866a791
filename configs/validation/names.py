"""Rules about hosts' names: reserved ones, those that hosts had before, and names that join to one resource's name."""

from __future__ import annotations

from collections.abc import Iterator

from configs import names, services
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
    yield from _resources(settings)


def _resources(settings: Settings) -> Iterator[str]:
    """A container is the resource `<host>-<role>`, and both parts may have hyphens: `a` with the database `b-agent` and
    the agent of `a-postgres-b` would be one."""
    first: dict[str, tuple[str, str]] = {}
    for host in settings.hosts:
        for role in services.roles(settings, host):
            other = first.setdefault(f"{host}-{role}", (host, role))
            if other == (host, role):
                continue
            (named, longest), taken = max([(host, role), other], key=lambda one: len(one[1])), {host, other[0]}
            database = longest.removeprefix("postgres-")
            yield (
                f"hosts.{named}.postgres.{database}: duplicate resource name {host}-{role}, already used by "
                f"hosts.{(taken - {named}).pop()}; rename the database or one of the hosts"
            )
