"""The selectors in an expression: the vector selectors of PromQL, the stream selectors of LogQL.

PromQL is parsed by promql-parser (the GreptimeDB project's parser), LogQL by a regular expression: a stream selector is
the only part in braces outside of strings; the braces of a template are inside a string.
"""

from __future__ import annotations

import json
import re

import promql_parser as promql

# A string in double quotes or backticks, or braces with strings inside.
_STRING = r'"(?:\\.|[^"\\])*"|`[^`]*`'
_STREAMS = re.compile(rf"{_STRING}|(?P<streams>\{{(?:{_STRING}|[^{{}}\"`])*\}})")
_ZERO = re.compile(r"\bor\s+vector\s*\(")
_OPERATORS = {"MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~"}


class NotParsed(Exception):
    """The parser refuses the expression; its message."""


def promql_selectors(expr: str) -> list[str]:
    """Every vector selector once, without range and offset, in the order of the expression."""
    return list(dict.fromkeys(_text(one) for one in _vectors(expr)))


def metric_names(expr: str) -> list[str]:
    """The metrics without their labels: `{__name__="..."}` or the pattern that stands for a name."""
    return list(dict.fromkeys(_name(one) for one in _vectors(expr)))


def logql_selectors(expr: str) -> list[str]:
    """Every stream selector once."""
    return list(dict.fromkeys(match["streams"] for match in _STREAMS.finditer(expr) if match["streams"]))


def has_zero(expr: str) -> bool:
    """Whether a zero (`or vector(0)`) stands in for data, so that an answer proves nothing."""
    return bool(_ZERO.search(re.sub(_STRING, '""', expr)))


def _vectors(expr: str) -> list[promql.VectorSelector]:
    found: list[promql.VectorSelector] = []

    def look(node: promql.Expr) -> None:
        if isinstance(node, promql.MatrixSelector):
            found.append(node.vector_selector)
        elif isinstance(node, promql.VectorSelector):
            found.append(node)

    try:
        promql.walk(promql.parse(expr), look)
    except ValueError as problem:
        raise NotParsed(str(problem)) from None
    return found


def _text(vector: promql.VectorSelector) -> str:
    """Written from the parsed parts: the parser's own text leaves backslashes of a string as single ones."""
    groups = [vector.matchers.matchers, *vector.matchers.or_matchers]
    inside = " or ".join(",".join(map(_matcher, group)) for group in groups if group)
    return f"{vector.name or ''}{{{inside}}}" if inside or not vector.name else vector.name


def _matcher(one: promql.Matcher) -> str:
    return f"{one.name}{_OPERATORS[str(one.op)]}{json.dumps(one.value, ensure_ascii=False)}"


def _name(vector: promql.VectorSelector) -> str:
    names = [one for one in vector.matchers.matchers if one.name == "__name__"]
    if vector.name:
        return vector.name
    return f"{{{','.join(map(_matcher, names))}}}" if names else _text(vector)
