"""Grafana's dashboards: fleet, hosts, containers, logs, hub, databases, HTTP services, probes.

Each is declared in one module or package with the types of model.py and rendered to classic JSON, which every supported
version of Grafana provisions from files. They name no host: the labels `env`, `host` and `job` select what is shown.
"""

from __future__ import annotations

from configs.dashboards import (
    containers,
    exporters,
    fleet,
    hosts,
    http,
    hub,
    intervals,
    logs,
    postgres,
    probes,
    timescale,
)
from configs.dashboards.json_model import to_json
from configs.dashboards.model import Dashboard
from configs.rules.probes import has_probes
from configs.settings import Settings


def boards(settings: Settings) -> tuple[Dashboard, ...]:
    """PostgreSQL and TimescaleDB only if a host has a database, HTTP services only if an app has `http:`, Probes only
    if a host has a probe, and one for each kind of server that a host has an exporter for.

    Whether a database has TimescaleDB is known only at run time: the dashboard exists if there is a database, and its
    first panel states if no database has the extension.
    """
    databases = any(edge.postgres for edge in settings.edges.values())
    every = (
        fleet.board(settings),
        hosts.board(settings),
        containers.board(settings),
        logs.BOARD,
        hub.board(settings),
        *((postgres.board(settings), timescale.board(settings)) if databases else ()),
        *((http.board(settings),) if http.metric_groups(settings) else ()),
        *((probes.board(settings),) if has_probes(settings) else ()),
        *exporters.boards(settings),
    )
    jobs = intervals.job_intervals(settings)
    return tuple(intervals.with_intervals(board, jobs) for board in every)


def render(settings: Settings) -> dict[str, str]:
    """File name -> JSON text."""
    return {f"{board.uid}.json": to_json(board) for board in sorted(boards(settings), key=lambda board: board.uid)}
