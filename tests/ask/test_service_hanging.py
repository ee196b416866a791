"""Servers that accept connections and never answer: every request ends in a stated time and names the component."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import httpx
import pytest
import sqlalchemy as sa

from ask.client import Away, Hub, TooMuch
from ask.service import config, database, problems
from ask.service.breaker import Breaker
from ask.service.problems import Problem
from ask.service.valkey_store import InValkey
from tests.ask import relay, stage
from tests.ask.relay import Relay, ends_within
from tests.ask.servers import Server
from tests.ask.stage import Stage

STATED = 10.0  # seconds of docs/ask.md


@dataclass(frozen=True)
class Held:
    """A replica whose servers can be made to hang."""

    stage: Stage
    postgres: Relay
    valkey: Relay


@pytest.fixture(scope="module")
def made(postgres: Server, valkey: Server) -> Iterator[Held]:
    name = stage.fresh_database(postgres)
    with relay.relay(postgres.port) as first, relay.relay(valkey.port) as second:
        behind = replace(postgres, port=first.port), replace(valkey, port=second.port)
        with stage.replica(*behind, name, cache_seconds=0) as found:
            yield Held(found, first, second)


def _again(made: Held, headers: dict[str, str]) -> None:
    """Within seconds after the server is back, questions are answered."""
    deadline = time.monotonic() + 10
    while (found := made.stage.ask("cpu of web-1", headers)).status_code != 200:
        assert time.monotonic() < deadline, found.text
        time.sleep(0.2)


@pytest.mark.parametrize("component", ["valkey", "database"])
def test_a_server_that_hangs_is_named_within_the_stated_time(made: Held, component: str) -> None:
    headers = made.stage.token()
    with (made.valkey if component == "valkey" else made.postgres).held():
        with ends_within(STATED):
            found = made.stage.ask("cpu of web-1", headers)
        assert (found.status_code, found.json()["error"]) == (503, f"{component}_down"), found.text
        assert found.headers["Retry-After"]
        with ends_within(STATED):
            health = made.stage.client.get("/ask/api/v1/health")
        assert health.status_code == 503
        components = health.json()["components"]
        down = [name for name, one in components.items() if one["status"] == "unhealthy"]
        assert down == [component], components
        with ends_within(1):
            assert made.stage.client.get("/ask/health").status_code == 200
    _again(made, headers)


def test_requests_do_not_queue_up_behind_a_server_that_hangs(made: Held) -> None:
    """Sixty requests at once end as one does: those that come after the first failure fail at once."""
    token = made.stage.token()["Authorization"].removeprefix("Bearer ")
    found: list[str] = []

    def enter() -> None:
        try:
            made.stage.service.accounts.of_token(token)
        except Problem as problem:
            found.append(problem.code)

    with made.valkey.held(), ends_within(STATED):
        threads = [threading.Thread(target=enter) for _ in range(60)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    assert found == ["valkey_down"] * 60
    _again(made, {"Authorization": f"Bearer {token}"})


def test_a_statement_that_waits_for_a_lock_ends(made: Held, postgres: Server) -> None:
    headers = made.stage.token()
    name = made.stage.service.settings.database.name
    with stage.connection(postgres, name) as other, other.transaction():
        other.execute("LOCK TABLE audit IN ACCESS EXCLUSIVE MODE")
        with ends_within(STATED):
            found = made.stage.ask("cpu of web-1", headers)
        assert (found.status_code, found.json()["error"]) == (503, "database_down")
    _again(made, headers)


def test_a_database_that_never_answered_ends_the_attempt_to_connect(tmp_path_factory: pytest.TempPathFactory) -> None:
    secret = tmp_path_factory.mktemp("secret") / "password"
    secret.write_text("x")
    with relay.silent() as port:
        pool = database.engine(config.Database(host="127.0.0.1", port=port, password_file=secret))
        with ends_within(STATED), pytest.raises(Problem, match="database"), database.transaction(pool) as connection:
            connection.execute(sa.text("SELECT 1"))
        store = InValkey(config.Valkey(host="127.0.0.1", port=port, password_file=secret))
        with ends_within(STATED), pytest.raises(Problem, match="Valkey"):
            store.ping()
        with ends_within(0.5), pytest.raises(Problem, match="Valkey"):
            store.get("x")
        pool.dispose()


def test_a_server_that_refuses_is_used_again_at_once() -> None:
    breaker = Breaker()
    with pytest.raises(Problem), breaker.guard((OSError,), problems.valkey_down):
        raise OSError
    with breaker.guard((OSError,), problems.valkey_down):
        pass


def test_a_store_that_hangs_or_drips_ends_in_time() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
    for sent in (b"", head):
        with relay.silent(sent) as port:
            hub = Hub(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port}", timeout=1.0)
            with ends_within(3), pytest.raises(Away, match="Prometheus did not answer within 1 seconds"):
                hub.instant("up", 0)
            hub.timeout = 30.0
            late = "Loki did not answer within the time that a question"
            with ends_within(3), pytest.raises(Away, match=late), hub.within(1.0):
                hub.instant("up", 0, logs=True)
            hub.close()


def test_the_health_page_waits_seconds_for_a_store_that_hangs(made: Held) -> None:
    hub = made.stage.service.hub
    address = hub.prometheus
    with relay.silent() as port:
        hub.prometheus = f"http://127.0.0.1:{port}"
        hub.transport(httpx.HTTPTransport())
        try:
            with ends_within(STATED):
                found = made.stage.client.get("/ask/api/v1/health")
        finally:
            hub.prometheus = address
            hub.transport(httpx.MockTransport(made.stage.stores))
    assert found.status_code == 200
    assert found.json()["components"]["prometheus"]["message"] == "Prometheus did not answer within 3 seconds."


def test_an_answer_without_an_end_is_not_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub("http://hub.test", "http://hub.test")
    monkeypatch.setattr("ask.client.LARGEST", 1000)
    hub.transport(httpx.MockTransport(lambda _: httpx.Response(200, content=b"x" * 5000)))
    with pytest.raises(TooMuch, match="The answer of Prometheus exceeds"):
        hub.instant("up", 0)


def test_a_store_that_is_too_slow_has_a_status_code_of_its_own(made: Held) -> None:
    headers = made.stage.token()

    def slow(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow", request=request)

    made.stage.service.hub.transport(httpx.MockTransport(slow))
    try:
        found = made.stage.ask("cpu of web-1", headers)
    finally:
        made.stage.service.hub.transport(httpx.MockTransport(made.stage.stores))
    assert (found.status_code, found.json()["error"]) == (504, "prometheus_slow"), found.text
    assert "did not answer within" in found.json()["message"]


def test_a_query_that_the_store_refuses_for_its_size_is_a_refusal(made: Held) -> None:
    made.stage.stores.error = "query processing would load too many samples into memory in query execution"
    try:
        found = made.stage.ask("cpu of web-1", made.stage.token())
    finally:
        made.stage.stores.error = ""
    assert (found.status_code, found.json()["error"]) == (422, "refused")
    assert "Ask" in found.json()["message"] or "ask for less time" in found.json()["message"]
