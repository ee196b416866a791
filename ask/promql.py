"""PromQL as a tree: parse, find selectors, and print it again with changed selectors.

promql-parser (MIT) gives the tree. It has no constructor for changed nodes, so the printer writes the text and calls
`select` for each selector. Printing and parsing again gives the same tree; a test shows that for every shipped
expression.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import promql_parser as parser

_OPS = {"MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~"}


class NotPromQL(ValueError):
    """The text is not PromQL; the parser's message."""


@dataclass(frozen=True)
class Matcher:
    """One label matcher."""

    label: str
    op: str
    value: str

    def __str__(self) -> str:
        return f"{self.label}{self.op}{json.dumps(self.value, ensure_ascii=False)}"


def among(label: str, values: tuple[str, ...]) -> Matcher:
    """The matcher for one of these values, each taken literally; also valid LogQL."""
    if len(values) == 1:
        return Matcher(label, "=", values[0])
    return Matcher(label, "=~", alternatives(values))


def alternatives(values: Iterable[str]) -> str:
    """A pattern that matches these values alone."""
    return "|".join(re.escape(value).replace("\\-", "-") for value in values)


@dataclass(frozen=True)
class Selector:
    """A vector selector; `window` in seconds if it is a range selector, `offset` in seconds."""

    name: str
    matchers: tuple[Matcher, ...]
    window: float = 0
    offset: float = 0
    alternatives: bool = False  # matchers joined by `or`

    @property
    def names(self) -> set[str]:
        """The metric names, also those in a matcher of `__name__`."""
        found = {self.name} if self.name else set()
        for one in self.matchers:
            if one.label == "__name__" and one.op in {"=", "=~"}:
                found |= set(one.value.split("|"))
        return found

    def without_variables(self, present: frozenset[str] = frozenset()) -> Selector:
        """Without the matchers whose value is a dashboard variable; of the labels in `present`, one that demands a
        value stays, as the dashboard's "All" does."""
        kept = []
        for one in self.matchers:
            if "$" not in one.value:
                kept.append(one)
            elif one.label in present:
                kept.append(Matcher(one.label, "!=", ""))
        return replace(self, matchers=tuple(kept))


Select = Callable[[Selector], Selector]


def parse(text: str) -> parser.Expr:
    """The tree of an expression."""
    try:
        return parser.parse(text)
    except (ValueError, OverflowError) as problem:
        raise NotPromQL(str(problem)) from None
    except BaseException as problem:
        if type(problem).__name__ != "PanicException":  # of Rust, which is no Exception
            raise
        raise NotPromQL("the parser fails at this text") from None


def duration(length: float) -> str:
    """As PromQL writes it, in the largest unit that divides it."""
    whole = round(abs(length))
    sign = "-" if length < 0 else ""
    for unit, size in (("w", 604800), ("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        if whole and whole % size == 0:
            return f"{sign}{whole // size}{unit}"
    return "0s"


def moment(at: object) -> float | None:
    """Seconds since 1970 of a time that is set with `@`; None for the start or the end of the range. Read from its
    text: the parser cannot give every time as a value."""
    found = re.fullmatch(r"@ (-?[\d.]+)", str(at).strip())
    return float(found[1]) if found else None


def seconds(value: object) -> float:
    """Seconds of the parser's lengths; 0 for none."""
    return value.total_seconds() if isinstance(value, timedelta) else 0.0


def selector_of(node: parser.VectorSelector | parser.MatrixSelector) -> Selector:
    """The parts of a selector."""
    vector, window = (node.vector_selector, node.range) if isinstance(node, parser.MatrixSelector) else (node, None)
    matchers = tuple(Matcher(one.name, _OPS[str(one.op)], one.value) for one in vector.matchers.matchers)
    return Selector(
        name=vector.name or "",
        matchers=matchers,
        window=seconds(window),
        offset=seconds(vector.offset),
        alternatives=bool(vector.matchers.or_matchers),
    )


def children(node: parser.Expr) -> list[parser.Expr]:
    """The expressions directly below a node."""
    if isinstance(node, parser.BinaryExpr):
        return [node.lhs, node.rhs]
    if isinstance(node, parser.AggregateExpr):
        return [node.expr] if node.param is None else [node.param, node.expr]
    if isinstance(node, parser.Call):
        return list(node.args)
    if isinstance(node, (parser.ParenExpr, parser.UnaryExpr, parser.SubqueryExpr)):
        return [node.expr]
    return []


def walk(node: parser.Expr) -> Iterator[parser.Expr]:
    """The node and all below it, without recursion: the tree may be deeper than Python's stack."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        waiting += reversed(children(one))


def selectors(node: parser.Expr) -> list[Selector]:
    """Every selector of the tree."""
    return [selector_of(one) for one in walk(node) if isinstance(one, (parser.VectorSelector, parser.MatrixSelector))]


def names(node: parser.Expr) -> set[str]:
    """The metric names of every selector."""
    return {name for one in selectors(node) for name in one.names}


def labels_kept(node: parser.Expr) -> tuple[str, ...] | None:
    """The labels that a result has by its outermost aggregation; None: all of its selectors."""
    if isinstance(node, parser.AggregateExpr):
        if str(node.op) in {"topk", "bottomk"}:
            return labels_kept(node.expr)
        if node.modifier is None:
            return ()
        return tuple(node.modifier.labels) if str(node.modifier.type).endswith("By") else None
    if isinstance(node, parser.BinaryExpr):
        left, right = labels_kept(node.lhs), labels_kept(node.rhs)
        if isinstance(node.lhs, parser.NumberLiteral):
            return right
        return right if left == () and right else left
    below = [one for one in children(node) if not isinstance(one, (parser.NumberLiteral, parser.StringLiteral))]
    return labels_kept(below[-1]) if below else (() if isinstance(node, parser.NumberLiteral) else None)


def text(node: parser.Expr, select: Select = lambda one: one) -> str:
    """The expression as text; `select` may change each selector."""
    if isinstance(node, parser.BinaryExpr):
        return f"{text(node.lhs, select)} {node.op}{_binary_modifier(node)} {text(node.rhs, select)}"
    if isinstance(node, parser.AggregateExpr):
        return _aggregate(node, select)
    if isinstance(node, parser.Call):
        return f"{node.func.name}({', '.join(text(one, select) for one in node.args)})"
    if isinstance(node, parser.ParenExpr):
        return f"({text(node.expr, select)})"
    if isinstance(node, parser.UnaryExpr):
        return f"-{text(node.expr, select)}"
    if isinstance(node, parser.SubqueryExpr):
        step = duration(seconds(node.step)) if node.step else ""
        tail = f"[{duration(seconds(node.range))}:{step}]{_offset(seconds(node.offset))}{_at(node.at)}"
        return f"{text(node.expr, select)}{tail}"
    if isinstance(node, parser.MatrixSelector):
        return selector_text(select(selector_of(node)), node.vector_selector.at)
    if isinstance(node, parser.VectorSelector):
        return selector_text(select(selector_of(node)), node.at)
    if isinstance(node, parser.StringLiteral):
        return json.dumps(node.val, ensure_ascii=False)
    if isinstance(node, parser.NumberLiteral):
        return f"{node.val:.15g}" if abs(node.val) < 1e15 else repr(node.val)
    raise NotPromQL(f"unknown kind of expression: {type(node).__name__}")


def selector_text(one: Selector, at: object = None) -> str:
    """A selector as PromQL."""
    inside = ",".join(map(str, one.matchers))
    window = f"[{duration(one.window)}]" if one.window else ""
    return f"{one.name}{'{' + inside + '}' if inside else ''}{window}{_offset(one.offset)}{_at(at)}"


def _offset(length: float) -> str:
    return f" offset {duration(length)}" if length else ""


def _at(at: object) -> str:
    return f" {at}" if at is not None else ""


def _binary_modifier(node: parser.BinaryExpr) -> str:
    modifier = node.modifier
    if modifier is None:
        return ""
    parts = " bool" if modifier.return_bool else ""
    if modifier.matching is not None:
        kind = "on" if str(modifier.matching.type).lower().endswith("include") else "ignoring"
        parts += f" {kind} ({', '.join(modifier.matching.labels)})"
    group = {"ManyToOne": "group_left", "OneToMany": "group_right"}.get(str(modifier.card).rpartition(".")[2])
    if group:
        parts += f" {group} ({', '.join(modifier.group_labels or [])})"
    return parts


def _aggregate(node: parser.AggregateExpr, select: Select) -> str:
    inside = text(node.expr, select)
    if node.param is not None:
        inside = f"{text(node.param, select)}, {inside}"
    if node.modifier is None:
        return f"{node.op}({inside})"
    kind = "by" if str(node.modifier.type).endswith("By") else "without"
    return f"{node.op} {kind} ({', '.join(node.modifier.labels)}) ({inside})"
