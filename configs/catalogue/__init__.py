"""The catalogue: every panel, alert and recording rule with meaning, unit, expression and phrasings, as one JSON file.

The assistant (`ask/`) reads this file and nothing else of the program. It is rendered from the same values as the
dashboards and the rules. The PostgreSQL and TimescaleDB boards are always in it: whether their metrics exist is decided
by what the hub has.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from configs import rules, services
from configs.catalogue import derived, phrasings, rule_phrasings, runbooks
from configs.dashboards import boards, intervals, postgres, timescale
from configs.dashboards.model import UID, Column, Dashboard, Graph, Logs, Panel, Query, Stat, Table, largest
from configs.rules.model import Alert, Group, Record, expression, runbook
from configs.settings import Settings

FORMAT = 1


def render(settings: Settings) -> str:
    """The JSON text; equal settings give equal bytes."""
    return json.dumps(catalogue(settings), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def catalogue(settings: Settings) -> dict[str, Any]:
    """The document: its format, the environment, the jobs of fleetwatch's exporters, and the entries."""
    entries = [*_panels(settings), *derived.entries(settings), *_rules(settings, rules.groups(settings), "promql")]
    entries += _rules(settings, rules.ruler_groups(settings), "logql")
    return {"format": FORMAT, "env": settings.env, "jobs": sorted(services.reserved_jobs(settings)), "entries": entries}


def every_board(settings: Settings) -> tuple[Dashboard, ...]:
    """The boards of the stack, and those of databases in any case."""
    found = list(boards(settings))
    names = {board.name for board in found}
    jobs = intervals.job_intervals(settings)
    for board in (postgres.board(settings), timescale.board(settings)):
        if board.name not in names:
            found.append(intervals.with_intervals(board, jobs))
    return tuple(found)


def _panels(settings: Settings) -> Iterator[dict[str, Any]]:
    for board in every_board(settings):
        for panel in (panel for row in board.rows for panel in row.panels):
            for name, unit, query in queries(panel):
                yield {
                    "id": "/".join(filter(None, (board.name, panel.title, name))),
                    "kind": "panel",
                    "board": board.uid,
                    "title": panel.title,
                    "name": name,
                    "meaning": panel.description,
                    "unit": unit,
                    "language": "promql" if panel.source == "prometheus" else "logql",
                    "form": _form(panel),
                    "expr": whole(query.expr),
                    "interval": getattr(query, "interval", 0),
                    "variables": {one.name: one.label for one in board.variables if one.label},
                    "present": sorted({one.label for one in board.variables if one.label and one.all_value == ".+"}),
                    "empty": query.empty,
                    "phrasings": list(phrasings.of_panel(board.name, panel.title, name)),
                }


def whole(expr: str) -> str:
    """An expression without the limit of a graph to its largest series: a question sets its own."""
    inner = expr[1:].partition(") and topk(")[0]
    return inner if largest(inner) == expr else expr


def _form(panel: Panel) -> str:
    return "lines" if isinstance(panel, Logs) else "series" if isinstance(panel, Graph) else "value"


def queries(panel: Panel) -> list[tuple[str, str, Query | Column | Logs]]:
    """Each query of a panel with its name, if the panel has several, and its unit."""
    if isinstance(panel, Stat):
        return [("", panel.unit, panel.query)]
    if isinstance(panel, Graph):
        several = len(panel.queries) > 1
        return [(one.legend if several else "", panel.unit, one) for one in panel.queries]
    if isinstance(panel, Table):
        return [(one.title, one.unit, one) for one in panel.columns]
    return [("", "lines", panel)] if isinstance(panel, Logs) else []


def _rules(settings: Settings, groups: list[Group], language: str) -> Iterator[dict[str, Any]]:
    for rule in (rule for group in groups for rule in group.rules):
        yield _alert(settings, rule, language) if isinstance(rule, Alert) else _record(rule, language)


def _alert(settings: Settings, alert: Alert, language: str) -> dict[str, Any]:
    return {
        "id": f"alert/{alert.name}",
        "kind": "alert",
        "board": UID.format(alert.board),
        "title": alert.name,
        "meaning": alert.description,
        "summary": alert.summary,
        "unit": "",
        "language": language,
        "form": "value",
        "expr": expression(settings, alert),
        "for": alert.wait,
        "severity": alert.severity,
        "runbook": runbook(settings, alert.name),
        "checks": runbooks.checks(alert.name),
        "empty": alert.empty,
        "phrasings": list(phrasings.split(rule_phrasings.ALERTS.get(alert.name, ""))),
    }


def _record(record: Record, language: str) -> dict[str, Any]:
    return {
        "id": f"record/{record.name}",
        "kind": "record",
        "title": record.name,
        "meaning": "",
        "unit": "",
        "language": language,
        "form": "value",
        "expr": record.expr,
        "empty": record.empty,
        "phrasings": list(phrasings.split(rule_phrasings.RECORDS.get(record.name, ""))),
    }
