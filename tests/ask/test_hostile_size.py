"""What would grow without a bound: answers, tables of discovery; and costs at another time than the present."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from ask import cost, promql
from ask.client import Hub
from ask.safety import Limits, Refused
from ask.service import inventory
from ask.service.answering import LARGEST_KEPT, Asked
from tests.ask import stage
from tests.ask.offline import world
from tests.ask.seed import AT
from tests.ask.servers import Server
from tests.ask.stage import Stage
from tests.ask.test_answer import Played, ask
from tests.ask.test_explain import matrix

LONG = "x" * 200_000


@pytest.fixture(scope="module")
def made(postgres: Server) -> Iterator[Stage]:
    with stage.replica(postgres, None, stage.fresh_database(postgres), jobs=0) as found:
        yield found


def _with_lines(*lines: str) -> Played:
    values = [[f"{AT:.0f}000000000", one] for one in lines]
    return Played({"/loki/api/v1/query_range": {"result": [{"stream": {"host": "web-1"}, "values": values}]}})


def test_long_log_lines_are_cut() -> None:
    found = ask("log lines of web-1", _with_lines(LONG, "short"))
    assert [len(one["line"]) < 5000 for one in found.lines] == [True, True]
    assert found.lines[0]["line"].endswith("(196000 more characters)")


def test_a_chart_has_a_bounded_number_of_series() -> None:
    many = matrix(*(({"host": f"web-{number}"}, [0.1, 0.2]) for number in range(300)))
    found = ask("memory of web-1 over the last 6 hours", Played({"/api/v1/series": [{}], "/api/v1/query_range": many}))
    assert found.status == "answered"
    assert len(found.series) == 50
    assert "and 295 more" in found.sentence


def test_native_histograms_are_no_values() -> None:
    rows = [{"metric": {"host": "web-1"}, "histogram": [AT, {}], "histograms": [[AT, {}]]}]
    data = {"resultType": "vector", "result": rows}
    played = Played({"/api/v1/series": [{}], "/api/v1/query": data, "/api/v1/query_range": data})
    assert ask("cpu of web-1", played).status == "empty"
    assert ask("memory of web-1 over the last 6 hours", played).status == "empty"


def test_an_answer_of_a_store_that_is_no_utf8_is_read() -> None:
    hub = Hub("http://hub.test", "http://hub.test")
    body = b'{"status": "success", "data": ["\xed\xa0\x80"]}'
    hub.transport(httpx.MockTransport(lambda _: httpx.Response(200, content=body)))
    (value,) = hub.values("host", 0, 1, 10)
    assert value.encode()


@pytest.mark.parametrize(
    "query", ["up offset 30d", f"up @ {AT - 30 * 86400:.0f}", "max_over_time(up[1h:5m] offset 30d)"]
)
def test_series_are_counted_at_the_time_that_is_read(query: str) -> None:
    def played(request: httpx.Request) -> httpx.Response:
        before = float(request.url.params["end"]) < AT - 86400
        return httpx.Response(200, json={"status": "success", "data": [{}] * (5001 if before else 1)})

    hub = Hub("http://hub.test", "http://hub.test")
    hub.transport(httpx.MockTransport(played))
    with pytest.raises(Refused, match="more than 5000 series"):
        cost.check(cost.estimate(hub, promql.parse(query), AT, AT, 60, Limits()), Limits())
    now = promql.parse("up + up @ end()")
    assert cost.estimate(hub, now, AT, AT, 60, Limits()).series == 1


def test_large_answers_are_not_in_the_shared_cache(made: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Any] = []
    dumps = json.dumps

    def counted(document: Any, **options: Any) -> str:
        written.append(document)
        return dumps(document, **options)

    monkeypatch.setattr(json, "dumps", counted)
    small: dict[str, Any] = {"status": "answered", "model": "", "embeddings": "", "sentence": "x"}
    large = small | {"sentence": "x" * LARGEST_KEPT}
    made.service.answering._cache("small", small)
    made.service.answering._cache("large", large)
    store = made.service.store
    assert (store.get("small"), store.get("large")) == (small, None)
    assert [document for document in written if document in (small, large)] == [small, large], "each is written once"


def _names(made: Stage) -> set[str]:
    return {str(one["name"]) for one in inventory.metrics(made.service.pool, "", "", "", 1000)}


def test_a_name_that_no_index_can_have_keeps_no_other_out(made: Stage) -> None:
    huge = "".join(f"{number:x}_" for number in range(6000))
    hostile = replace(world(), metrics=frozenset({"fresh_total", huge}), labels={"job": frozenset({"fresh", huge})})
    inventory.update(made.service.pool, hostile, [("fresh_total", "fresh", "job"), (huge, huge, "job")])
    assert "fresh_total" in _names(made)
    assert huge not in _names(made)
    assert {"fresh"} <= {one["name"] for one in inventory.services(made.service.pool)}


def test_names_that_nothing_sends_any_more_are_removed(made: Stage) -> None:
    inventory.update(made.service.pool, replace(world(), metrics=frozenset({"old_total", "new_total"})), [])
    with made.service.pool.begin() as connection:
        connection.exec_driver_sql("UPDATE metrics SET last_seen = now() - interval '8 days' WHERE name = 'old_total'")
    made.service.history.clean()
    assert {"old_total", "new_total"} & _names(made) == {"new_total"}


def test_the_newest_line_may_have_any_character(made: Stage) -> None:
    row: dict[str, Any] = {"status": "answered", "query": "", "language": "logql", "sentence": "the newest is: \0"}
    row |= {"engine": "deterministic", "confidence": 1.0, "cached": False, "seconds": 0.1}
    caller = made.service.accounts.of_token(made.token()["Authorization"].removeprefix("Bearer "))
    made.service.answering._keep(caller, Asked("log lines of web-1"), row)
    deadline = time.monotonic() + 20
    while not (listed := made.service.history.of(caller.user, 1, None)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert listed[0]["sentence"] == "the newest is: \ufffd"
