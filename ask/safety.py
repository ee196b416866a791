"""What may be executed: checked on the tree of a query, before anything is sent to the hub."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

import promql_parser as parser

from ask import lexicon, promql, texts

_COUNTER_FUNCTIONS = {"rate", "irate", "increase"}
_LABEL_FUNCTIONS = {"label_replace", "label_join"}
LABEL_FUNCTIONS, REFERENCES = 4, 6  # calls that write labels, and parts of each: every part may double a label
STEP = 15.0  # seconds of a subquery without a step: the hub's interval of evaluation
_OPERATORS = re.compile(r"[-+*/%^<>=!,]+|\b(?:and|or|unless|atan2)\b")


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
    log_bytes: int = 4 * 1024**3  # that a query about lines has to read


class Refused(ValueError):
    """Why something is not executed."""


def question(text: str, limits: Limits) -> str:
    """The question without surrounding spaces. Raises Refused."""
    plain = text.strip()
    if not plain:
        raise Refused("The question is empty. Ask, for example: how full are the disks?")
    if len(plain) > limits.question:
        raise Refused(f"The question has {len(plain)} characters, at most {limits.question} are read. Shorten it.")
    if re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]", plain):  # half a character is none either
        raise Refused("The question contains control characters.")
    for pattern, reason in lexicon.REFUSED:
        if re.search(pattern, plain.lower(), re.DOTALL):
            raise Refused(f"This is not answered: {reason}.")
    if re.search(r"\{[^}]*(?:=~|!~|=|!=)[^}]*\}", plain):
        raise Refused("This is a query, not a question. Queries are run in Grafana's Explore.")
    return plain


def check(
    text: str, known: frozenset[str], limits: Limits, now: float | None = None, exact: bool = False
) -> parser.Expr:
    """The tree of a PromQL query that may be executed. `exact`: every metric has to exist, not only one of those that a
    selector joins, and the result is one of numbers. Raises Refused."""
    if len(text) > limits.length:
        raise Refused(f"The query has {len(text)} characters, at most {limits.length} are allowed.")
    _readable(text, limits)
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
        _selector(one, known, limits, exact)
    _subqueries(tree, limits, inside=False)
    _moments(nodes, limits, time.time() if now is None else now)
    _functions(nodes)
    _labels(tree, nodes)
    if exact:
        _result(tree, selectors)
    return tree


def _result(tree: parser.Expr, selectors: list[promql.Selector]) -> None:
    """The result of a query that a caller wrote is numbers of metrics. Raises Refused."""
    while isinstance(tree, parser.ParenExpr):
        tree = tree.expr
    if not selectors:
        raise Refused("The query reads no metric.")
    if isinstance(tree, (parser.MatrixSelector, parser.SubqueryExpr)):
        raise Refused("The result would be raw samples. Use a function such as avg_over_time() or rate().")


def _readable(text: str, limits: Limits) -> None:
    """Bounds that hold before the text is parsed: a parser, and whoever walks its tree, goes down level by level."""
    plain, depth, deepest = texts.PLACES.sub('""', text), 0, 0
    for one in plain:
        depth += (one in "([{") - (one in ")]}")
        deepest = max(deepest, depth)
    _bounded("levels", deepest, limits.depth)
    _bounded("operators", len(_OPERATORS.findall(plain)), 4 * limits.nodes)
    longest = max((len(one) for one in re.findall(r"(?:[-+]\s*)+", plain)), default=0)
    _bounded("levels", longest, limits.depth)
    try:  # the parser compiles every pattern
        problem = texts.problem(texts.within(text))
    except ValueError as invalid:
        problem = f"The query is not valid PromQL: {invalid}."
    if problem:
        raise Refused(problem)


def _bounded(what: str, count: int, limit: int) -> None:
    if count > limit:
        raise Refused(f"The query has {count} {what}, at most {limit} are allowed.")


def _depth(node: parser.Expr) -> int:
    levels, here = 0, [node]
    while here:
        levels, here = levels + 1, [child for one in here for child in promql.children(one)]
    return levels


def _selector(one: promql.Selector, known: frozenset[str], limits: Limits, exact: bool) -> None:
    """A metric by its name, or names joined by `|`; matchers that select everything do not count."""
    if one.alternatives:
        raise Refused("A selector joins matchers by `or`.")
    names = one.names
    if not names or any(not re.fullmatch(r"[A-Za-z_:][\w:]*", name) for name in names):
        raise Refused("A selector does not name its metric.")
    unknown = sorted(names - known) if known else []
    if unknown and (exact or not names & known):
        raise Refused(f"There is no metric {unknown[0]}.")
    if one.window > limits.window:
        raise Refused(f"A window of {promql.duration(one.window)} exceeds {promql.duration(limits.window)}.")
    _offset(one.offset, limits)
    for matcher in one.matchers:
        if matcher.op in {"=~", "!~"}:
            pattern(matcher.value)


def pattern(text: str) -> None:
    """A regular expression that is compiled in bounded memory. Raises Refused."""
    if problem := texts.problem([text]):
        raise Refused(problem)


def _offset(length: float, limits: Limits) -> None:
    if abs(length) > limits.range:
        raise Refused(f"An offset of {promql.duration(length)} exceeds {promql.duration(limits.range)}.")


def steps(node: parser.SubqueryExpr) -> int:
    """How often a subquery evaluates its expression."""
    return round(promql.seconds(node.range) / (promql.seconds(node.step) or STEP)) + 1


def _subqueries(node: parser.Expr, limits: Limits, inside: bool) -> None:
    """At most one level, and a bounded number of steps."""
    here = inside
    if isinstance(node, parser.SubqueryExpr):
        if inside:
            raise Refused("The query nests subqueries.")
        here = True
        length = promql.seconds(node.range)
        if length > limits.window:
            raise Refused(f"A subquery of {promql.duration(length)} exceeds {promql.duration(limits.window)}.")
        _bounded("steps in a subquery", steps(node), limits.subquery_points)
        _offset(promql.seconds(node.offset), limits)
    for child in promql.children(node):
        _subqueries(child, limits, here)


def _moments(nodes: list[parser.Expr], limits: Limits, now: float) -> None:
    """A time that is set with `@` is as near as an offset has to be."""
    for node in nodes:
        inner = node.vector_selector if isinstance(node, parser.MatrixSelector) else node
        at = promql.moment(inner.at) if isinstance(inner, (parser.VectorSelector, parser.SubqueryExpr)) else None
        if at is not None and abs(now - at) > limits.range:
            raise Refused(f"A time set with `@` is more than {promql.duration(limits.range)} away.")


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


def _labels(tree: parser.Expr, nodes: list[parser.Expr]) -> None:
    """Functions that write labels may multiply the length of one, and each multiplies what those inside it wrote."""
    _bounded("nested calls that write labels", _written(tree), LABEL_FUNCTIONS)
    for call in nodes:
        if not isinstance(call, parser.Call) or call.func.name not in _LABEL_FUNCTIONS:
            continue
        texts = [one.val for one in call.args if isinstance(one, parser.StringLiteral)]
        if call.func.name == "label_join":
            _bounded("labels in label_join()", len(texts) - 2, REFERENCES)
        else:
            _bounded("parts in label_replace()", sum(one.count("$") for one in texts[1:2]), REFERENCES)
        for one in texts:
            pattern(one)


def _written(node: parser.Expr) -> int:
    """How many calls that write labels are inside each other."""
    own = isinstance(node, parser.Call) and node.func.name in _LABEL_FUNCTIONS
    return own + max((_written(child) for child in promql.children(node)), default=0)


def _is_gauge(name: str) -> bool:
    """By name: what ends like a gauge. Exporters have counters without `_total`, so this list is of gauges."""
    return name.endswith(("_ratio", "_percent", "_celsius", "_info", "_timestamp_seconds", "_timestamp"))


def _keeps_le(call: parser.Call) -> bool:
    kept = promql.labels_kept(call.args[-1])
    dropped = any(_drops_le(one) for one in promql.walk(call.args[-1]))
    return not dropped and (kept is None or "le" in kept)


def _drops_le(node: parser.Expr) -> bool:
    modifier = node.modifier if isinstance(node, parser.AggregateExpr) else None
    return modifier is not None and str(modifier.type).endswith("Without") and "le" in modifier.labels


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
