"""Values, days and exclusions that a question states in ordinary terms. Other sentences than those of the questions."""

from __future__ import annotations

import pytest

from tests.ask.offline import query


@pytest.mark.parametrize(
    ("question", "part"),
    [
        ("how full is the root partition of db-2", 'mountpoint="/"'),
        ("chunks of the hypertable readings", 'hypertable="public.readings"'),
        ("is caddy running", 'job="caddy"'),
        ("is MemoryUsed firing", 'alertname="MemoryUsed"'),
        ("size of the grafana backup", 'part="grafana"'),
        ("how many 500s did shop return today", 'increase(http_requests_total{job=~"blog|shop",status="500"'),
        ("lines of postgres in the logs", '{container="postgres"}'),
        ("connection reset messages of redis", '{container="redis"} |~ `(?i)connection reset`'),
        ("paid versus failed orders", 'status=~"failed|paid"'),
        ("list the containers of web-1", "count by (host, container)"),
        ("worst cache hit ratio", "bottomk(1, "),
        ("when did redis last restart", "container_start_time_seconds"),
        ("will db-2 run out of space this week", "deriv("),
    ],
)
def test_what_a_question_states_is_in_itsquery(question: str, part: str) -> None:
    assert part in query(question)


@pytest.mark.parametrize(
    "question",
    [
        "cpu of every host except web-1",
        "log lines of nginx without info",
        "which containers do not restart",
        "who stopped the mailer",
        "memory limit of redis",
        "something odd in the logs",
        "who deployed web-2",
        "when will db-2 be deployed",
    ],
)
def test_what_cannot_be_expressed_has_noquery(question: str) -> None:
    assert query(question) == ""


def test_a_disk_of_the_hub_is_not_the_answer_for_every_host() -> None:
    assert 'host="hub"' not in query("will any disk be full within 5 days")
    assert 'host="hub"' in query("when is the disk of the hub full")
