"""The dashboards that Grafana is given: the fleet, hosts, containers, logs, the hub itself, databases, HTTP services.

Written down in model.py's words, one file each, and rendered to classic JSON, which Grafana reads from files in every
version in use. No host is named in them: what a dashboard shows comes from the labels env, host, job.
"""

from __future__ import annotations

from configs.dashboards import containers, fleet, hosts, http, hub, logs, postgres, timescale
from configs.dashboards.emit import to_json
from configs.dashboards.model import Dashboard
from configs.settings import Settings


def boards(settings: Settings) -> tuple[Dashboard, ...]:
    """Those that have something to show: none of databases where no host has one, none of HTTP without such an app.

    Whether a database has TimescaleDB is known only once it runs: its dashboard is there with the first database, and
    its first figure says so where no database has the extension.
    """
    databases = any(edge.postgres for edge in settings.edges.values())
    return (
        fleet.board(settings),
        hosts.board(settings),
        containers.board(settings),
        logs.BOARD,
        hub.board(settings),
        *((postgres.board(settings), timescale.board(settings)) if databases else ()),
        *((http.board(settings),) if http.groups(settings) else ()),
    )


def render(settings: Settings) -> dict[str, str]:
    """File name -> JSON text."""
    return {f"{board.uid}.json": to_json(board) for board in sorted(boards(settings), key=lambda board: board.uid)}
