"""Values per minute, hour or day, where panels show them per second and lines are counted."""

from __future__ import annotations

import pytest

from tests.ask.seed import AT
from tests.ask.test_answer import Played, ask, vector


@pytest.mark.parametrize(
    ("question", "ends", "unit", "text"),
    [
        ("requests per minute", "* 60", "suffix:requests per minute", "90 requests per minute"),
        (
            "how many requests per hour in the last 3 hours",
            "* 3600",
            "suffix:requests per hour",
            "90 requests per hour",
        ),
        ("requests per second", "[5m]))", "reqps", "90 requests per second"),
        ("how much traffic per day does web-1 receive", "* 86400", "bytes/day", "90 B/day"),
        ("more than 80 requests per minute?", "* 60) > 80", "suffix:requests per minute", "90 requests per minute"),
    ],
)
def test_values_per_second_are_given_per_what_was_asked(question: str, ends: str, unit: str, text: str) -> None:
    played = Played({"/api/v1/series": [{}], "/api/v1/query": vector(({"host": "web-1"}, 90))})
    played.data["/api/v1/query_range"] = {
        "resultType": "matrix",
        "result": [{"metric": {"host": "web-1"}, "values": [[AT, "90"]]}],
    }
    found = ask(question, played)
    assert found.query.endswith(ends)
    assert (found.unit, found.rows[0]["text"]) == (unit, text)


@pytest.mark.parametrize("asked", ["log lines per minute of web-1", "how many log lines a minute does web-1 write"])
def test_lines_are_counted_per_what_was_asked(asked: str) -> None:
    played = Played({"/api/v1/series": [{}], "/loki/api/v1/query": vector(({}, 90))})
    assert ask(asked, played).query == 'sum(rate({host="web-1"} [1h])) * 60'
