"""The dashboards of servers that the stack file lists under `exporters`: a module for each kind."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol, cast

from configs.dashboards.model import SOME_HOSTS, Dashboard, Row, Variable, env_and_host
from configs.rules.exporters import JOBS, jobs
from configs.settings import Settings


class BoardModule(Protocol):
    """What a module of this package has; its name is that of the scrape job and of the dashboard."""

    TITLE: str
    DESCRIPTION: str

    def rows(self, settings: Settings, count: int) -> tuple[Row, ...]:
        """Its rows; `count` servers of this kind are in the stack file."""


MODULES = {job: cast(BoardModule, import_module(f"{__name__}.{job}")) for job in JOBS}


def boards(settings: Settings) -> tuple[Dashboard, ...]:
    """One for each kind of server that any host has an exporter for."""
    return tuple(board(settings, job) for job in jobs(settings))


def board(settings: Settings, job: str) -> Dashboard:
    """The dashboard of a kind, also where no host has such a server."""
    module = MODULES[job]
    count = sum(server.job == job for edge in settings.edges.values() for server in edge.exporters.values())
    selector = f'up{{job="{job}"}}'
    return Dashboard(
        name=job,
        title=module.TITLE,
        description=module.DESCRIPTION,
        coverage=SOME_HOSTS,
        variables=(
            *env_and_host(selector),
            Variable(
                name="server",
                title="Server",
                selector=f'up{{job="{job}",env=~"$env",host=~"$host"}}',
                label="server",
            ),
        ),
        rows=module.rows(settings, count),
    )
