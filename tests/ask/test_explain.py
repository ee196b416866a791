"""Explanations of alerts: the time that the question names, the last time that an alert fired, values, log lines."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from ask import explain
from ask.answer import Answer
from ask.safety import Limits
from tests.ask.offline import engine
from tests.ask.seed import AT
from tests.ask.test_answer import Played, hub, vector

HOUR = 3600.0


def matrix(*values: tuple[dict[str, str], list[float]]) -> dict[str, Any]:
    """The data of a range query."""
    found = [{"metric": m, "values": [[AT - 60 * n, str(v)] for n, v in enumerate(vs)][::-1]} for m, vs in values]
    return {"resultType": "matrix", "result": found}


def explained(played: Played, question: str = "why did DiskUsed fire?", limits: Limits = explain.DEFAULT) -> Answer:
    """Why DiskUsed fires."""
    alert = explain.alert_of(question, engine().catalogue)
    assert alert is not None
    return explain.explain(question, alert, hub(played), AT, "https://hub.test", limits)


FIRING = vector(({"alertname": "DiskUsed", "host": "db-1"}, 1))


def test_an_alert_is_explained() -> None:
    lines = [["1000000000", "No space left on device"]]
    played = Played(
        {
            "/api/v1/query": FIRING,
            "/api/v1/series": [{}],
            "/api/v1/query_range": matrix(({"host": "web-1"}, [0.95, 0.2]), ({"host": "db-1"}, [0.93, 0.8])),
            "/loki/api/v1/query_range": {"result": [{"stream": {"host": "db-1"}, "values": lines}]},
        }
    )
    found = explained(played)
    assert found.sentence.startswith("DiskUsed (critical) fires if this holds for 5m.")
    assert found.sentence.endswith("It fires now for db-1.")
    assert " > 0.9" not in found.query
    assert [(one["name"], one["text"]) for one in found.rows] == [("db-1", "93 %, firing"), ("web-1", "95 %")]
    assert [one["name"] for one in found.series] == ["db-1", "web-1"]
    assert "`df -h`" in found.checks[0]
    assert [one["line"] for one in found.lines] == ["No space left on device"]
    asked = [one.url.params["query"] for one in played.seen if one.url.path.startswith("/loki")]
    assert asked == ['{host="db-1"} | level=~"error|fatal"']
    assert found.links["runbook"].endswith("DiskUsed.md")
    assert explain.alert_of("cpu of web-1", engine().catalogue) is None


def test_an_alert_is_explained_without_what_is_away() -> None:
    found = explained(Played({"/api/v1/query": FIRING, "/loki/api/v1/query_range": httpx.ConnectError("x")}))
    assert found.status == "answered"
    assert found.checks
    assert found.assumptions == [
        "without values: Prometheus refuses the query: no",
        "without log lines: Loki does not answer: ConnectError",
    ]
    assert explained(Played({})).status == "failed"


def test_an_alert_that_does_not_fire_reads_no_logs() -> None:
    played = Played({"/api/v1/query": vector(), "/api/v1/series": [], "/api/v1/query_range": matrix()})
    found = explained(played)
    assert found.sentence.endswith("It does not fire now.")
    assert found.assumptions == ["it did not fire within 1 week before that either"]
    assert not [one for one in played.seen if one.url.path.startswith("/loki")]


def test_an_alert_has_the_unit_of_the_panel_with_the_same_values() -> None:
    alerts = engine().catalogue.alerts
    assert (alerts["DiskUsed"].unit, alerts["PostgresReplicationLag"].unit) == ("percentunit", "s")
    assert alerts["DiskFullSoon"].unit == "", "it looks at what is predicted"


def ended(*last: tuple[str, float]) -> Played:
    """DiskUsed fires for each host until a time; the values are those of db-1."""

    def instant(request: httpx.Request) -> dict[str, Any]:
        at = float(request.url.params["time"])
        if "max_over_time" in request.url.params["query"]:
            return vector(*(({"alertname": "DiskUsed", "host": host}, end) for host, end in last if end <= at))
        return vector(*(({"alertname": "DiskUsed", "host": host}, 1) for host, end in last if at <= end))

    return Played(
        {
            "/api/v1/query": instant,
            "/api/v1/series": [{}],
            "/api/v1/query_range": matrix(({"host": "db-1"}, [0.93])),
            "/loki/api/v1/query_range": {"result": []},
        }
    )


def spans(played: Played) -> list[tuple[float, float]]:
    """Of the requests for values and for log lines, before AT."""
    found = []
    for one in played.seen:
        if one.url.path.endswith("/query_range"):
            scale = 1e9 if one.url.path.startswith("/loki") else 1.0
            found.append(tuple(AT - float(one.url.params[name]) / scale for name in ("start", "end")))
    return [(start, end) for start, end in found]


def test_an_alert_that_ended_is_explained_at_the_last_time_that_it_fired() -> None:
    played = ended(("db-1", AT - 3 * HOUR), ("db-2", AT - 9 * HOUR))
    found = explained(played)
    assert found.sentence.endswith("It does not fire now. It fired last at 2026-11-20 09:00 UTC for db-1.")
    assert found.assumptions == ["values and log lines are those of 2026-11-20 09:00 UTC, when it fired last"]
    assert spans(played) == [(4 * HOUR, 3 * HOUR), (3 * HOUR + explain.LOGS, 3 * HOUR)]
    assert (found.start, found.end) == (AT - 4 * HOUR, AT - 3 * HOUR)
    assert [one["text"] for one in found.rows] == ["93 %, firing"]


@pytest.mark.parametrize(
    ("question", "sentence", "end"),
    [
        ("why did DiskUsed fire yesterday at 20:00?", "It fired at 2026-11-19 20:00 UTC for db-1.", 16 * HOUR),
        ("why did DiskUsed fire 2 hours ago", "It fired last at 2026-11-20 09:00 UTC for db-1.", 3 * HOUR),
        ("why did DiskUsed fire in the last 24 hours", "It fired last at 2026-11-20 09:00 UTC for db-1.", 3 * HOUR),
    ],
)
def test_an_alert_is_explained_at_the_time_that_the_question_names(question: str, sentence: str, end: float) -> None:
    found = explained(ended(("db-1", AT - 3 * HOUR)), question)
    assert found.sentence.endswith(sentence)
    assert found.end == AT - end


def test_a_time_in_the_future_is_stated_and_one_too_long_ago_refused() -> None:
    played = ended(("db-1", AT))
    found = explained(played, "why will DiskUsed fire tomorrow?")
    assert found.assumptions == ["the time in the question is in the future: this is the present state"]
    assert "It fires now for db-1." in found.sentence
    played.seen.clear()
    assert explained(played, "why did DiskUsed fire 30000 years ago?").status == "refused"
    assert not played.seen


def test_a_time_does_not_hide_which_alert_is_meant() -> None:
    found = [
        explain.alert_of(f"why did the deadlocks alert fire{when}", engine().catalogue) for when in ("", " last night")
    ]
    assert [one.title for one in found if one is not None] == ["PostgresDeadlocks"] * 2


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(samples=10_000), "without the last time that it fired: The query would read about 10080 samples"),
        (Limits(series=0), "without the last time that it fired: The query would read more than 0 series"),
    ],
)
def test_the_search_for_the_last_time_has_the_limits_of_every_query(limits: Limits, reason: str) -> None:
    played = ended(("db-1", AT - 3 * HOUR))
    found = explained(played, limits=limits)
    assert found.sentence.endswith("It does not fire now.")
    assert found.assumptions[0].startswith(reason)
    assert not [one for one in played.seen if "max_over_time" in one.url.params.get("query", "")]


def test_the_search_keeps_to_shorter_windows_and_fewer_steps() -> None:
    played = ended(("db-1", AT - 3 * HOUR))
    explained(played, limits=replace(explain.DEFAULT, window=86400.0, subquery_points=101))
    asked = [one.url.params["query"] for one in played.seen if "max_over_time" in one.url.params.get("query", "")]
    assert [one.partition("[")[2] for one in asked] == ["86400s:864s])"]
