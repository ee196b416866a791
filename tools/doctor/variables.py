"""Grafana's variables, filled in as Grafana would: everything (All), then each value that there is, one by one.

A value is queried on its host. Where the answer for All has a series with the value's label, that is the answer
for the value too; only what is summed over hosts or containers needs another query. So the number of queries grows
with hosts, not with hosts times panels.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from configs.dashboards import intervals
from configs.dashboards.model import LOKI, Variable
from tools.doctor.queries import PanelQuery
from tools.hubclient import HubClient

RANGE = 3600  # seconds: what a dashboard shows when it is opened
SCRAPE = intervals.SOURCE
STEP = 120  # seconds between the points of a range query; 15 again before a graph is called empty
PER_HOST = 5  # values of one variable for which one query runs on one host; every host and environment
_REFERENCE = re.compile(r"\$\{(\w+)(?::\w+)?\}|\$(\w+)")
WHOLE = ("env", "host")

Case = Mapping[str, str]  # variable -> value; what is not in it is All
ALL: Case = {}


def rate_range(interval: int) -> int:
    """Seconds of `$__rate_interval` for a query with this interval, 0 for the data source's."""
    return 4 * (interval or SCRAPE)


def builtins(step: int, interval: int = 0) -> dict[str, str]:
    """Grafana's own variables for a picture of an hour, 15 s to a point, one point every `step` seconds. `interval`: of
    the query, 0 for the data source's."""
    return {
        "__interval": f"{SCRAPE}s",
        "__interval_ms": str(SCRAPE * 1000),
        "__rate_interval": f"{rate_range(interval)}s",
        "__range": f"{RANGE}s",
        "__range_s": str(RANGE),
        "__range_ms": str(RANGE * 1000),
        "__auto": f"{step}s",
    }


def filled(expr: str, variables: Sequence[Variable], case: Case, step: int = STEP, interval: int = 0) -> str:
    """The expression with every variable replaced; an unknown name stays, and the server reports it."""
    known = builtins(step, interval)
    for one in variables:
        everything = "" if one.text else one.all_value
        known[one.name] = _escaped(case[one.name]) if one.name in case else everything
    return _REFERENCE.sub(lambda m: known.get(m[1] or m[2], m[0]), expr)


def asked(question: PanelQuery, case: Case, step: int = STEP) -> str:
    """The expression of a query as Grafana sends it."""
    return filled(question.expr, question.variables, case, step, question.interval)


def _escaped(value: str) -> str:
    """As a pattern in a string, where a backslash is written twice; a hyphen needs none."""
    return re.escape(value).replace("\\-", "-").replace("\\", "\\\\")


def used(question: PanelQuery) -> set[str]:
    """Names of the variables in it."""
    return {m[1] or m[2] for m in _REFERENCE.finditer(question.expr)}


@dataclass(frozen=True)
class Value:
    """A value of a variable, and where it was seen."""

    env: str
    host: str
    value: str


class Choices:
    """The values on a hub, queried once per selector."""

    def __init__(self, hub: HubClient, now: float) -> None:
        self._hub, self._now = hub, now
        self._known: dict[tuple[str, str, str, int], list[Value]] = {}
        self.requests = 0

    def cases(self, question: PanelQuery) -> list[Case]:
        """All, then one case for each value of each variable that the question uses."""
        found: list[Case] = [ALL]
        names = used(question)
        for variable in question.variables:
            if variable.name not in names or variable.text:
                continue
            if variable.values:
                found += [{variable.name: value} for value in variable.values]
                continue
            values = self._values(variable, question)
            if variable.name in WHOLE:
                found += [{variable.name: value} for value in sorted({one.value for one in values})]
            else:
                pairs = sorted({(one.host, one.value) for one in values})
                found += [{**({"host": host} if "host" in names else {}), variable.name: v} for host, v in pairs]
        return found

    def _values(self, variable: Variable, question: PanelQuery) -> list[Value]:
        selector = filled(variable.selector, question.variables, ALL)
        key = (variable.source, selector, variable.label, question.interval)
        if key not in self._known:
            self.requests += 1
            self._known[key] = self._asked(*key)
        return self._known[key]

    def _asked(self, source: str, selector: str, label: str, interval: int) -> list[Value]:
        if source == LOKI:
            start, end = (str(int(at * 1e9)) for at in (self._now - RANGE, self._now))
            match = selector or '{env=~".+"}'
            found = self._hub.get("/loki/api/v1/series", **{"match[]": match}, start=start, end=end)["data"]
        else:
            # Of one moment: what went away a minute ago is still in Prometheus' index, but no longer on the machine. A
            # container that goes while its agent is down gets no mark of its end, and stays visible for five minutes,
            # in which a rate has no samples left. A rate needs two, so the last one has to be an interval younger than
            # the beginning of its range.
            labels = ", ".join(dict.fromkeys(["env", "host", label]))
            since = self._now - rate_range(interval) + (interval or SCRAPE)
            query = f"group by ({labels}) (timestamp({selector}) >= {since:.3f})"
            found = [one["metric"] for one in self._hub.metrics(query, self._now)]
        values = {(one.get("env", ""), one.get("host", ""), one.get(label, "")) for one in found}
        return [Value(*one) for one in sorted(values) if one[2]]
