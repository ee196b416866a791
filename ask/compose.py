"""From an entry and what a question wants to a query: matchers, windows, offset, groups, top N, bounds."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

import promql_parser as parser

from ask import grouping, promql, units
from ask.catalogue import Entry, filled
from ask.grammar import Threshold, Wants
from ask.moments import Times
from ask.promql import Selector

RATE = 300.0
HOUR = 3600.0  # the time range of a question that names none
EVENTS = re.compile(r"\b(increase|changes)\b")


class CannotBind(ValueError):
    """The entry has no label for what the question names."""


@dataclass(frozen=True)
class Query:
    """A query with its time: instant if start and end are equal."""

    text: str
    language: str
    start: float
    end: float
    form: str = "value"  # value, series or lines
    notes: tuple[str, ...] = ()


Bound = dict[str, tuple[str, ...]]
# The last six have values that a question states in ordinary terms.
_BINDABLE = {
    "mountpoint", "datname", "container", "table", "hypertable", "view", "slot",
    "status", "code", "state", "severity", "part", "alertname",
}  # fmt: skip


def labels_of(entry: Entry) -> frozenset[str]:
    """The labels that an entry can be restricted by: its variables, and what its expression groups or selects by."""
    return _labels(entry.expr, tuple(entry.variables.values()))


@lru_cache(maxsize=4096)
def _labels(expr: str, variables: tuple[str, ...]) -> frozenset[str]:
    found = set(variables) & set(re.findall(r"[a-z_]+", expr)) - {"job"}
    tree = promql.parse(filled(expr))
    for node in promql.walk(tree):
        if isinstance(node, parser.AggregateExpr) and node.modifier is not None:
            found |= set(node.modifier.labels)
    matchers = [one for each in promql.selectors(tree) for one in each.matchers]
    found |= {one.label for one in matchers if "$" in one.value}
    if any(one.label == "host" and one.op == "=" for one in matchers):
        found.discard("host")
    if any("node_filesystem" in name for name in promql.names(tree)):
        found.add("mountpoint")
    return frozenset(found)


@lru_cache(maxsize=4096)
def fixed_host(expr: str) -> str:
    """The one host that an expression is always about; empty if there is none."""
    matchers = [one for each in promql.selectors(promql.parse(filled(expr))) for one in each.matchers]
    return next((one.value for one in matchers if one.label == "host" and one.op == "=" and "$" not in one.value), "")


@lru_cache(maxsize=4096)
def kept_labels(expr: str) -> tuple[str, ...] | None:
    """The labels of an entry's result; None: those of its metrics."""
    return promql.labels_kept(promql.parse(filled(expr)))


def tree_of(entry: Entry, window: float, rate: float) -> parser.Expr:
    """The entry's expression with windows in place of Grafana's variables."""
    every = max(rate, 4 * entry.interval)
    return promql.parse(filled(entry.expr, promql.duration(every), promql.duration(window)))


def bind(one: Selector, bound: Bound, back: float, present: frozenset[str] = frozenset()) -> Selector:
    """A selector with the question's matchers instead of the dashboard's variables, shifted by `back` seconds. Labels
    in `present` have a value."""
    has = {matcher.label for matcher in one.matchers if "$" in matcher.value}
    everywhere = {"host", *has}
    kept = one.without_variables(present - set(bound))
    extra = []
    for label, values in bound.items():
        if label in everywhere | _BINDABLE or (label == "job" and one.name == "up"):
            extra.append(promql.among(label, values))
    fixed = tuple(m for m in kept.matchers if not (m.label in bound and m.label == "host" and m.op == "=~"))
    return replace(kept, matchers=(*fixed, *extra), offset=kept.offset + back)


def wrapped(expr: str) -> str:
    """In parentheses where an operator would bind otherwise."""
    return (
        expr if isinstance(promql.parse(expr), (parser.VectorSelector, parser.Call, parser.ParenExpr)) else f"({expr})"
    )


def build(entry: Entry, bound: Bound, wants: Wants, times: Times) -> Query:
    """The query for an entry. Raises CannotBind if a name of the question has no label in it."""
    can = labels_of(entry)
    if missing := [label for label in bound if label not in can]:
        raise CannotBind(missing[0])
    span = times.end - times.start if times.window else HOUR
    events = bool(EVENTS.search(entry.expr)) or "$__range" in entry.expr
    counted = wants.counted and times.window and entry.unit in units.PER_SECOND and wants.per == 1
    tree = tree_of(entry, span, span if events or counted else RATE)
    if counted:
        tree, events = promql.parse(promql.text(tree).replace("rate(", "increase(")), True
    expr = promql.text(tree, lambda one: bind(one, bound, 0, entry.present))
    notes: list[str] = []
    start, end, form = times.end, times.end, "value"
    expr = _grouped(expr, wants, can)
    if times.back:
        before = _grouped(promql.text(tree, lambda one: bind(one, bound, times.back, entry.present)), wants, can)
        if re.search(r"\btime\(\)", expr):
            before = f"{wrapped(before)} - {times.back:.0f}"
        expr = f"{wrapped(expr)} - {wrapped(before)}"
    elif times.window and not events:
        if wants.over_time:
            expr = f"{wants.over_time}_over_time({wrapped(expr)}[{promql.duration(span)}:1m])"
        elif not wants.top and wants.threshold is None:
            start, form = times.start, "series"
        else:
            expr = f"avg_over_time({wrapped(expr)}[{promql.duration(span)}:1m])"
            notes.append("the average of the time range is compared")
    elif wants.chart and not times.moment and not events:
        start, form = times.end - HOUR, "series"
        notes.append("no time was given: the last hour")
    elif events and not times.window:
        notes.append("no time was given: the last hour")
    if scaled(entry, wants):
        expr = f"{wrapped(expr)} * {wants.per:g}"
    expr = finish(expr, wants, entry.unit, notes)
    return Query(expr, "promql", start, end, form, tuple(notes))


def scaled(entry: Entry, wants: Wants) -> bool:
    """Whether a panel's values per second are wanted per minute, hour or day."""
    return wants.per != 1 and units.is_rate(entry.unit) and not EVENTS.search(entry.expr)


def _grouped(expr: str, wants: Wants, labels: frozenset[str]) -> str:
    """By the labels that the question names, where the result has them and others, or one number in total."""
    tree = promql.parse(expr)
    kept = promql.labels_kept(tree)
    if wants.total and kept != ():
        return f"sum({expr})"
    if not wants.groups or kept is None:
        return expr
    return (grouping.grouped(tree, wants.groups, labels) or expr) if kept == () else expr


def has_groups(entry: Entry, groups: tuple[str, ...]) -> bool:
    """Whether the entry's result has the labels, or can have them."""
    kept = kept_labels(entry.expr)
    if kept is None or set(groups) <= set(kept):
        return True
    return kept == () and bool(grouping.grouped(promql.parse(filled(entry.expr)), groups, labels_of(entry)))


def finish(expr: str, wants: Wants, unit: str, notes: list[str]) -> str:
    """The bound and the largest N around an expression."""
    if wants.threshold is not None:
        expr = f"{wrapped(expr)} {wants.threshold.op} {_bound(wants.threshold, unit, notes)}"
        if wants.counted:
            return f"count({expr}) or vector(0)"
    if wants.top:
        expr = f"{'bottomk' if wants.lowest else 'topk'}({wants.top}, {expr})"
    return expr


def _bound(threshold: Threshold, unit: str, notes: list[str]) -> str:
    """The bound in the unit of the values."""
    value = threshold.value
    if threshold.kind == "" and unit == "percentunit" and value > 1:
        value /= 100
        notes.append(f'"{threshold.written}" is taken as a percentage')
    return f"{value:.12g}"


def fits(threshold: Threshold | None, unit: str) -> bool:
    """Whether the bound's unit can be one of the values."""
    if threshold is None or not threshold.kind:
        return True
    return is_of(threshold.kind, unit)


def is_of(kind: str, unit: str) -> bool:
    """Whether a panel's unit is of a kind of measure."""
    kinds = {"share": {"percentunit"}, "time": {"s"}, "bytes": {"bytes", "binBps", "decbytes"}}
    return unit in kinds[kind] or unit == ""
