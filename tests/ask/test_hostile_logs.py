"""Hostile LogQL: without a stream selector, over long ranges, with texts that grow; and the size of what is read."""

from __future__ import annotations

import time

import httpx
import pytest

from ask import cost, logql
from ask.client import Hub
from ask.safety import Limits, Refused
from tests.ask.seed import AT

LOGQL = {
    # without a stream selector, or with one that selects everything
    '|~ "error"': "no stream selector",
    "": "no stream selector",
    'count_over_time(|~ ".*"[5m])': "no stream selector",
    "vector(1)": "no stream selector",
    "{}": "matches every stream",
    '{} |~ "(?i)error"': "matches every stream",
    '{job=~".+"}': "matches every stream",
    '{job=~".*"}': "matches every stream",
    '{job=~".+", host=~".+"}': "matches every stream",
    '{job=~"[^x]+"}': "matches every stream",
    '{job=~"(.|\\\\n)+"}': "matches every stream",
    '{job=~"a|.*"}': "matches every stream",
    '{job=~""}': "matches every stream",
    '{job=""}': "matches every stream",
    '{job!="x"}': "matches every stream",
    '{job!~"x"}': "matches every stream",
    '{job=~"\\\\p{L}+"}': "matches every stream",
    'sum(count_over_time({job!=""}[1h]))': "matches every stream",
    'sum(rate({host="web-1"}[5m])) / sum(rate({job=~".+"}[5m]))': "matches every stream",
    # long ranges
    'sum(sum_over_time({host="web-1"} | unwrap bytes [2y]))': "A window of 730d",
    'count_over_time({host="web-1"}[8d])': "A window of 8d",
    'count_over_time({host="web-1"} |= "x" [17520h])': "A window of 730d",
    'count_over_time({host="web-1"}[1h] offset 2y)': "An offset of 730d",
    'rate({host="web-1"}[5m] offset -2y)': "An offset of 730d",
    'quantile_over_time(0.9, {host="web-1"} | json | unwrap x [100d])': "A window of 100d",
    # growth
    '{host="web-1"} | line_format "{{ repeat 1000000000 .x }}"': "line_format is not executed",
    '{host="web-1"} | label_format x="{{ .y }}{{ .y }}"': "label_format is not executed",
    '{host="web-1"}' + ' | json | x="y"' * 20: "stages",
    '{host="web-1"} |~ "(x{500}){500}"': "repeats its parts",
    f'{{host="web-1"}} |~ "{"a|" * 3000}b"': "characters",
    '{host="web-1"} | regexp "(?P<x>.{1000})"': "repeats its parts",
    "sum(" * 100 + 'count_over_time({host="web-1"}[5m])' + ")" * 100: "levels",
    " + ".join(['count_over_time({host="web-1"}[5m])'] * 70): "selectors",
    "{" * 5000: "not closed|no stream",
    '{host="web-1"' + "x" * 20000 + "}": "characters",
    # no LogQL
    '{host="web-1"': "is not closed",
    '{host="web-1"} |= "x': "does not end",
    '{host="web-1"}]': "closes nothing",
    "{host=web-1}": "no stream selector",
    '{host="web-1"; drop}': "no stream selector",
    'count_over_time({host="web-1"}[lots])': "no duration",
}


@pytest.mark.parametrize("query", LOGQL, ids=lambda text: text[:60])
def test_hostile_logql_is_refused(query: str) -> None:
    began = time.monotonic()
    with pytest.raises(Refused, match=LOGQL[query]):
        logql.check(query, Limits())
    assert time.monotonic() - began < 1, "the check itself is bounded"


@pytest.mark.parametrize(
    "query",
    [
        '{host="web-1"}',
        '{host=~"web-.*"} |~ "(?i)error" != "debug"',
        '{host=~"web-1|db-1", job=~".+"}',
        'sum by (host) (count_over_time({container="shop"} | level=~"error|fatal" [1h]))',
        'topk(5, sum by (host) (rate({job="docker"} | json | status >= 500 [5m])))',
        '{host=`web-1`} |= `{` # a comment with { and "',
        'count_over_time({host="web-1"}[1h] offset 7d)',
    ],
)
def test_harmless_logql_passes(query: str) -> None:
    logql.check(query, Limits())


def test_the_parts_of_logql_are_read() -> None:
    found = logql.read('sum(rate({a="b"}[5m] offset 1h)) / sum(count_over_time({c="d"} |= "[9y]" [1h30m]))')
    assert found.streams == (logql.Streams('{a="b"}', 300, 3600), logql.Streams('{c="d"}', 5400, 0))
    assert found.metric
    assert not logql.read('{a="b"} |= "x"').metric


def _hub(log_bytes: int) -> tuple[Hub, list[str]]:
    """A hub whose streams have so many bytes; the paths of its requests are kept."""
    seen: list[str] = []

    def played(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path)
        return httpx.Response(200, json={"streams": 1, "chunks": 1, "bytes": log_bytes, "entries": 1})

    hub = Hub("http://hub.test", "http://hub.test")
    hub.transport(httpx.MockTransport(played))
    return hub, seen


def test_log_lines_are_estimated_by_their_size() -> None:
    query = logql.check('sum(count_over_time({host="web-1"}[1h])) + sum(count_over_time({host="db-1"}[1h]))', Limits())
    hub, seen = _hub(3 * 1024**3)
    with pytest.raises(Refused, match=r"read 6\.0 GB of log lines, at most 4\.0 GB"):
        cost.check_logs(hub, query, AT, AT, Limits())
    assert seen == ["/loki/api/v1/index/stats"] * 2
    assert cost.check_logs(_hub(10)[0], query, AT, AT, Limits()) == 20
