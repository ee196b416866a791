"""The expression of an alert taken apart: the values that it looks at, and how it compares them."""

from __future__ import annotations

from dataclasses import dataclass

import promql_parser as parser

from ask import promql

_COMPARISONS = {">", "<", ">=", "<=", "==", "!="}
_OF_ONE_UNIT = {"max", "min", "avg", "sum"}


@dataclass(frozen=True)
class Look:
    """The values that a rule looks at, and how it compares them."""

    text: str
    op: str = ""


def looked_at(expr: str) -> Look:
    """The expression without its first comparison with a number."""
    node = promql.parse(expr)
    while isinstance(node, (parser.BinaryExpr, parser.ParenExpr)):
        if isinstance(node, parser.ParenExpr):
            node = node.expr
        elif str(node.op) in _COMPARISONS and isinstance(node.rhs, parser.NumberLiteral):
            return Look(promql.text(node.lhs), str(node.op))
        elif str(node.op) in {"and", "or", "unless"}:
            node = node.lhs
        else:
            break
    return Look(expr)


def core(expr: str) -> str:
    """The values before they are aggregated, without variables: equal text has one unit."""
    node = promql.parse(expr)
    while isinstance(node, (parser.AggregateExpr, parser.ParenExpr)):
        if isinstance(node, parser.AggregateExpr) and str(node.op) not in _OF_ONE_UNIT:
            break
        node = node.expr
    return promql.text(node, lambda one: one.without_variables())
