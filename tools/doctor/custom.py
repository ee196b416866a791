"""The queries of the user's own dashboards and rules, as the doctor runs them: each once, its variables as All.

A panel or a rule that may be without data states it: a panel by `May be empty: <reason>` in its description, a rule by
an annotation `may_be_empty`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from configs.custom import boards, rule_files
from configs.dashboards.model import LOKI, PROMETHEUS
from configs.settings import Settings
from tools.doctor.queries import Form, PanelQuery
from tools.doctor.rules import Rule, parsed

EMPTY = "may_be_empty"
_EMPTY_PANEL = re.compile(r"May be empty: *(.+)")
_DRAWN = frozenset(
    {"timeseries", "graph", "heatmap", "histogram", "state-timeline", "status-history", "trend", "barchart"}
)
_FIXED = ("constant", "textbox", "custom", "interval")


def panel_queries(settings: Settings) -> Iterator[PanelQuery]:
    """Those that go to Prometheus or Loki."""
    for text in settings.custom.dashboards.values():
        board, _ = boards.parse(text)
        for panel in boards.panels(board or {}):
            targets = panel.get("targets")
            for target in targets if isinstance(targets, list) else []:
                if isinstance(target, dict) and (made := _query(board or {}, panel, target)):
                    yield made


def _query(board: Mapping[str, Any], panel: Mapping[str, Any], target: Mapping[str, Any]) -> PanelQuery | None:
    source = {"prometheus": PROMETHEUS, "loki": LOKI}.get(boards.source_type(board, panel, target))
    expr = target.get("expr")
    if source is None or not isinstance(expr, str) or not expr.strip() or target.get("hide"):
        return None
    reason = _EMPTY_PANEL.search(str(panel.get("description", "")))
    return PanelQuery(
        place=f"{board.get('title')} / {panel.get('title') or panel.get('type')}",
        source=source,
        form=_form(source, panel, target, expr),
        expr=without_variables(expr, board),
        empty=reason[1].strip() if reason else "",
    )


def _form(source: str, panel: Mapping[str, Any], target: Mapping[str, Any], expr: str) -> Form:
    if source == LOKI and expr.lstrip().startswith("{"):
        return "lines"
    return "range" if panel.get("type") in _DRAWN and not target.get("instant") else "instant"


def without_variables(expr: str, board: Mapping[str, Any]) -> str:
    """The expression with each variable of the dashboard as All, or as its value where it has no All."""
    for one in boards.variables(board):
        name = str(one.get("name"))
        if not re.fullmatch(r"\w+", name):
            continue
        reference = rf"(?:\$\{{{name}(?::\w+)?\}}|\${name}\b|\[\[{name}\]\])"
        value = _value(one)
        if value is None:
            # One value is chosen: `=` would compare with the pattern for all of them.
            expr = re.sub(rf'(?<![!=~])=\s*"{reference}"', '=~".+"', expr)
            value = str(one.get("allValue") or ".+")
        expr = re.sub(reference, value.replace("\\", "\\\\"), expr)
    return expr


def _value(variable: Mapping[str, Any]) -> str | None:
    """The value of a variable that has one in the file; None for one that is queried, and for All."""
    if variable.get("type") not in _FIXED or variable.get("includeAll"):
        return None
    current = variable.get("current")
    chosen = current.get("value") if isinstance(current, Mapping) else None
    if isinstance(chosen, list):
        chosen = "|".join(map(str, chosen))
    return str(chosen) if chosen else str(variable.get("query", "")).partition(",")[0].strip()


def described_rules(settings: Settings) -> Iterator[Rule]:
    """Every rule of the user's files."""
    for files, logs in ((settings.custom.rules, False), (settings.custom.log_rules, True)):
        for text in files.values():
            document, wrong = rule_files.parse(text)
            for _, rule in rule_files.each_rule(document) if not wrong else ():
                kind = "alert" if "alert" in rule else "record"
                annotations = rule.get("annotations")
                empty = annotations.get(EMPTY, "") if isinstance(annotations, Mapping) else ""
                yield parsed(f"{kind} {rule[kind]}", str(rule[kind]), str(rule["expr"]), str(empty), logs)
