"""What a query would cost, before it is executed: series of its selectors, and samples that they have to read.

Prometheus' own `limit` cuts an answer only after it was computed, so this is estimated first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import promql_parser as parser

from ask import promql
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
    """One request for each different selector, each answered in bounded size."""
    found = [(one, promql.selector_text(replace(one, window=0, offset=0))) for one in promql.selectors(tree)]
    longest = max((_reach(node) for node in promql.walk(tree)), default=0.0)
    counts: dict[str, int] = {}
    for _, text in found:
        if text not in counts:
            counts[text] = len(hub.series([text], end - 300, end, limits.series + 1))
    points = 1 if start == end else round((end - start) / step) + 1
    samples = 0
    for one, text in found:
        each = max(1.0, one.window / SCRAPE) * max(1.0, longest / 60 if longest else 1.0)
        samples += round(counts[text] * each * points)
    most = max(counts.values(), default=0)
    return Cost(sum(counts.values()), samples, most > limits.series)


def check(cost: Cost, limits: Limits) -> None:
    """Raises Refused for what would cost too much."""
    if cost.capped or cost.series > limits.series:
        raise Refused(f"The query would read more than {limits.series} series. Name a host or a container.")
    if cost.samples > limits.samples:
        raise Refused(
            f"The query would read about {cost.samples} samples, at most {limits.samples}. Ask for less time."
        )


def _reach(node: parser.Expr) -> float:
    return promql.seconds(node.range) if isinstance(node, parser.SubqueryExpr) else 0.0
