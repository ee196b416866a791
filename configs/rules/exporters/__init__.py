"""Alerts about servers that the stack file lists under `exporters`: a module for each kind, which every stack without
such a server leaves out. `server` is the name of the entry."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol, cast

from configs.rules.model import Alert, Group
from configs.settings import Settings


class RuleModule(Protocol):
    """What a module of this package has; its name is that of the scrape job and of the dashboard."""

    RULES: tuple[Alert, ...]


JOBS = ("redis", "mysql", "mongodb", "nginx", "rabbitmq", "memcached")
MODULES = {job: cast(RuleModule, import_module(f"{__name__}.{job}")) for job in JOBS}


def jobs(settings: Settings) -> list[str]:
    """The kinds of servers that any host has an exporter for, in the order of JOBS."""
    used = {server.job for edge in settings.edges.values() for server in edge.exporters.values()}
    return [job for job in JOBS if job in used]


def groups(settings: Settings) -> list[Group]:
    """One group for each kind that is used."""
    return [Group(name=job, rules=MODULES[job].RULES) for job in jobs(settings)]
