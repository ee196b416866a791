"""PostgreSQL is killed while a question is executed, after its audit: nothing is lost, neither answer nor history."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest
import sqlalchemy as sa

from ask.service.tables import audit
from tests.ask import stage
from tests.ask.servers import Server
from tests.ask.stage import Stage


@pytest.fixture(scope="module", params=["valkey", "database"])
def made(request: pytest.FixtureRequest, postgres: Server) -> Iterator[Stage]:
    """With Valkey, and without: then turns and cache are in the database too."""
    valkey = request.getfixturevalue("valkey") if request.param == "valkey" else None
    with stage.replica(postgres, valkey, stage.fresh_database(postgres), jobs=0) as found:
        yield found


def _asked(made: Stage, headers: dict[str, str]) -> list[str]:
    found = made.client.get("/ask/api/v1/history", headers=headers)
    return [one["question"] for one in found.json()["history"]] if found.status_code == 200 else []


def test_the_database_killed_while_the_store_is_queried_loses_nothing(made: Stage, postgres: Server) -> None:
    headers, question, killed = made.token(), "load of web-1", list[str]()

    def kills(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/query") and not killed:
            killed.append(request.url.params["query"])
            postgres.kill()
        return made.stores(request)

    made.service.hub.transport(httpx.MockTransport(kills))
    try:
        found = made.ask(question, headers)
    finally:
        made.service.hub.transport(httpx.MockTransport(made.stores))
        if killed:
            postgres.start()
    assert "web-1" in killed[0], "it was killed by the query of the question"
    assert (found.status_code, found.json().get("status")) == (200, "answered"), found.text
    deadline = time.monotonic() + 20
    while question not in _asked(made, headers) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert _asked(made, headers) == [question]
    with made.service.pool.connect() as connection:
        query = sa.select(sa.func.count()).where(audit.c.action == "question", audit.c.detail == question)
        assert connection.execute(query).scalar_one() == 1
