"""A query in plain language, read back from its tree: what the answer states is what was executed."""

from __future__ import annotations

import promql_parser as parser

from ask import promql
from ask.promql import Matcher, Selector, duration

_AGGREGATES = {
    "sum": "the sum", "max": "the maximum", "min": "the minimum", "avg": "the mean", "count": "the number of series",
    "topk": "the largest", "bottomk": "the smallest", "group": "the groups",
}  # fmt: skip
_FUNCTIONS = {
    "rate": "the per-second rate", "irate": "the per-second rate", "increase": "the increase",
    "changes": "the number of changes", "deriv": "the change per second", "max_over_time": "the highest value",
    "min_over_time": "the lowest value", "avg_over_time": "the average", "last_over_time": "the newest value",
    "count_over_time": "the number of samples", "abs": "the absolute value", "ceil": "the value rounded up",
    "round": "the rounded value", "timestamp": "the time of the newest sample", "absent": "whether there is no",
}  # fmt: skip
_OPERATORS = {
    "-": "minus", "+": "plus", "*": "times", "/": "divided by", ">": "above", "<": "below", ">=": "at least",
    "<=": "at most", "==": "equal to", "!=": "not equal to", "or": "or else", "unless": "except where there is",
    "and": "only where there is",
}  # fmt: skip


def describe(node: parser.Expr) -> str:
    """The expression in plain language."""
    if isinstance(node, parser.BinaryExpr):
        return f"{describe(node.lhs)} {_OPERATORS.get(str(node.op), str(node.op))} {describe(node.rhs)}"
    if isinstance(node, parser.AggregateExpr):
        return _aggregate(node)
    if isinstance(node, parser.Call):
        return _call(node)
    if isinstance(node, parser.ParenExpr):
        return f"({describe(node.expr)})"
    if isinstance(node, parser.UnaryExpr):
        return f"minus {describe(node.expr)}"
    if isinstance(node, parser.SubqueryExpr):
        return f"{describe(node.expr)}, over {duration(promql.seconds(node.range))}"
    if isinstance(node, (parser.VectorSelector, parser.MatrixSelector)):
        return _selector(promql.selector_of(node))
    return promql.text(node)


def _aggregate(node: parser.AggregateExpr) -> str:
    name = _AGGREGATES.get(str(node.op), str(node.op))
    if node.param is not None:
        return f"{name} {promql.text(node.param)} of {describe(node.expr)}"
    by = ""
    if node.modifier is not None and node.modifier.labels:
        kind = "for each" if str(node.modifier.type).endswith("By") else "without"
        by = f" {kind} {', '.join(node.modifier.labels)}"
    return f"{name}{by} of {describe(node.expr)}"


def _call(node: parser.Call) -> str:
    arguments = list(node.args)
    name = node.func.name
    if name == "time":
        return "the current time"
    if name == "vector":
        return promql.text(arguments[0])
    if name == "histogram_quantile":
        return f"the {promql.text(arguments[0])} quantile of {describe(arguments[1])}"
    if name in {"clamp_max", "clamp_min"}:
        bound = "at most" if name == "clamp_max" else "at least"
        return f"{describe(arguments[0])}, {bound} {promql.text(arguments[1])}"
    return f"{_FUNCTIONS.get(name, name)} of {', '.join(describe(one) for one in arguments)}"


def _selector(one: Selector) -> str:
    matchers = [_matcher(each) for each in one.matchers if each.label != "__name__"]
    where = f" where {' and '.join(matchers)}" if matchers else ""
    window = f" over {duration(one.window)}" if one.window else ""
    offset = f", {duration(one.offset)} before" if one.offset else ""
    return f"{one.name or 'the named metrics'}{where}{window}{offset}"


def _matcher(one: Matcher) -> str:
    if not one.value and one.op in {"=", "!="}:
        return f"{one.label} is {'not set' if one.op == '=' else 'set'}"
    verb = {"=": "is", "!=": "is not", "=~": "matches", "!~": "does not match"}[one.op]
    return f"{one.label} {verb} {one.value}"
