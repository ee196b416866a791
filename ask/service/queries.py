"""A query that a caller wrote: checked on its tree, looked at by the store's own parser, estimated, and executed.

The same bounds hold as for the queries that the engine composes. Only metrics that exist may be named.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from ask import cost, links, logql, promql, safety, wording
from ask.answer import newest
from ask.client import Away, Rejected, TooMuch
from ask.compose import Query
from ask.safety import Limits, Refused
from ask.service.accounts import Caller
from ask.service.answering import store_problem, unknown_fleet
from ask.service.discovery import Knowledge
from ask.service.history import History
from ask.service.metrics import Metrics
from ask.service.problems import Problem
from ask.service.turns import Turns
from ask.world import World

ROWS = 200  # of a result; the rest is counted


@dataclass(frozen=True)
class Wanted:
    """A query with its time range; `start` and `end` are equal for one point in time."""

    text: str
    language: str
    start: float
    end: float
    now: float


def wanted(text: str, language: str, start: float | None, end: float | None) -> Wanted:
    """With the present time for what is left out. Raises Problem 422."""
    now = time.time()
    last = now if end is None else end
    first = last if start is None else start
    if first > last:
        raise Problem(422, "body_invalid", "start: expected at most the value of end.")
    return Wanted(text.strip(), language, first, last, now)


@dataclass(frozen=True)
class Queries:
    """`check` executes nothing, `run` does, in turn with the questions."""

    knowledge: Knowledge
    history: History
    metrics: Metrics
    turns: Turns
    site: str
    seconds: float

    def check(self, given: Wanted) -> dict[str, Any]:
        """What a query would do and cost. Raises Problem for one that would not be executed."""
        with self.turns.turn(), self.knowledge.hub.within(self.seconds), self._refusing():
            return self._checked(self._ranged(given))

    def run(self, caller: Caller, given: Wanted, address: str) -> dict[str, Any]:
        """The result of a query. Raises Problem."""
        self.history.audit(caller, "query", given.text, address)
        with self.turns.turn(), self.knowledge.hub.within(self.seconds), self._refusing():
            given = self._ranged(given)
            return self._checked(given) | self._result(given)

    @contextlib.contextmanager
    def _refusing(self) -> Iterator[None]:
        """Refusals and stores that do not answer, as problems of a request."""
        try:
            yield
        except (Refused, Rejected, TooMuch) as problem:
            self.metrics.questions.labels("refused").inc()
            raise Problem(422, "refused", str(problem)) from None
        except Away as problem:
            raise store_problem(str(problem)) from None

    @property
    def _limits(self) -> Limits:
        return self.knowledge.engine.limits

    def _ranged(self, given: Wanted) -> Wanted:
        """Lines are those of a time range: of an hour, if none is given."""
        if given.language != "logql" or given.start < given.end or logql.check(given.text, self._limits).metric:
            return given
        return replace(given, start=given.end - 3600)

    def _world(self) -> World:
        """Raises Problem if nothing is known: then no metric could be checked."""
        world = self.knowledge.world
        if not world.metrics:
            raise unknown_fleet(world, self.knowledge.at)
        return world

    def _checked(self, given: Wanted) -> dict[str, Any]:
        limits, hub, logs = self._limits, self.knowledge.hub, given.language == "logql"
        step = safety.time_range(given.start, given.end, given.now, limits, logs)
        if given.now - given.start > 2 * limits.range:
            raise Refused("The time is too long ago.")
        found: dict[str, Any] = {"query": given.text, "language": given.language, "start": given.start}
        found |= {"end": given.end, "step": step if given.end > given.start else 0}
        if logs:
            bytes_read = cost.check_logs(hub, logql.check(given.text, limits), given.start, given.end, limits)
            return found | {"explanation": "", "metrics": [], "cost": {"bytes": bytes_read}}
        tree = safety.check(given.text, self._world().metrics, limits, given.now, exact=True)
        if reason := hub.parses(given.text):
            raise Refused(f"Prometheus does not accept the query: {reason}")
        cost.check_reach(tree, given.start, given.end, limits)
        estimate = cost.estimate(hub, tree, given.start, given.end, step, limits)
        cost.check(estimate, limits)
        price = {"series": estimate.series, "samples": estimate.samples}
        return found | {"explanation": wording.describe(tree), "metrics": sorted(promql.names(tree)), "cost": price}

    def _result(self, given: Wanted) -> dict[str, Any]:
        hub, logs = self.knowledge.hub, given.language == "logql"
        span = given.end > given.start
        lines = logs and not logql.read(given.text).metric
        form = "lines" if lines else "series" if span else "value"
        link = links.explore(self.site, Query(given.text, given.language, given.start, given.end, form))
        found: dict[str, Any] = {"links": {"explore": link}}
        if lines:
            return found | {"lines": newest(hub.lines(given.text, given.start, given.end, self._limits.lines))}
        if span:
            step = safety.time_range(given.start, given.end, given.now, self._limits, logs)
            rows = hub.range(given.text, given.start, given.end, step, logs)
        else:
            rows = hub.instant(given.text, given.end, logs)
        return found | {"result": rows[:ROWS], "more": max(0, len(rows) - ROWS)}
