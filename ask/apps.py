"""Metrics of apps that no board shows: a template by the metric's type. The answer states that it is derived."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ask import shorthand, words
from ask.compose import Bound, Query, finish
from ask.grammar import Wants
from ask.moments import Times
from ask.promql import Matcher, Selector, among, duration, selector_text
from ask.world import AppMetric

UNIT_WORDS = {"second", "seconds", "byte", "bytes", "total", "bucket", "ratio", "count", "sum", "timestamp"}
_MEAN = re.compile(r"\b(?:average|avg|mean|durchschnitt\w*)\b")
_PARTS = ("_sum", "_count")
_TARGET_LABELS = {"env", "host", "job", "instance", "le"}


@dataclass(frozen=True)
class Candidate:
    """A metric with the terms of its name and the label values that the question names."""

    metric: AppMetric
    score: float
    matchers: tuple[Matcher, ...] = ()


def content(metric: AppMetric) -> tuple[str, ...]:
    """The content terms of a metric's name."""
    parts = [part for part in metric.name.lower().split("_") if part and part not in UNIT_WORDS]
    return tuple(dict.fromkeys(words.canonical(part) for part in parts))


def rank(asked: tuple[str, ...], text: str, metrics: Iterable[AppMetric], hints: frozenset[str]) -> list[Candidate]:
    """Metrics by agreement of their names with the question, the best first."""
    found = []
    for metric in metrics:
        name = content(metric)
        values = _values(metric, text)
        named = {words.canonical(value) for value in values}
        useful = [word for word in asked if word not in _ways(metric)]
        if not useful or not name:
            continue
        hit = [word for word in useful if word in name or word in named]
        of_question = len(hit) / len(useful)
        of_name = sum(1 for word in name if word in asked or word in hints) / len(name)
        if any(word in name for word in hit):
            labels = dict.fromkeys(values.values())
            matchers = tuple(among(label, tuple(v for v in values if values[v] == label)) for label in labels)
            found.append(Candidate(metric, of_question * (0.6 + 0.4 * of_name), matchers))
    return sorted(found, key=lambda one: (-one.score, one.metric.name))


def _ways(metric: AppMetric) -> set[str]:
    """Terms that say how to count and not what."""
    return {"rate", "count", "p50", "p90", "p95", "p99", "usage", "second", "host", "duration"} | (
        {"latency"} if metric.kind == "histogram" else set()
    )


def _values(metric: AppMetric, text: str) -> dict[str, str]:
    """Values of the metric's own labels that the question names: value -> label."""
    found = {}
    for label, values in metric.labels.items():
        if label not in _TARGET_LABELS and len(values) <= 50:
            for value in sorted(values):
                if len(value) >= 3 and value.lower() in text and re.search(rf"\b{re.escape(value.lower())}\b", text):
                    found[value] = label
    return found


def build(found: Candidate, text: str, bound: Bound, wants: Wants, times: Times) -> Query:
    """The query by the metric's type."""
    metric = found.metric
    taken = {matcher.label for matcher in found.matchers}
    several = tuple(one.label for one in found.matchers if one.op == "=~")
    groups = tuple(label for label in wants.groups if label in metric.labels)
    if several and not groups:
        groups = ("env", "host", "job", *several)
    matchers = (*found.matchers, *(among(label, one) for label, one in bound.items() if label not in taken))
    selector = selector_text(Selector(metric.name, matchers))
    span = times.end - times.start if times.window else 0.0
    start = end = times.end
    expr = _value(metric, selector, text, groups, span, 0)
    if times.back:
        before = _value(metric, selector, text, groups, span, times.back)
        expr = f"{expr} - {before}"
    form = "value"
    if span and wants.over_time:
        expr = f"{wants.over_time}_over_time(({expr})[{duration(span)}:1m])"
    elif span and metric.kind == "gauge":
        start, form = times.start, "series"
    if wants.per != 1 and metric.kind == "counter":
        expr = f"{expr} * {wants.per:g}"
    expr = finish(expr, wants, "", [])
    how = {"counter": "rate", "histogram": "quantile", "timestamp": "age", "gauge": "value"}[metric.kind]
    note = f"{metric.name} is on no dashboard; that it is a {metric.kind} is inferred from its name: its {how}"
    return Query(expr, "promql", start, end, form, (note,))


def _value(metric: AppMetric, selector: str, text: str, groups: tuple[str, ...], span: float, back: float) -> str:
    shift = f" offset {duration(back)}" if back else ""
    by = ", ".join(groups or ("env", "host", "job"))
    if metric.kind == "counter":
        events = span and not re.search(r"\brate\b", text)
        function = "increase" if events else "rate"
        return f"sum by ({by}) ({function}({selector}[{duration(span or 300)}]{shift}))"
    if metric.kind == "histogram" and _MEAN.search(text):
        base, window = metric.name.removesuffix("_bucket"), f"[{duration(span or 300)}]{shift}"
        parts = (f"sum by ({by}) (rate({selector.replace(metric.name, base + end, 1)}{window}))" for end in _PARTS)
        return " / ".join(parts)
    if metric.kind == "histogram":
        part = shorthand.quantile(text) or 0.95
        rates = f"sum by ({by}, le) (rate({selector}[{duration(span or 300)}]{shift}))"
        return f"histogram_quantile({part:g}, {rates})"
    if metric.kind == "timestamp":
        return f"time() - max by ({by}) ({selector}{shift})"
    own = set(metric.labels) - _TARGET_LABELS
    return f"sum by ({by}) ({selector}{shift})" if groups or not own else f"{selector}{shift}"
