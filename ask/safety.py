"""What may be executed: checked on the tree of a query, before anything is sent to the hub."""

from __future__ import annotations

import re
from dataclasses import dataclass

import promql_parser as parser

from ask import lexicon, promql

_COUNTER_FUNCTIONS = {"rate", "irate", "increase"}


@dataclass(frozen=True)
class Limits:
    """Bounds of a question and its query; every one is a setting."""

    question: int = 500  # characters
    length: int = 12000  # of a query
    nodes: int = 400
    depth: int = 40
    selectors: int = 60
    window: float = 31 * 86400.0  # seconds, of one selector or subquery
    range: float = 400 * 86400.0  # seconds, of the time range with offsets
    points: int = 1500  # of one series
    subquery_points: int = 12000
    series: int = 5000
    samples: int = 20_000_000
    lines: int = 200
    log_range: float = 7 * 86400.0


class Refused(ValueError):
    """Why something is not executed."""


def question(text: str, limits: Limits) -> str:
    """The question without surrounding spaces. Raises Refused."""
    plain = text.strip()
    if not plain:
        raise Refused("The question is empty. Ask, for example: how full are the disks?")
    if len(plain) > limits.question:
        raise Refused(f"The question has {len(plain)} characters, at most {limits.question} are read. Shorten it.")
    if any(ord(one) < 32 and one not in "\t\n\r" for one in plain):
        raise Refused("The question contains control characters.")
    for pattern, reason in lexicon.REFUSED:
        if re.search(pattern, plain.lower(), re.DOTALL):
            raise Refused(f"This is not answered: {reason}.")
    if re.search(r"\{[^}]*(?:=~|!~|=|!=)[^}]*\}", plain):
        raise Refused("This is a query, not a question. Queries are run in Grafana's Explore.")
    return plain


def check(text: str, known: frozenset[str], limits: Limits) -> parser.Expr:
    """The tree of a PromQL query that may be executed. Raises Refused."""
    if len(text) > limits.length:
        raise Refused(f"The query has {len(text)} characters, at most {limits.length} are allowed.")
    try:
        tree = promql.parse(text)
    except promql.NotPromQL as problem:
        raise Refused(f"The query is not valid PromQL: {problem}") from None
    nodes = list(promql.walk(tree))
    _bounded("parts", len(nodes), limits.nodes)
    _bounded("levels", _depth(tree), limits.depth)
    selectors = promql.selectors(tree)
    _bounded("selectors", len(selectors), limits.selectors)
    for one in selectors:
        _selector(one, known, limits)
    _subqueries(tree, limits, inside=False)
    _functions(nodes)
    return tree


def _bounded(what: str, count: int, limit: int) -> None:
    if count > limit:
        raise Refused(f"The query has {count} {what}, at most {limit} are allowed.")


def _depth(node: parser.Expr) -> int:
    return 1 + max((_depth(child) for child in promql.children(node)), default=0)


def _selector(one: promql.Selector, known: frozenset[str], limits: Limits) -> None:
    """A metric by its name, or names joined by `|`; matchers that select everything do not count."""
    if one.alternatives:
        raise Refused("A selector joins matchers by `or`.")
    names = one.names
    if not names or any(not re.fullmatch(r"[A-Za-z_:][\w:]*", name) for name in names):
        raise Refused("A selector does not name its metric.")
    if known and (unknown := sorted(names - known)) and not names & known:
        raise Refused(f"There is no metric {unknown[0]}.")
    if one.window > limits.window:
        raise Refused(f"A window of {promql.duration(one.window)} exceeds {promql.duration(limits.window)}.")
    if abs(one.offset) > limits.range:
        raise Refused(f"An offset of {promql.duration(one.offset)} exceeds {promql.duration(limits.range)}.")


def _subqueries(node: parser.Expr, limits: Limits, inside: bool) -> None:
    """At most one level, and a bounded number of steps."""
    here = inside
    if isinstance(node, parser.SubqueryExpr):
        if inside:
            raise Refused("The query nests subqueries.")
        here = True
        length = promql.seconds(node.range)
        step = promql.seconds(node.step) or 60.0
        if length > limits.window:
            raise Refused(f"A subquery of {promql.duration(length)} exceeds {promql.duration(limits.window)}.")
        _bounded("steps in a subquery", round(length / max(1.0, step)), limits.subquery_points)
    for child in promql.children(node):
        _subqueries(child, limits, here)


def _functions(nodes: list[parser.Expr]) -> None:
    for node in nodes:
        if not isinstance(node, parser.Call):
            continue
        selectors = promql.selectors(node)
        if node.func.name in _COUNTER_FUNCTIONS and selectors:
            gauges = [one.name for one in selectors if _is_gauge(one.name)]
            if gauges:
                raise Refused(f"{node.func.name}() needs a counter, and {gauges[0]} is none.")
        if node.func.name == "histogram_quantile" and not _keeps_le(node):
            raise Refused("histogram_quantile() needs the label `le`.")


def _is_gauge(name: str) -> bool:
    """By name: what ends like a gauge. Exporters have counters without `_total`, so this list is of gauges."""
    return name.endswith(("_ratio", "_percent", "_celsius", "_info", "_timestamp_seconds", "_timestamp"))


def _keeps_le(call: parser.Call) -> bool:
    kept = promql.labels_kept(call.args[-1])
    return kept is None or "le" in kept


def time_range(start: float, end: float, now: float, limits: Limits, logs: bool = False) -> float:
    """The step of a range query. Raises Refused for a range that is too long or in the future."""
    longest = limits.log_range if logs else limits.range
    if end - start > longest:
        raise Refused(
            f"A time range of {(end - start) / 86400:.0f} days exceeds {longest / 86400:.0f} days. Ask for less."
        )
    if start > now:
        raise Refused("The time is in the future.")
    return max(60.0, -(-(end - start) // (limits.points * 15)) * 15)
