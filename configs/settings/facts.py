"""Checks that need to know the machine: what only it can tell, held against what the stack file asks of it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from configs.settings.edge import JOURNAL, fixed_folder
from configs.settings.load import Settings
from configs.units import show_size

# What a hub and an edge need on top of the metrics: images, logs of the first days, write-ahead logs.
DISK_NEEDED = 3 * 1024**3
DISK_SHARE = 0.8  # of the disk for metrics; Prometheus' documentation says 80-85 %


@dataclass(frozen=True)
class Facts:
    """What was found. Sizes in bytes; `taken` are ports that somebody else listens on; None: could not be told."""

    docker: str | None  # the engine's version
    problem: str | None  # why Docker did not answer
    networks: frozenset[str]
    disk_total: int | None
    disk_free: int | None
    taken: frozenset[int]
    subnets: tuple[str, ...] = ()  # of Docker networks that are not ours
    missing_folders: frozenset[str] = frozenset()  # that log files are to be read from


def against(settings: Settings, facts: Facts) -> list[str]:
    """Problems, each with its path in the stack file."""
    if facts.docker is None:
        return [f"hub.local.docker: expected a Docker Engine that answers, {facts.problem}"]
    return [*_ports(settings, facts), *_disk(settings, facts), *_networks(settings, facts), *_folders(settings, facts)]


def _ports(settings: Settings, facts: Facts) -> list[str]:
    return [
        f"hub.ports.{name}: expected a free port, {port} is in use by another program (`ss -ltnp` says which); "
        "stop it or choose another port"
        for name, port in settings.hub.ports
        if port in facts.taken
    ]


def _disk(settings: Settings, facts: Facts) -> list[str]:
    problems = []
    if facts.disk_total is not None:
        fits = int(facts.disk_total * DISK_SHARE)
        if settings.hub.retention.metrics_size > fits:
            problems.append(
                f"hub.retention.metrics_size: expected at most {fits // 1024**3}GB (80 % of this disk), "
                f"got {show_size(settings.hub.retention.metrics_size)}"
            )
    if facts.disk_free is not None and facts.disk_free < DISK_NEEDED:
        problems.append(
            f"hub.local: expected {show_size(DISK_NEEDED)} of free disk where Docker keeps its data, "
            f"{facts.disk_free // 1024**2}MB are free; `docker system df` shows what Docker uses"
        )
    return problems


def _networks(settings: Settings, facts: Facts) -> list[str]:
    known = ", ".join(sorted(facts.networks - {"bridge", "host", "none"})) or "none"
    problems = []
    for host, edge in settings.edges.items():
        problems += [
            f"hosts.{host}.networks.{index}: expected a Docker network of this machine ({known}), got {network!r}; "
            f"`docker network create {network}` makes it"
            for index, network in enumerate(edge.networks)
            if network not in facts.networks
        ]
        problems += [
            f"hosts.{host}.subnet: expected a network that nobody else uses, but {edge.subnet} overlaps with {taken}, "
            "which a Docker network of this machine has"
            for taken in facts.subnets
            if _overlap(edge.subnet, taken)
        ]
    return problems


def _folders(settings: Settings, facts: Facts) -> list[str]:
    journal = [
        f"hosts.{host}.logs.journal: expected a machine with systemd's journal, there is no folder {folder}"
        for host, edge in settings.edges.items()
        if edge.logs.journal
        for folder in JOURNAL
        if folder in facts.missing_folders
    ]
    return journal + [
        f"hosts.{host}.logs.files.{name}.path: expected a folder that exists, {fixed_folder(source.path)} does not"
        for host, edge in settings.edges.items()
        for name, source in sorted(edge.logs.files.items())
        if fixed_folder(source.path) in facts.missing_folders
    ]


def _overlap(one: str, other: str) -> bool:
    first, second = ipaddress.ip_network(one), ipaddress.ip_network(other, strict=False)
    return first.version == second.version and first.overlaps(second)
