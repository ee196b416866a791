"""What a query would cost, before it is executed: series of its selectors, and samples that they have to read.

Prometheus' own `limit` cuts an answer only after it was computed, so this is estimated first. Of a query about log
lines it is the size of the chunks that its streams have in the time range, by Loki's index.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import promql_parser as parser

from ask import logql, promql, safety
from ask.client import Hub
from ask.safety import Limits, Refused

SCRAPE = 15.0


@dataclass(frozen=True)
class Cost:
    """An estimate; `capped` if a selector has more series than were counted."""

    series: int
    samples: int
    capped: bool = False


def estimate(hub: Hub, tree: parser.Expr, start: float, end: float, step: float, limits: Limits) -> Cost:
    """One request for each different selector and time, each answered in bounded size."""
    counts: dict[promql.Selector, int] = {}
    for one, at in dict.fromkeys(_looks(tree, end)):
        found = len(hub.series([promql.selector_text(one)], at - 300, at, limits.series + 1))
        counts[one] = max(found, counts.get(one, 0))
    points = 1 if start == end else round((end - start) / step) + 1
    most = max(counts.values(), default=0)
    return Cost(sum(counts.values()), round(_samples(tree, counts, points)), most > limits.series)


def _looks(node: parser.Expr, end: float) -> Iterator[tuple[promql.Selector, float]]:
    """Each selector with the time that it reads at last: there may have been more series then."""
    inner = node.vector_selector if isinstance(node, parser.MatrixSelector) else node
    if isinstance(inner, (parser.VectorSelector, parser.SubqueryExpr)):
        at = promql.moment(inner.at)
        end = (end if at is None else at) - promql.seconds(inner.offset)
    if isinstance(inner, parser.VectorSelector):
        yield replace(promql.selector_of(inner), window=0, offset=0), end
    for child in promql.children(node):
        yield from _looks(child, end)


def _samples(node: parser.Expr, counts: dict[promql.Selector, int], times: float) -> float:
    """The samples that a part reads if it is evaluated so often; a subquery evaluates its part at each of its steps."""
    if isinstance(node, (parser.VectorSelector, parser.MatrixSelector)):
        one = promql.selector_of(node)
        return counts[replace(one, window=0, offset=0)] * max(1.0, one.window / SCRAPE) * times
    if isinstance(node, parser.SubqueryExpr):
        times *= safety.steps(node)
        return times + _samples(node.expr, counts, times)
    return sum(_samples(child, counts, times) for child in promql.children(node))


def reach(node: parser.Expr) -> float:
    """How far before the time of an evaluation a query reads, in seconds."""
    own = 0.0
    if isinstance(node, (parser.VectorSelector, parser.MatrixSelector)):
        one = promql.selector_of(node)
        own = one.window + max(0.0, one.offset)
    elif isinstance(node, parser.SubqueryExpr):
        own = promql.seconds(node.range) + max(0.0, promql.seconds(node.offset))
    return own + max((reach(child) for child in promql.children(node)), default=0.0)


def check(cost: Cost, limits: Limits) -> None:
    """Raises Refused for what would cost too much."""
    if cost.capped or cost.series > limits.series:
        raise Refused(f"The query would read more than {limits.series} series. Name a host or a container.")
    if cost.samples > limits.samples:
        raise Refused(
            f"The query would read about {cost.samples} samples, at most {limits.samples}. Ask for less time."
        )


def check_reach(tree: parser.Expr, start: float, end: float, limits: Limits) -> None:
    """The time range, the offsets and the windows together. Raises Refused."""
    total, longest = end - start + reach(tree), limits.range + limits.window
    if total > longest:
        raise Refused(
            f"The query reads {total / 86400:.0f} days, with its offsets and windows; at most {longest / 86400:.0f}. "
            "Ask for less."
        )


def check_logs(hub: Hub, query: logql.Query, start: float, end: float, limits: Limits) -> int:
    """The bytes that a query about log lines reads. Raises Refused for too many."""
    total = sum(
        hub.log_bytes(one.text, start - one.window - one.offset, end - one.offset)
        for one in dict.fromkeys(query.streams)
    )
    if total > limits.log_bytes:
        raise Refused(
            f"The query would read {total / 1024**3:.1f} GB of log lines, at most {limits.log_bytes / 1024**3:.1f} GB. "
            "Name a host or a container, or ask for less time."
        )
    return total
