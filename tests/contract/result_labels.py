"""The labels that the series of an expression have, from how it aggregates them."""

from __future__ import annotations

import re

import promql_parser as promql

from configs.dashboards.model import LOKI

Labels = frozenset[str]
NONE: Labels = frozenset()
# In place of labels that the expression does not name: those of a selector without an aggregation.
UNKNOWN: Labels = frozenset({"*"})
_CHOOSING = {"topk", "bottomk", "limitk", "limit_ratio"}
_SCALAR = {"vector", "time", "scalar", "pi"}


def result_labels(expr: str, source: str) -> Labels:
    """UNKNOWN if any of the series may have any label."""
    if source == LOKI:
        found = re.match(r"(?:topk\(\d+, )?(?:sum|min|max|count)(?: by \(([^)]*)\))? ?\(", expr)
        return frozenset(part.strip() for part in (found[1] or "").split(",")) - {""} if found else UNKNOWN
    return _of(promql.parse(expr))


def _of(node: promql.Expr) -> Labels:
    if isinstance(node, (promql.ParenExpr, promql.UnaryExpr, promql.SubqueryExpr)):
        return _of(node.expr)
    if isinstance(node, (promql.NumberLiteral, promql.StringLiteral)):
        return NONE
    if isinstance(node, promql.AggregateExpr):
        return _aggregated(node)
    if isinstance(node, promql.Call):
        return _called(node)
    if isinstance(node, promql.BinaryExpr):
        return _combined(node)
    return UNKNOWN


def _aggregated(node: promql.AggregateExpr) -> Labels:
    if str(node.op) in _CHOOSING:
        return _of(node.expr)
    if node.modifier is None:
        return NONE
    by = node.modifier.type == promql.AggModifierType.By
    return frozenset(node.modifier.labels) if by else UNKNOWN


def _called(node: promql.Call) -> Labels:
    if node.func.name in _SCALAR:
        return NONE
    vectors = [_of(one) for one in node.args]
    labels = frozenset[str]().union(*vectors)
    return labels - {"le"} if node.func.name == "histogram_quantile" else labels


def _combined(node: promql.BinaryExpr) -> Labels:
    left, right = _of(node.lhs), _of(node.rhs)
    if str(node.op) in {"and", "unless"}:
        return left
    return left | right
