"""The dashboards that Grafana is given: hosts, containers, logs, the hub itself, PostgreSQL.

Written down in model.py's words, one file each, and rendered to classic JSON, which Grafana reads from files in every
version in use. Nothing here knows a host: what a dashboard shows comes from the labels env, host, job.
"""

from __future__ import annotations

from configs.dashboards import containers, hosts, hub, logs, postgres
from configs.dashboards.emit import to_json
from configs.dashboards.model import Dashboard
from configs.settings import Settings

ALWAYS = (hosts.BOARD, containers.BOARD, logs.BOARD, hub.BOARD)


def boards(settings: Settings) -> tuple[Dashboard, ...]:
    """Those that have something to show: none of databases where no host has one."""
    databases = any(edge.postgres for edge in settings.hosts.values())
    return (*ALWAYS, *((postgres.BOARD,) if databases else ()))


def render(settings: Settings) -> dict[str, str]:
    """File name -> JSON text."""
    return {f"{board.uid}.json": to_json(board) for board in sorted(boards(settings), key=lambda board: board.uid)}
