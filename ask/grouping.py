"""An aggregate by the labels that a question names, also inside of what only rounds it or fills in a zero."""

from __future__ import annotations

import promql_parser as parser

from ask import promql

_ROUNDING = {"ceil", "floor", "round"}


def grouped(node: parser.Expr, groups: tuple[str, ...], labels: frozenset[str]) -> str:
    """The expression with a result for each value of the groups; empty if it cannot have them. `labels`: those of its
    selectors."""
    if isinstance(node, parser.ParenExpr):
        return grouped(node.expr, groups, labels)
    if isinstance(node, parser.Call) and node.func.name in _ROUNDING:
        inside = grouped(list(node.args)[0], groups, labels)
        return f"{node.func.name}({inside})" if inside else ""
    if isinstance(node, parser.BinaryExpr) and str(node.op) == "or" and promql.text(node.rhs) == "vector(0)":
        return grouped(node.lhs, groups, labels)
    if not isinstance(node, parser.AggregateExpr) or node.modifier is not None:
        return ""
    inner = promql.labels_kept(node.expr)
    available = labels if inner is None else frozenset(inner)
    if not available.issuperset(groups):
        return ""
    by = [label for label in ("host",) if "container" in groups and label in available and label not in groups]
    return f"{node.op} by ({', '.join((*by, *groups))}) ({promql.text(node.expr)})"
