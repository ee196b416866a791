"""The plan of a question about log lines."""

from __future__ import annotations

import re
from dataclasses import replace

from ask import fitting, logs, promql
from ask.catalogue import Entry, filled
from ask.compose import Query
from ask.moments import Times
from ask.plan import Plan
from ask.reading import Reading
from ask.world import LOG_LABELS, World

_SINCE = re.compile(r"\b(?:since|seit|desde)\b")
_WINDOW = re.compile(r"\[\d+[smhdw]\]")
LINES = 7 * 86400  # seconds that a panel with log lines looks back, if no time is named


def of_panel(entry: Entry, times: Times) -> Query:
    """The query of a panel with log lines or their number, over the time that is named."""
    at, span = times.end, promql.duration(times.end - times.start)
    expr = filled(entry.expr, window=span if times.window else "1h")
    if entry.form == "lines":
        return Query(expr, "logql", times.start if times.window else at - LINES, at, "lines")
    return Query(_WINDOW.sub(f"[{span}]", expr) if times.window else expr, "logql", at, at)


def _difference(text: str, span: str) -> str:
    """The number of lines of a time, and how many more they are than in the same time before. No lines are 0."""
    zero = "" if " by (" in text else " or vector(0)"
    before = text.replace(f"[{span}]", f"[{span}] offset {span}")
    return f"({text}{zero}) - ({before}{zero})"


def plan(reading: Reading, world: World) -> Plan:
    """The query for a question about log lines, or why there is none."""
    bound: dict[str, tuple[str, ...]] = {}
    when, back = reading.times, reading.times.back
    if back:
        when = replace(when, start=when.end - back, back=0, window=True)
    for mention in reading.mentions:
        label = next(
            (one for one in mention.labels if one in LOG_LABELS and mention.value in world.logs.get(one, ())), None
        )
        if label is None and "job" in mention.labels and mention.value in world.logs.get("compose_project", ()):
            label = "compose_project"
        if label is None:
            return Plan(reading=reading, abstention=f"There are no log lines of {mention.value}.")
        bound[label] = (*bound.get(label, ()), mention.value)
    unused = logs.unused(reading.asked, reading.search)
    if unused and not bound and logs.is_unrestricted(reading.original.lower(), reading.search, reading.wants):
        return Plan(reading=reading, abstention=f"Log lines cannot be chosen by {', '.join(unused)}.")
    text = reading.original.lower()
    for mention in reading.mentions:
        text = text.replace(mention.written, " ")
    query = logs.build(text, reading.search, bound, reading.wants, when)
    if back and query.form != "lines" and reading.wants.threshold is None and not query.text.startswith("topk"):
        query = replace(query, text=_difference(query.text, promql.duration(back)))
    elif back and not (query.form == "lines" and _SINCE.search(text)):
        return Plan(reading=reading, abstention="Log lines are not compared with another time, but their number is.")
    found = fitting.assumptions(reading, bound, query)
    if unused:
        found = (*found, f"the lines are not restricted by these terms of the question: {', '.join(unused)}")
    return Plan(reading=reading, query=query, confidence=0.6 if unused else 0.8, assumptions=found)
