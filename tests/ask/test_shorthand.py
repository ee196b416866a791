"""Terms that need what is named or wanted beside them: quantiles, growth, groups, availability, errors, log panels.

Other sentences than those of the questions.
"""

from __future__ import annotations

import pytest

from ask import shorthand
from tests.ask.offline import plan, query
from tests.ask.seed import AT

DAY = 86400


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("the 75th percentile", 0.75),
        ("99.9th percentile", 0.999),
        ("p 90 latency", 0.9),
        ("the slowest 5% of requests", 0.95),
        ("95. perzentil", 0.95),
        ("p100", None),
        ("top 95 hosts", None),
    ],
)
def test_quantiles(text: str, found: float | None) -> None:
    assert shorthand.quantile(shorthand.quantiles(text)) == found


@pytest.mark.parametrize(
    ("question", "part"),
    [
        ("80th percentile of the latency of blog", "histogram_quantile(0.8,"),
        ("p99.9 response time of shop", "histogram_quantile(0.999,"),
        ("75th percentile of the export duration of billing", "histogram_quantile(0.75,"),
        ("how long do the slowest 10 percent of requests to blog take", "histogram_quantile(0.9,"),
        ("oom kills by container since yesterday", "ceil(sum by (host, container) (increase("),
        ("is shop slow", "histogram_quantile(0.95,"),
        ("was web-2 offline last night", "min_over_time((max by (env, host) (up{"),
        ("availability of db-1 over the last 3 days", "avg_over_time((max by (env, host) (up{"),
        ("how quickly does the billing database grow", "offset 1d"),
        ("how much does the disk of db-2 grow per week", "offset 1w"),
        ("is the cpu usage of web-1 rising", "offset 1d"),
        ("traffic of shop", "rate(http_requests_total"),
        ("http traffic of blog by host", "rate(http_requests_total"),
        ("network traffic of db-1", "node_network_receive_bytes_total"),
        ("network usage of db-1", "node_network_transmit_bytes_total"),
        ("disk throughput of db-1", "node_disk_written_bytes_total"),
        ("success rate of blog by host", "1 - ("),
        ("when did MemoryUsed start firing", 'ALERTS_FOR_STATE{alertname!="Watchdog",alertname="MemoryUsed"}'),
        ("how long have the alerts on web-2 been firing", "ALERTS_FOR_STATE{"),
        ("how many databases do we have", "count by (env, host, database)"),
        ("when was the last successful backup", "fleetwatch_backup_last_success_timestamp_seconds"),
        ("which status codes does shop return", "sum by (env, host, job, status)"),
        ("disk io of db-1", "node_disk_read_bytes_total"),
        ("total network traffic of all hosts", "sum(sum by (env, host) (rate(node_network_receive"),
        ("how long have the containers been running", "container_start_time_seconds"),
        ("what fired at 3 am", "ALERTS{"),
        ("how much did the shop database grow this week", "offset 108h"),
        ("did the number of errors in the logs of blog rise compared to yesterday", "[1d] offset 1d)) or vector(0))"),
        ("sum of the memory of all containers on web-1", "sum(max by (env, host, container)"),
        ("how much space does the table orders of billing take", "fleetwatch_pg_table_bytes"),
        ("fehler von nginx", '{container="nginx"} | level=~"error|fatal"'),
        ("search for refused in the logs of blog", "|~ `(?i)refused`"),
        ("failed logins to grafana in the last 6 hours", "[6h]"),
    ],
)
def test_the_meaning_depends_on_what_is_beside_it(question: str, part: str) -> None:
    assert part in query(question)


def test_growth_without_a_time_states_what_it_is_compared_with() -> None:
    assert "no time was given: compared with 1 day before" in plan("is the shop database growing").assumptions
    assert plan("growth of the shop database per day").assumptions == ()


def test_errors_after_requests_of_a_service_are_its_error_ratio() -> None:
    assert 'status=~"5.."' in query("and errors?", "request rate of blog")


@pytest.mark.parametrize(
    "question",
    [
        "is web-1 slow",
        "how long was web-2 down yesterday",
        "how often was web-2 offline last week",
        "success rate of backups",
        "when did DiskUsed start to fire yesterday",
        "deadlocks per container",
        "errors",
        "find errors in peace",
    ],
)
def test_no_meaning_is_guessed(question: str) -> None:
    assert query(question) == ""


def test_levels_are_not_searched_as_text() -> None:
    assert query("find errors in the logs of blog") == '{container="blog"} | level=~"error|fatal"'


def test_lines_around_a_time_are_those_before_and_after_it() -> None:
    query = plan("logs of blog around 9:30").query
    assert query is not None
    assert (query.start, query.end) == (AT - 3 * 3600, AT - 2 * 3600)
    assert query.notes == ("half an hour before and after that time",)


@pytest.mark.parametrize(
    ("question", "part"),
    [
        ("when was the highest cpu of web-1 yesterday", "The time at which"),
        ("ratio of cpu between web-1 and web-2", "The ratio of"),
        ("log lines of blog compared with yesterday", "not compared"),
        ("more than 5 errors in the logs of blog compared with yesterday?", "not compared"),
    ],
)
def test_what_cannot_be_expressed_is_stated(question: str, part: str) -> None:
    assert part in plan(question).abstention


def test_a_panel_of_log_lines_is_not_compared() -> None:
    assert "not compared" in plan("failed logins to grafana compared to yesterday").abstention
