"""The scrape interval behind each query, which Grafana derives `$__rate_interval` from.

Grafana takes the interval of the data source unless the query has its own. A job that is scraped less often has no two
samples in the resulting range, and the panel stays empty.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from configs import services
from configs.dashboards.model import PROMETHEUS, Column, Dashboard, Graph, Panel, Query, Row, Stat, Table
from configs.rules.model import selects
from configs.services.grafana_files import SOURCE as SOURCE
from configs.settings import Settings

Timed = TypeVar("Timed", Query, Column)
_JOBS = re.compile(r'(?<![a-z_])job(=~?)"([^"$]+)"')


def job_intervals(settings: Settings) -> dict[str, int]:
    """The longest scrape interval of each job over all hosts, in seconds."""
    found: dict[str, int] = {}
    for host in settings.edges:
        for job, interval in services.scrape_jobs(settings, host).items():
            found[job] = max(interval, found.get(job, 0))
    return found


def of_expression(expr: str, jobs: Mapping[str, int]) -> int:
    """The longest interval of the jobs that an expression selects; 0 if the data source's is long enough."""
    chosen = [
        interval
        for operator, value in _JOBS.findall(expr)
        for job, interval in jobs.items()
        if selects(operator, value, job)
    ]
    longest = max(chosen, default=0)
    return longest if longest > SOURCE else 0


def with_intervals(board: Dashboard, jobs: Mapping[str, int]) -> Dashboard:
    """The dashboard with the interval of each of its queries."""
    return replace(board, rows=tuple(_row(row, jobs) for row in board.rows))


def _row(row: Row, jobs: Mapping[str, int]) -> Row:
    return replace(row, panels=tuple(_panel(panel, jobs) for panel in row.panels))


def _panel(panel: Panel, jobs: Mapping[str, int]) -> Panel:
    if panel.source != PROMETHEUS:
        return panel
    if isinstance(panel, Stat):
        return replace(panel, query=_timed(panel.query, jobs))
    if isinstance(panel, Graph):
        return replace(panel, queries=tuple(_timed(query, jobs) for query in panel.queries))
    if isinstance(panel, Table):
        return replace(panel, columns=tuple(_timed(column, jobs) for column in panel.columns))
    return panel


def _timed(one: Timed, jobs: Mapping[str, int]) -> Timed:
    return replace(one, interval=of_expression(one.expr, jobs))
