"""Why an alert fires: its rule in plain language, where it fires, the values behind it, and where its runbook is."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

from ask import cost, links, promql, ranking, units, wording, words
from ask.answer import Answer, newest
from ask.catalogue import Catalogue, Entry
from ask.client import Away, Hub
from ask.compose import HOUR, Query
from ask.rules import Look, looked_at
from ask.safety import Limits, Refused

_WHY = re.compile(r"\b(?:why|explain|what does|what is the (?:alert|meaning)|meaning of|warum|por qué)\b")
ENOUGH = 0.8
STEP = 60.0
ROWS = 10
PLACES = 5  # whose logs are read
LOGS = 900.0  # seconds of logs
LINES = 20
DEFAULT = Limits()


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


def explain(question: str, alert: Entry, hub: Hub, now: float, site: str = "", limits: Limits = DEFAULT) -> Answer:
    """The explanation of an alert at a time: its rule, where it fires, the values of the last hour, the runbook's first
    checks, and errors in the logs of what it fires for."""
    look = looked_at(alert.expr) if alert.language == "promql" else Look(alert.expr)
    query = Query(look.text, alert.language, now - HOUR, now, "series")
    waits = f" for {alert.wait}" if alert.wait not in {"", "0s"} else ""
    rule = f"{alert.title} ({alert.severity}) fires if this holds{waits}"
    found = {"explore": links.explore(site, query), "board": links.board(site, alert.board, "", now - HOUR, now)}
    answer = Answer(
        question=question,
        status="answered",
        sentence=f"{rule}. {alert.meaning}",
        query=query.text,
        language=alert.language,
        start=query.start,
        end=now,
        title=alert.title,
        unit=alert.unit,
        explanation=wording.describe(promql.parse(alert.expr)) if alert.language == "promql" else "",
        checks=list(alert.checks),
        links={**found, "runbook": alert.runbook},
        confidence=1.0,
    )
    try:
        firing = [one["metric"] for one in hub.instant(f'ALERTS{{alertname="{alert.title}",alertstate="firing"}}', now)]
    except Away as problem:
        return replace(answer, status="failed", sentence=f"{answer.sentence} {problem}")
    places = list(dict.fromkeys(_place(one) for one in firing))
    state = f"It fires now for {'; '.join(places)}." if places else "It does not fire now."
    answer = _with_values(replace(answer, sentence=f"{answer.sentence} {state}"), look, hub, firing, limits)
    return _with_lines(answer, hub, firing) if firing else answer


def _with_values(answer: Answer, look: Look, hub: Hub, firing: list[dict[str, str]], limits: Limits) -> Answer:
    """The values that the rule looks at: those that it fires for first, then the nearest to its bound."""
    logs = answer.language == "logql"
    try:
        if not logs:
            cost.check(cost.estimate(hub, promql.parse(answer.query), answer.start, answer.end, STEP, limits), limits)
        found = hub.range(answer.query, answer.start, answer.end, STEP, logs)
    except (Away, Refused) as problem:
        return replace(answer, assumptions=[*answer.assumptions, f"without values: {problem}"])
    rows: list[dict[str, Any]] = []
    for one in found:
        points = [[float(at), float(value)] for at, value in one["values"]]
        labels = one["metric"]
        fires = any(_same(labels, each) for each in firing)
        last = points[-1][1]
        text = units.show(last, answer.unit) + (", firing" if fires else "")
        row = {"name": _place(labels), "labels": labels, "value": last, "text": text}
        rows.append({"fires": fires, "row": row, "points": points})
    sign = 1 if look.op.startswith("<") else -1
    rows = [one for one in rows if not math.isnan(one["row"]["value"])]
    rows.sort(key=lambda one: (not one["fires"], sign * one["row"]["value"], one["row"]["name"]))
    shown = [one["row"] for one in rows[:ROWS]]
    series = [{"name": one["row"]["name"], "values": one["points"]} for one in rows[:ROWS]]
    return replace(answer, rows=shown, series=series)


def _with_lines(answer: Answer, hub: Hub, firing: list[dict[str, str]]) -> Answer:
    """The newest errors of the hosts or containers that it fires for."""
    label = "container" if all(one.get("container") for one in firing) else "host"
    values = tuple(sorted({one[label] for one in firing if one.get(label)}))[:PLACES]
    if not values:
        return answer
    query = f'{{{promql.among(label, values)}}} | level=~"error|fatal"'
    try:
        found = hub.lines(query, answer.end - LOGS, answer.end, LINES)
    except Away as problem:
        return replace(answer, assumptions=[*answer.assumptions, f"without log lines: {problem}"])
    return replace(answer, lines=newest(found)[:LINES])


def _same(labels: dict[str, str], alert: dict[str, str]) -> bool:
    """Whether a value belongs to an alert: the labels that both have agree, and there is one."""
    common = (set(labels) & set(alert)) - {"env", "job", "instance", "__name__"}
    return bool(common) and all(labels[one] == alert[one] for one in common)


def _place(labels: dict[str, str]) -> str:
    hidden = {"__name__", "alertname", "alertstate", "env", "severity", "job", "instance"}
    return " ".join(value for label, value in sorted(labels.items()) if label not in hidden and value) or "the fleet"
