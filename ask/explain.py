"""Why an alert fires: its rule in plain language, where it fires, the values behind it, and where its runbook is."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

from ask import cost, fired, links, promql, ranking, times, units, wording, words
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
LATE = 4e9  # a time before which every date in a question is, whatever the present one is
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
    untimed = times.parse(_WHY.sub(" ", lower), LATE).rest
    asked = tuple(one for one in words.content(untimed) if one not in {"alert", "firing", "mean"})
    ranked = index.rank(asked, frozenset())
    return ranked[0].entry if ranked and ranked[0].score >= ENOUGH else None


def explain(question: str, alert: Entry, hub: Hub, now: float, site: str = "", limits: Limits = DEFAULT) -> Answer:
    """The explanation of an alert at the time that the question names, else now: its rule, where it fires, the values
    of the hour before, the runbook's first checks, and errors in the logs of what it fires for. If it does not fire
    then, of the last time that it fired."""
    named = times.parse(question.lower(), now)
    at = now if named.future else min(named.end, now)
    if now - at > 2 * limits.range:
        return Answer(question, "refused", "The time is too long ago.")
    waits = f" for {alert.wait}" if alert.wait not in {"", "0s"} else ""
    rule = f"{alert.title} ({alert.severity}) fires if this holds{waits}. {alert.meaning}"
    look = looked_at(alert.expr) if alert.language == "promql" else Look(alert.expr)
    try:
        found = fired.state(alert.title, hub, at, now, limits)
    except Away as problem:
        return replace(_stated(question, alert, look, at, site), status="failed", sentence=f"{rule} {problem}")
    notes = ["the time in the question is in the future: this is the present state"] if named.future else []
    answer = replace(
        _stated(question, alert, look, found.at, site),
        sentence=f"{rule} {found.sentence}",
        assumptions=[*notes, *found.notes],
    )
    answer = _with_values(answer, look, hub, found.firing, limits)
    return _with_lines(answer, hub, found.firing) if found.firing else answer


def _stated(question: str, alert: Entry, look: Look, at: float, site: str) -> Answer:
    """Everything of an explanation that does not depend on values."""
    query = Query(look.text, alert.language, at - HOUR, at, "series")
    found = {"explore": links.explore(site, query), "board": links.board(site, alert.board, "", at - HOUR, at)}
    return Answer(
        question=question,
        status="answered",
        sentence="",
        query=query.text,
        language=alert.language,
        start=query.start,
        end=at,
        title=alert.title,
        unit=alert.unit,
        explanation=wording.describe(promql.parse(alert.expr)) if alert.language == "promql" else "",
        checks=list(alert.checks),
        links={**found, "runbook": alert.runbook},
        confidence=1.0,
    )


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
        row = {"name": fired.place(labels), "labels": labels, "value": last, "text": text}
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
