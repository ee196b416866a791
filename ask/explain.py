"""Why an alert fires: its rule in plain language, where it fires, the values behind it, and where its runbook is."""

from __future__ import annotations

import re
from dataclasses import replace

import promql_parser as parser

from ask import links, promql, ranking, wording, words
from ask.answer import Answer
from ask.catalogue import Catalogue, Entry
from ask.client import Away, Hub
from ask.compose import Query

_WHY = re.compile(r"\b(?:why|explain|what does|what is the (?:alert|meaning)|meaning of|warum|por qué)\b")
_COMPARISONS = {">", "<", ">=", "<=", "==", "!="}
ENOUGH = 0.8


def alert_of(question: str, catalogue: Catalogue) -> Entry | None:
    """The alert that a question names or describes, if it wants an explanation."""
    lower = question.lower()
    if not _WHY.search(lower):
        return None
    for name, entry in catalogue.alerts.items():
        if re.search(rf"\b{name.lower()}\b", lower):
            return entry
    if not re.search(r"\b(?:alert|fire[ds]?|firing|alarm)\b", lower):
        return None
    index = ranking.Index(catalogue.alerts.values())
    asked = tuple(one for one in words.content(_WHY.sub(" ", lower)) if one not in {"alert", "firing", "mean"})
    ranked = index.rank(asked, frozenset())
    return ranked[0].entry if ranked and ranked[0].score >= ENOUGH else None


def explain(question: str, alert: Entry, hub: Hub, now: float, site: str = "") -> Answer:
    """The explanation of an alert at a time."""
    query = Query(_values(alert), alert.language, now, now)
    waits = f" for {alert.wait}" if alert.wait not in {"", "0s"} else ""
    rule = f"{alert.title} ({alert.severity}) fires if this holds{waits}"
    found = {"explore": links.explore(site, query), "board": links.board(site, alert.board, "", now, now)}
    answer = Answer(
        question=question,
        status="answered",
        sentence=f"{rule}. {alert.meaning}",
        query=query.text,
        language=alert.language,
        start=now,
        end=now,
        title=alert.title,
        explanation=wording.describe(promql.parse(alert.expr)) if alert.language == "promql" else "",
        links={**found, "runbook": alert.runbook},
        confidence=1.0,
    )
    try:
        firing = hub.instant(f'ALERTS{{alertname="{alert.title}",alertstate="firing"}}', now)
    except Away as problem:
        return replace(answer, status="failed", sentence=f"{answer.sentence} {problem}")
    where = [_place(one["metric"]) for one in firing]
    state = f"It fires now for {'; '.join(where)}." if where else "It does not fire now."
    rows = [{"name": _place(one["metric"]), "labels": one["metric"], "value": 1.0, "text": "firing"} for one in firing]
    return replace(answer, sentence=f"{answer.sentence} {state}", rows=rows)


def _place(labels: dict[str, str]) -> str:
    hidden = {"__name__", "alertname", "alertstate", "env", "severity", "job", "instance"}
    return " ".join(value for label, value in sorted(labels.items()) if label not in hidden and value) or "the fleet"


def _values(alert: Entry) -> str:
    """The expression without its first comparison with a number: the values that the rule looks at."""
    if alert.language != "promql":
        return alert.expr
    node = promql.parse(alert.expr)
    while isinstance(node, (parser.BinaryExpr, parser.ParenExpr)):
        if isinstance(node, parser.ParenExpr):
            node = node.expr
        elif str(node.op) in _COMPARISONS and isinstance(node.rhs, parser.NumberLiteral):
            return promql.text(node.lhs)
        elif str(node.op) in {"and", "or", "unless"}:
            node = node.lhs
        else:
            break
    return alert.expr
