"""Runs the queries of a dashboard with every variable set to All, and returns the results for draw.py."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from configs.dashboards.layout import row_height
from configs.dashboards.model import LOKI, NOT_SHOWN, Dashboard, Graph, Logs, Panel, Query, Stat, Table
from configs.settings import Settings, read
from tools import working_copy

STEPS = 90  # points of a line
DUMMY_DSN = "postgresql://nobody:nothing@nowhere:5432/none"


def settings_of(file: Path) -> Settings:
    """The settings of a stack file whose secrets are in the state: nothing here needs them."""
    config = working_copy.read(file)["config"]
    raw = {key.removeprefix("fleetwatch:"): value for key, value in config.items()}
    for edge in (raw.get("hosts") or {}).values():
        for database in ((edge or {}).get("postgres") or {}).values():
            database.setdefault("dsn", DUMMY_DSN)
    raw.get("hub", {}).pop("alerts", None)  # receivers have secrets too, and no panel
    if (backup := raw.get("hub", {}).get("backup")) is not None:
        backup.setdefault("password", "none")
    raw.get("hub", {}).pop("grafana", None)
    settings, problems = read(raw, str(file))
    if settings is None or problems:
        raise SystemExit("\n".join(problems))
    return settings


class Hub:
    """A query side, and the time range that is drawn. Raises httpx.HTTPError when it does not answer."""

    def __init__(self, base: str, seconds: int) -> None:
        self._base, self._seconds = base, seconds
        self._end = time.time() // 15 * 15
        self._start, self._step = self._end - seconds, max(15, seconds // STEPS)
        self._client = httpx.Client(trust_env=False, timeout=60)

    def board(self, board: Dashboard) -> dict[str, Any]:
        """Everything that draw.py needs."""
        everything = {one.name: "" if one.text else one.all_value for one in board.variables}
        self._values = {
            **everything,
            "__range": f"{self._seconds}s",
            "__auto": f"{max(60, self._step)}s",
            "__interval": f"{self._step}s",
        }
        rows = [
            {"heading": row.title, "height": row_height(row), "panels": [self._panel(panel) for panel in row.panels]}
            for row in board.rows
        ]
        marks = self._get(True, True, '{job="fleetwatch-changes"}')
        return {
            "title": board.title,
            "start": self._start,
            "end": self._end,
            "marks": [float(when) / 1e9 for stream in marks for when, _ in stream["values"]],
            "rows": rows,
        }

    def _get(
        self, loki: bool, over_time: bool, expr: str, lines: bool = False, interval: int = 0
    ) -> list[dict[str, Any]]:
        values = {**self._values, "__rate_interval": f"{max(60, 4 * self._step, 4 * interval)}s"}
        filled = re.sub(r"\$\{?(\w+)\}?", lambda match: values.get(match[1], match[0]), expr)
        query: dict[str, Any] = {"query": filled}
        if over_time:
            scale = 10**9 if loki else 1
            query |= {"start": int(self._start * scale), "end": int(self._end * scale)}
            query |= {"limit": 12} if lines else {"step": self._step}
        else:
            query["time"] = self._end
        path = f"{'/loki' if loki else ''}/api/v1/{'query_range' if over_time else 'query'}"
        got = self._client.get(self._base + path, params=query)
        if got.status_code != 200:
            raise SystemExit(f"{self._base}{path} answers {got.status_code} to {filled}: {got.text[:300]}")
        found: list[dict[str, Any]] = got.json()["data"]["result"]
        return found

    def _panel(self, panel: Panel) -> dict[str, Any]:
        drawn: dict[str, Any] = {"title": panel.title, "unit": getattr(panel, "unit", ""), "width": panel.width}
        loki = panel.source == LOKI
        if isinstance(panel, Graph):
            series = [one for query in panel.queries for one in self._series(query, loki)]
            return drawn | {
                "kind": "graph",
                "series": series,
                "stack": panel.stack,
                "bars": panel.bars,
                "top": panel.axis_max,
                "colours": panel.series_colours,
            }
        if isinstance(panel, Stat):
            found = self._get(loki, False, panel.query.expr, interval=panel.query.interval)
            words = {str(value): text for value, (text, _) in panel.mappings.items()}
            tiles = [(_legend(panel.query, one["metric"]), one["value"][1]) for one in found]
            return drawn | {"kind": "stat", "tiles": tiles, "words": words, "names": panel.show_names}
        if isinstance(panel, Table):
            return drawn | {"kind": "table", **self._table(panel, loki)}
        assert isinstance(panel, Logs)
        streams = self._get(True, True, panel.expr, lines=True)
        lines = sorted((value for stream in streams for value in stream["values"]), reverse=True)[:12]
        return drawn | {"kind": "logs", "lines": [(float(when) / 1e9, text) for when, text in lines]}

    def _series(self, query: Query, loki: bool) -> Iterator[dict[str, Any]]:
        for one in self._get(loki, True, query.expr, interval=query.interval):
            yield {"name": _legend(query, one["metric"]), "points": [(at, float(value)) for at, value in one["values"]]}

    def _table(self, panel: Table, loki: bool) -> dict[str, Any]:
        rows: dict[tuple[str, ...], dict[str, str]] = {}
        for column in panel.columns:
            for one in self._get(loki, False, column.expr, interval=column.interval):
                key = tuple(one["metric"].get(label, "") for label in panel.labels)
                rows.setdefault(key, {})[column.title] = one["value"][1]
        columns = [
            {"title": column.title, "unit": column.unit, "words": {str(k): v for k, (v, _) in column.mappings.items()}}
            for column in panel.columns
        ]
        shown = [number for number, title in enumerate(panel.labels.values()) if title != NOT_SHOWN]
        cells = [
            [*(key[number] for number in shown), *(row.get(column.title) for column in panel.columns)]
            for key, row in rows.items()
        ]
        if panel.sort:
            at = len(shown) + [column.title for column in panel.columns].index(panel.sort)
            cells.sort(key=lambda row: -float(row[at] or "nan"))
        return {
            "labels": [title for title in panel.labels.values() if title != NOT_SHOWN],
            "columns": columns,
            "rows": cells,
        }


def _legend(query: Query, labels: dict[str, str]) -> str:
    if not query.legend:
        return " ".join(labels.values())
    return re.sub(r"\{\{\s*(.+?)\s*\}\}", lambda match: labels.get(match[1], ""), query.legend).strip()
