"""Rules about names: reserved ones, those that hosts had before, names of two resources that would be one, and names
of apps that a container of ours has too."""

from __future__ import annotations

from collections.abc import Iterator

from configs import names, services
from configs.services.context import Context
from configs.settings import Settings

LONGEST = 63  # characters of a DNS label, by which Docker resolves a container


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
    yield from _targets(settings)


def _resources(settings: Settings) -> Iterator[str]:
    """An edge has the resources `<host>-project` and `hub-gate-<host>`: the project of `hub-gate` and the gate of
    `project` would be one."""
    for host in settings.hosts:
        project = f"{host}-project"
        other = project.removeprefix("hub-gate-")
        if other != project and other in settings.hosts:
            yield f"hosts.{host}: duplicate resource name {project}, already used by hosts.{other}; rename one of them"


def _targets(settings: Settings) -> Iterator[str]:
    """Docker resolves the short names of an edge's containers on the network that its agent shares with them."""
    for host, edge in settings.edges.items():
        specs = services.edge_specs(Context(settings=settings, name=host))
        roles = {spec.role for spec in specs if spec.networks}
        for app, found in edge.apps.items():
            for short in found.hosts:
                if short in roles:
                    key = "target" if found.target else "dns" if found.dns else "targets"
                    yield _ambiguous(f"hosts.{host}.apps.{app}.{key}", short)
        for name, server in edge.exporters.items():
            if server.host.casefold() in roles:
                yield _ambiguous(f"hosts.{host}.exporters.{name}.{server.kind}", server.host, ", or rename this entry")
        for role in sorted(roles):
            if len(full := names.container(settings.prefix, role)) > LONGEST:
                yield (
                    f"hosts.{host}: the container name {full} has {len(full)} characters, expected at most {LONGEST}; "
                    "shorten the name of its entry, or fleetwatch:prefix"
                )


def _ambiguous(path: str, short: str, more: str = "") -> str:
    return (
        f"{path}: `{short}` is also a container of fleetwatch on that host; write the whole name of your container "
        f"instead, such as project-{short}-1 (`docker ps` there shows it){more}"
    )
