"""Plans executed: a sentence with value and unit, the values, the query in plain language, assumptions and links."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ask import compose, cost, links, logql, promql, safety, times, units, wording
from ask.client import Away, Hub, TooMuch
from ask.engine import Engine
from ask.plan import Plan
from ask.reading import Context
from ask.safety import Refused
from ask.world import World

ROWS, SERIES = 20, 50  # of a table, whose rest is counted, and of a chart
LINE = 4000  # characters of a log line that are shown
_HIDDEN = {"__name__", "env", "instance"}


@dataclass(frozen=True)
class Answer:
    """What a user gets. `status`: answered, empty, abstained, refused or failed."""

    question: str
    status: str
    sentence: str
    query: str = ""
    language: str = ""
    start: float = 0.0
    end: float = 0.0
    explanation: str = ""
    title: str = ""
    unit: str = ""
    rows: list[dict[str, Any]] = field(default_factory=list)
    series: list[dict[str, Any]] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)
    readings: list[str] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)  # the first ones of a runbook
    links: dict[str, str] = field(default_factory=dict)
    confidence: float = 0.0
    engine: str = "deterministic"
    model: str = ""  # if a language model was used: accepted, rejected, none or unavailable
    embeddings: str = ""  # if a provider of embeddings was used: used or unavailable

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def ask(engine: Engine, hub: Hub, world: World, question: str, now: float, context: Context, site: str = "") -> Answer:
    """Plan, estimate, execute, and phrase the answer. A store that is down gives an answer that names it."""
    plan = engine.plan(question, world, now, context)
    if plan.refusal:
        return Answer(question, "refused", plan.refusal, readings=list(plan.readings))
    if plan.query is None:
        return Answer(question, "abstained", plan.abstention, readings=list(plan.readings))
    try:
        return execute(engine, hub, plan, question, now, site)
    except Refused as refusal:
        return replace(_stated(plan, question, site, "refused"), sentence=str(refusal))
    except TooMuch as problem:
        sentence = f"{problem}. Name a host or a container, or ask for less time."
        return replace(_stated(plan, question, site, "refused"), sentence=sentence)
    except Away as problem:
        return replace(_stated(plan, question, site, "failed"), sentence=str(problem))


def _stated(plan: Plan, question: str, site: str, status: str) -> Answer:
    """Everything of an answer that does not depend on values."""
    query = plan.query
    assert query is not None
    found = {"explore": links.explore(site, query)}
    host = next((one.value for one in plan.reading.mentions if "host" in one.labels), "") if plan.reading else ""
    if plan.entry is not None and plan.entry.board:
        found["board"] = links.board(site, plan.entry.board, host, query.start, query.end)
    explained = wording.describe(promql.parse(query.text)) if query.language == "promql" else ""
    return Answer(
        question=question,
        status=status,
        sentence="",
        query=query.text,
        language=query.language,
        start=query.start,
        end=query.end,
        explanation=explained,
        title=_title(plan),
        unit=_unit(plan),
        assumptions=list(plan.assumptions),
        readings=list(plan.readings),
        links=found,
        confidence=plan.confidence,
        engine="derived" if plan.derived else "deterministic",
    )


def _unit(plan: Plan) -> str:
    """The unit of the values of a plan's query."""
    entry, reading = plan.entry, plan.reading
    if entry is None or _is_counted(plan):
        return ""
    if reading is not None and compose.scaled(entry, reading.wants):
        return units.per(entry.unit, reading.wants.per)
    return entry.unit


def _is_counted(plan: Plan) -> bool:
    """Whether events of the time range are counted that the panel shows per second."""
    entry, query = plan.entry, plan.query
    per_second = entry is not None and entry.unit in units.PER_SECOND and "increase(" not in entry.expr
    return per_second and query is not None and "increase(" in query.text


def _title(plan: Plan) -> str:
    if plan.entry is None and plan.query is not None:
        logs = plan.query.language == "logql"
        return "Log lines" if logs else min(promql.names(promql.parse(plan.query.text)), default="Value")
    if plan.entry is None:
        return ""
    name = f", {plan.entry.name}" if plan.entry.name and "{{" not in plan.entry.name else ""
    return f"{plan.entry.title}{name}{', counted' if _is_counted(plan) else ''}"


def execute(engine: Engine, hub: Hub, plan: Plan, question: str, now: float, site: str = "") -> Answer:
    """The answer of a plan that has a query. Raises Refused for what would cost too much, and Away."""
    query = plan.query
    assert query is not None
    logs = query.language == "logql"
    limits = engine.limits
    step = safety.time_range(query.start, query.end, now, limits, logs)
    if logs:
        cost.check_logs(hub, logql.read(query.text), query.start, query.end, limits)
    else:
        tree = promql.parse(query.text)
        cost.check_reach(tree, query.start, query.end, limits)
        cost.check(cost.estimate(hub, tree, query.start, query.end, step, limits), limits)
    answer = _stated(plan, question, site, "answered")
    if query.form == "lines":
        return _with_lines(answer, hub.lines(query.text, query.start, query.end, limits.lines))
    if query.start != query.end:
        return _with_series(answer, hub.range(query.text, query.start, query.end, step, logs))
    return _with_values(answer, plan, hub.instant(query.text, query.end, logs))


def _name(labels: dict[str, str]) -> str:
    """The labels that distinguish series."""
    return " ".join(value for label, value in sorted(labels.items(), key=_order) if label not in _HIDDEN and value)


def _order(item: tuple[str, str]) -> tuple[int, str]:
    first = ("host", "job", "container", "database", "datname")
    return (first.index(item[0]) if item[0] in first else len(first), item[0])


def newest(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Log lines of streams, the newest first."""
    lines = [
        {"time": int(value[0]) / 1e9, "labels": one["stream"], "line": _cut(value[1])}
        for one in found
        for value in one["values"]
    ]
    return sorted(lines, key=lambda one: -float(one["time"]))


def _cut(line: str) -> str:
    return line if len(line) <= LINE else f"{line[:LINE]}… ({len(line) - LINE} more characters)"


def _with_lines(answer: Answer, found: list[dict[str, Any]]) -> Answer:
    lines = newest(found)
    if not lines:
        return replace(answer, status="empty", sentence="There are no such log lines in this time range.")
    sources = {_name({k: v for k, v in one["labels"].items() if k in {"host", "container"}}) for one in lines}
    sentence = f"{len(lines)} log lines of {len(sources)} sources; the newest is: {lines[0]['line'][:200]}"
    return replace(answer, sentence=sentence, lines=lines)


def _with_series(answer: Answer, found: list[dict[str, Any]]) -> Answer:
    if not found:
        return replace(answer, status="empty", sentence=_empty(answer))
    rows: list[dict[str, Any]] = []
    series: list[dict[str, Any]] = []
    for one in found:
        values = [float(value) for _, value in one["values"]]
        points = [value for value in values if not math.isnan(value)]
        if points:
            mean = sum(points) / len(points)
            rows.append({"name": _name(one["metric"]), "labels": one["metric"], "value": mean})
            series.append({"name": _name(one["metric"]), "values": [[at, float(v)] for at, v in one["values"]]})
    rows = _sorted(rows, answer.unit)
    span = times.show(answer.end - answer.start)
    sentence = f"{answer.title}, average of {span}: {_listed(rows)}."
    return replace(answer, sentence=sentence, rows=rows[:ROWS], series=series[:SERIES])


def _with_values(answer: Answer, plan: Plan, found: list[dict[str, Any]]) -> Answer:
    reading = plan.reading
    assert reading is not None
    wants, back = reading.wants, reading.times.back
    rows: list[dict[str, Any]] = [
        {"name": _name(one["metric"]), "labels": one["metric"], "value": float(one["value"][1])} for one in found
    ]
    rows = [one for one in rows if not math.isnan(one["value"])]
    if not rows:
        bound = wants.threshold
        sentence = f"No: nothing is {bound.written}." if bound is not None else _empty(answer)
        return replace(answer, status="answered" if bound is not None else "empty", sentence=sentence)
    rows = _sorted(rows, answer.unit, signed=bool(back), lowest=wants.lowest)
    what = f"{answer.title}: {_listed(rows)}."
    if back:
        what = f"{answer.title}, difference to {times.show(back)} before: {_listed(rows)}."
    if wants.threshold is not None and wants.counted and len(rows) == 1 and not rows[0]["labels"]:
        count = rows[0]["value"]
        what = f"{count:.0f} {'is' if count == 1 else 'are'} {wants.threshold.written} ({answer.title})."
        rows = [{**rows[0], "text": f"{count:.0f}"}]
    elif wants.threshold is not None:
        what = f"{'Yes: ' if wants.yes_no else ''}{len(rows)} {'is' if len(rows) == 1 else 'are'} " + (
            f"{wants.threshold.written}. {answer.title}: {_listed(rows)}."
        )
    return replace(answer, sentence=what, rows=rows[:ROWS])


def _empty(answer: Answer) -> str:
    return f"{answer.title}: the query has no result at this time. That is an answer: there is no such data."


def _sorted(rows: list[dict[str, Any]], unit: str, signed: bool = False, lowest: bool = False) -> list[dict[str, Any]]:
    found = sorted(rows, key=lambda one: (one["value"] if lowest else -one["value"], one["name"]))
    return [{**one, "text": units.show(one["value"], unit, signed)} for one in found]


def _listed(rows: list[dict[str, Any]]) -> str:
    """Up to five values by name; the number of others."""
    shown = [f"{one['name']} {one['text']}".strip() for one in rows[:5]]
    more = f" and {len(rows) - 5} more, the last {rows[-1]['text']}" if len(rows) > 5 else ""
    return "; ".join(shown) + more
