"""Answers from a hub that is played: sentences with units, empty results, stores that are away, costs, links."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from ask import answer as answers
from ask.answer import Answer
from ask.client import Away, Hub
from ask.reading import Context
from ask.safety import Limits
from ask.world import discover
from tests.ask.offline import engine, world
from tests.ask.seed import AT


@dataclass
class Played:
    """Answers each path of the query API with what it is given, or what that returns for a request, which is kept."""

    data: dict[str, Any]
    seen: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        found = self.data.get(request.url.path)
        if callable(found):
            found = found(request)
        if isinstance(found, Exception):
            raise found
        if found is None and request.url.path.endswith("/index/stats"):
            return httpx.Response(200, json={"bytes": 1000})
        if found is None:
            return httpx.Response(503, text="no")
        return httpx.Response(200, json={"status": "success", "data": found})


def hub(played: Played) -> Hub:
    """A client whose requests are answered by `played`."""
    made = Hub("http://hub.test", "http://hub.test")
    made.transport(httpx.MockTransport(played))
    return made


def vector(*values: tuple[dict[str, str], float]) -> dict[str, Any]:
    """The data of an instant query."""
    return {"resultType": "vector", "result": [{"metric": m, "value": [AT, str(v)]} for m, v in values]}


def ask(question: str, played: Played) -> Answer:
    """The answer to a question over the seeded fleet's world."""
    return answers.ask(engine(), hub(played), world(), question, AT, Context(), "https://hub.test")


def test_a_value_has_its_unit_and_its_name() -> None:
    played = Played({"/api/v1/series": [{}], "/api/v1/query": vector(({"host": "web-1", "env": "prod"}, 0.215))})
    found = ask("cpu of web-1", played)
    assert found.status == "answered"
    assert found.sentence == "CPU usage: web-1 21.5 %."
    assert 'host="web-1"' in found.query
    assert "node_cpu_seconds_total" in found.explanation
    assert found.rows[0]["text"] == "21.5 %"


def test_a_bound_that_nothing_exceeds_is_answered_with_no() -> None:
    found = ask("which hosts are over 90% memory", Played({"/api/v1/series": [{}], "/api/v1/query": vector()}))
    assert (found.status, found.sentence) == ("answered", "No: nothing is over 90%.")


def test_an_empty_result_is_an_answer() -> None:
    found = ask("cpu of web-1", Played({"/api/v1/series": [], "/api/v1/query": vector()}))
    assert found.status == "empty"
    assert "no result" in found.sentence


def test_a_comparison_states_the_difference() -> None:
    played = Played({"/api/v1/series": [{}], "/api/v1/query": vector(({"host": "web-1"}, 0.05))})
    found = ask("cpu of web-1 compared to yesterday", played)
    assert found.sentence == "CPU usage, difference to 1 day before: web-1 +5 percentage points."


def test_lines_are_shown_newest_first() -> None:
    lines = [["1000000000", "old"], ["2000000000", "<script>new</script>"]]
    played = Played({"/loki/api/v1/query_range": {"result": [{"stream": {"host": "web-1"}, "values": lines}]}})
    found = ask("latest log lines of web-1", played)
    assert [one["line"] for one in found.lines] == ["<script>new</script>", "old"]


@pytest.mark.parametrize(
    ("question", "data", "sentence"),
    [
        ("cpu of web-1", {}, "Prometheus refuses the query: no"),
        ("cpu of web-1", {"/api/v1/series": httpx.ConnectError("x")}, "Prometheus does not answer: ConnectError"),
        (
            "log lines of web-1",
            {"/loki/api/v1/query_range": httpx.ReadTimeout("x")},
            "Loki did not answer within 30 seconds.",
        ),
    ],
)
def test_a_store_that_is_away_is_named(question: str, data: dict[str, Any], sentence: str) -> None:
    found = ask(question, Played(data))
    assert (found.status, found.sentence) == ("failed", sentence)
    assert found.query


def test_what_would_read_too_many_series_is_not_executed() -> None:
    played = Played({"/api/v1/series": [{}] * (Limits().series + 1), "/api/v1/query": vector()})
    found = ask("cpu of web-1", played)
    assert found.status == "refused"
    assert "more than 5000 series" in found.sentence
    assert {one.url.path for one in played.seen} == {"/api/v1/series"}


def test_an_abstention_and_a_refusal_send_nothing() -> None:
    played = Played({})
    assert ask("gpu temperature", played).status == "abstained"
    assert ask("drop table users", played).status == "refused"
    assert played.seen == []


def test_links_follow_the_schema_of_explore() -> None:
    played = Played({"/api/v1/series": [{}], "/api/v1/query": vector(({"host": "web-1"}, 0.2))})
    links = ask("cpu of web-1", played).links
    parameters = parse_qs(urlsplit(links["explore"]).query)
    assert parameters["schemaVersion"] == ["1"]
    (pane,) = json.loads(parameters["panes"][0]).values()
    assert pane["datasource"] == "prometheus"
    assert pane["queries"][0]["expr"]
    assert int(pane["range"]["from"]) < int(pane["range"]["to"]) == AT * 1000
    assert links["board"].startswith("https://hub.test/d/fleetwatch-fleet?var-host=web-1&from=")


def test_only_the_query_api_is_called() -> None:
    with pytest.raises(Away, match="not a path of the query API"):
        hub(Played({})).get("http://hub.test", "/-/reload", [])


def test_a_label_without_values_has_none() -> None:
    """Loki answers such a request without `data`."""
    made = Hub("http://hub.test", "http://hub.test")
    made.transport(httpx.MockTransport(lambda request: httpx.Response(200, json={"status": "success"})))
    assert made.log_values("container", 0, AT) == []
    assert made.values("container", 0, AT, 10) == []
    assert discover(made, engine().catalogue, AT).missing == ()
    with pytest.raises(Away, match="Prometheus answers without a result"):
        made.instant("up", AT)


@pytest.mark.parametrize("body", ["[]", '"x"', "{}", '{"status": "error", "error": "too many"}'])
def test_an_answer_that_is_no_success_is_refused(body: str) -> None:
    made = Hub("http://hub.test", "http://hub.test")
    made.transport(httpx.MockTransport(lambda request: httpx.Response(200, text=body)))
    with pytest.raises(Away, match="Loki (answers 200 and no JSON object|refuses the query: (200|too many))"):
        made.log_values("container", 0, AT)


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (404, "404 page not found\n", ""),  # Thanos Query, which refuses a wrong query when it is executed
        (404, '{"status": "error", "error": "not found"}', ""),
        (200, '{"status": "success", "data": {"type": "vectorSelector"}}', ""),
        (400, '{"status": "error", "error": "unexpected )"}', "unexpected )"),
    ],
)
def test_a_store_that_checks_no_query_refuses_none(status: int, body: str, reason: str) -> None:
    made = Hub("http://hub.test", "http://hub.test")
    made.transport(httpx.MockTransport(lambda _: httpx.Response(status, text=body)))
    assert made.parses("up") == reason


def test_a_metric_that_no_panel_shows_is_named_and_stated_to_be_derived() -> None:
    played = Played({"/api/v1/series": [{}], "/api/v1/query": vector(({"host": "web-1", "job": "shop"}, 1.7))})
    found = ask("orders per second", played)
    assert found.sentence == "shop_orders_total: web-1 shop 1.7."
    assert found.engine == "derived"
    assert any("inferred from its name" in one for one in found.assumptions)
