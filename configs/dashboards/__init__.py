"""The dashboards that Grafana is given: hosts, containers, logs, the hub itself, PostgreSQL.

Written down in model.py's words, one file each, and rendered to classic JSON, which Grafana reads from files in every
version in use. Nothing here knows a host: what a dashboard shows comes from the labels env, host, job.
"""

from __future__ import annotations

from configs.dashboards import containers, hosts, hub, logs, postgres
from configs.dashboards.emit import to_json

BOARDS = (hosts.BOARD, containers.BOARD, logs.BOARD, hub.BOARD, postgres.BOARD)


def render() -> dict[str, str]:
    """File name -> JSON text."""
    return {f"{board.uid}.json": to_json(board) for board in sorted(BOARDS, key=lambda board: board.uid)}
