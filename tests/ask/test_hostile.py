"""Hostile PromQL: each kind of the issue's list with its siblings, on the tree and by estimate."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from ask import cost, logql, promql, safety
from ask.catalogue import filled
from ask.client import Hub
from ask.safety import Limits, Refused
from tests.ask.offline import engine
from tests.ask.seed import AT

KNOWN = frozenset(
    {"up", "node_load1", "node_cpu_seconds_total", "http_requests_total", "http_request_duration_seconds_bucket"}
)
NAME = "does not name its metric"
EMPTY = "at least one non-empty matcher"
PROMQL = {
    # blanket selectors
    'count({__name__=~".+"})': NAME,
    'count({__name__=~".*up.*"})': NAME,
    '{job=~".*"}': EMPTY,
    '{job=~".+",host="web-1"}': NAME,
    'topk(10, count by (__name__) ({__name__!=""}))': NAME,
    '{__name__!~"up"}': EMPTY,
    '{__name__=~"up|"}': EMPTY,
    '{__name__=~"(up|node_load1)"}': NAME,
    '{__name__=~"u[p]"}': NAME,
    '{__name__=~"up|.*"}': EMPTY,
    '{__name__=""}': EMPTY,
    'group by (job) ({job!=""})': NAME,
    'absent({env="prod"})': NAME,
    'up or {host="web-1"}': NAME,
    'sum(rate({__name__=~"node.+"}[5m]))': NAME,
    # metrics that are not there
    "secret_metric": "no metric secret_metric",
    '{__name__=~"up|secret_metric"}': "no metric secret_metric",
    "up + on (host) secret_metric": "no metric secret_metric",
    # nested subqueries
    "max_over_time(max_over_time(up[1h:1m])[1h:1m])": "nests subqueries",
    "max_over_time(rate(http_requests_total[5m])[1h:1m])[2h:1m]": "nests subqueries",
    "max_over_time(sum(rate(http_requests_total[1h:1m]))[1d:1m])": "nests subqueries",
    "rate(max_over_time(rate(http_requests_total[5m])[1h:1m])[1h:1m])": "nests subqueries",
    "max_over_time((up + max_over_time(node_load1[1h:1m]))[1h:1m])": "nests subqueries",
    "max_over_time(up[1h:1m] offset 1d)[1h:1m]": "nests subqueries",
    "max_over_time(up[30d:1s])": "steps in a subquery",
    "max_over_time(up[30d:])": "steps in a subquery",
    "max_over_time(vector(1)[30d:1s])": "steps in a subquery",
    "max_over_time(vector(time())[31d:])": "steps in a subquery",
    "max_over_time(up[2y:1h])": "A subquery of 104w|A subquery of 730d",
    # long ranges
    "up[2y]": "A window of 730d",
    "rate(http_requests_total[2y])": "A window of 730d",
    "avg_over_time(up[400d])": "A window of 400d",
    "up offset 2y": "An offset of 730d",
    "up offset -2y": "An offset of -730d",
    "rate(http_requests_total[5m] offset 2y)": "An offset of 730d",
    "max_over_time(up[1h:1m] offset 2y)": "An offset of 730d",
    "max_over_time((up offset 2y)[1h:1m])": "An offset of 730d",
    # times that are set far away
    "up @ -5": "set with `@`",
    "max_over_time(up[1h:1m] @ -1)": "set with `@`",
    "up @ 0": "set with `@`",
    "up @ 1000000000": "set with `@`",
    "up @ 9999999999": "set with `@`",
    "rate(http_requests_total[5m] @ 0)": "set with `@`",
    "max_over_time(up[1h:1m] @ 0)": "set with `@`",
    "sum(up @ 1000000000) / sum(up)": "set with `@`",
    # labels that grow
    "label_replace(" * 20 + "up" + ', "a", "$1$1", "a", "(.*)")' * 20: "nested calls that write labels",
    'label_replace(up, "a", "$1$1$1$1$1$1$1$1$1$1", "host", "(.*)")': "parts in label_replace",
    'label_replace(up, "a", "${1}${1}${1}${1}${1}${1}${1}", "host", "(.*)")': "parts in label_replace",
    'label_join(up, "a", "", "a", "a", "a", "a", "a", "a", "a", "a", "a")': "labels in label_join",
    "label_join(" * 6 + "up" + ', "a", "", "a", "a")' * 6: "nested calls that write labels",
    # patterns
    'up{host=~"(.{1000}){1000}"}': "repeats its parts",
    'up{host=~"(.{30}){30}"}': "repeats its parts",
    'up{host=~"x{500}"}': "repeats its parts",
    'up{host!~"(a{50}){50}"}': "repeats its parts",
    'up{host=~"x{5,900}"}': "repeats its parts",
    f'up{{host=~"{"a|" * 3000}b"}}': "characters",
    'label_replace(up, "a", "$1", "host", "(.{1000}){1000}")': "repeats its parts",
    # joins
    'up * on (host) group_left () {__name__!=""}': NAME,
    'up * ignoring (host) group_right (x) {job=~".+"}': NAME,
    'up and on () {job!=""}': NAME,
    # size and depth
    "(" * 5900 + "up" + ")" * 5900: "levels",
    "-" * 11000 + "up": "levels",
    "- " * 1500 + "up": "levels",
    "- " * 5900 + "up": "operators",
    "+-" * 5000 + "up": "levels",
    "abs(" * 200 + "up" + ")" * 200: "levels",
    "+".join(["up"] * 3900): "operators",
    "+".join(["up"] * 300): "parts|levels|selectors",
    "up{" + ",".join(f'a{n}="x"' for n in range(1500)) + "}": "operators|characters",
    "up" * 30000: "characters",
    "{" * 3000: "levels",
    "[" * 3000: "levels",
    # types
    "rate(node_memory_free_ratio[5m])": "no metric|needs a counter",
    "histogram_quantile(0.9, sum by (host) (rate(http_request_duration_seconds_bucket[5m])))": "needs the label `le`",
    "histogram_quantile(0.9, sum without (le) (rate(http_request_duration_seconds_bucket[5m])))": "the label `le`",
    # no PromQL
    "": "not valid PromQL",
    "up; drop table users": "not valid PromQL",
    "up \x00": "not valid PromQL",
    "sum(": "not valid PromQL",
    "up[99999999999999999999y]": "not valid PromQL",
    "up offset 99999999999999999999y": "not valid PromQL",
    "up @ 1e300": "not valid PromQL|set with",
    # no numbers of a metric
    '"up"': "reads no metric",
    "vector(1)": "reads no metric",
    "time() - 5": "reads no metric",
    "up[1h]": "raw samples",
    "((up[1h]))": "raw samples",
    "up[1h:1m]": "raw samples",
}


@pytest.mark.parametrize("query", PROMQL, ids=lambda text: text[:60])
def test_hostile_promql_is_refused(query: str) -> None:
    began = time.monotonic()
    with pytest.raises(Refused, match=PROMQL[query]):
        safety.check(query, KNOWN, Limits(), AT, exact=True)
    assert time.monotonic() - began < 1, "the check itself is bounded"


HARMLESS = (
    "up",
    'up{host=~"web-.*"}',
    "topk(5, sum by (host) (rate(http_requests_total[5m])))",
    "max_over_time(up[1d:1m])",
    "up offset 1w",
    f"up @ {AT - 86400:.0f}",
    "sum(up @ end())",
    "sum(rate(http_requests_total[5m])) / on () group_left () sum(up)",
    'label_replace(up, "a", "$1", "host", "(.*)-.*")',
    "histogram_quantile(0.9, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))",
    "-up",
    "((up))",
)


@pytest.mark.parametrize("query", HARMLESS)
def test_harmless_promql_passes(query: str) -> None:
    safety.check(query, KNOWN, Limits(), AT, exact=True)


def test_every_shipped_expression_passes() -> None:
    every = [one for one in (*engine().catalogue.panels, *engine().catalogue.alerts.values())]
    assert len(every) > 200
    for one in every:
        if one.language == "promql":
            safety.check(filled(one.expr), engine().catalogue.metrics, Limits(), AT)
        else:
            logql.read(filled(one.expr))


# By estimate, before anything is executed


def _hub(series: Callable[[str], int]) -> tuple[Hub, list[str]]:
    """A hub that counts series; the paths of its requests are kept."""
    seen: list[str] = []

    def played(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path)
        count = min(series(request.url.params["match[]"]), int(request.url.params["limit"]))
        return httpx.Response(200, json={"status": "success", "data": [{"n": str(one)} for one in range(count)]})

    hub = Hub("http://hub.test", "http://hub.test")
    hub.transport(httpx.MockTransport(played))
    return hub, seen


@pytest.fixture
def hundred() -> Iterator[Hub]:
    """A fleet in which each selector has a hundred series."""
    hub, seen = _hub(lambda _: 100)
    yield hub
    assert not [one for one in seen if "query" in one], "nothing was executed"


@pytest.mark.parametrize(
    ("query", "days", "text"),
    [
        ("avg_over_time(up[31d])", 31, "samples"),
        ("up", 400, ""),
        ("rate(http_requests_total[30d])", 7, "samples"),
        ("max_over_time(up[7d:1m])", 31, "samples"),
        ("max_over_time(rate(http_requests_total[1d])[7d:1m])", 0, "samples"),
        ("max_over_time(vector(1)[31d:5m])", 400, ""),
        ("max_over_time(vector(1)[2d:15s])", 400, ""),
        ("sum(rate(http_requests_total[5m]))", 7, ""),
        ("max_over_time(rate(http_requests_total[5m])[1d:1s])", 0, "steps"),
        ("max_over_time(rate(http_requests_total[5m])[3h:1s])", 0, "samples"),
    ],
)
def test_costly_queries_are_refused_before_they_are_executed(hundred: Hub, query: str, days: float, text: str) -> None:
    limits = Limits()

    def estimated() -> None:
        tree = safety.check(query, KNOWN, limits, AT)
        start = AT - days * 86400
        step = safety.time_range(start, AT, AT, limits)
        cost.check(cost.estimate(hundred, tree, start, AT, step, limits), limits)

    if text:
        with pytest.raises(Refused, match=text):
            estimated()
    else:
        estimated()


def test_many_series_are_refused_without_reading_them_all() -> None:
    hub, _ = _hub(lambda _: 400_000)
    with pytest.raises(Refused, match="more than 5000 series"):
        cost.check(cost.estimate(hub, promql.parse("up"), AT, AT, 60, Limits()), Limits())


def test_offsets_and_ranges_count_together() -> None:
    limits = Limits()
    tree = safety.check("up offset 350d", KNOWN, limits, AT)
    cost.check_reach(tree, AT - 80 * 86400, AT, limits)
    with pytest.raises(Refused, match="reads 450 days"):
        cost.check_reach(tree, AT - 100 * 86400, AT, limits)


def test_limits_reach_every_bound() -> None:
    narrow: list[tuple[str, dict[str, Any], str]] = [
        ("rate(up[2h])", {"window": 3600.0}, "exceeds 1h"),
        ("up offset 2d", {"range": 86400.0}, "exceeds 1d"),
        ("abs(abs(up))", {"depth": 2}, "levels"),
        ("up + up", {"nodes": 2}, "parts"),
        ("up + up", {"selectors": 1}, "selectors"),
        ("up + up", {"length": 5}, "characters"),
        ("max_over_time(up[1h:1m])", {"subquery_points": 30}, "steps"),
    ]
    for query, changed, text in narrow:
        safety.check(query, KNOWN, Limits(), AT)
        with pytest.raises(Refused, match=text):
            safety.check(query, KNOWN, Limits(**changed), AT)
