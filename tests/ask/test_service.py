"""The service end to end over HTTP, with a real PostgreSQL and a real Valkey."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.ask import stage
from tests.ask.servers import Server
from tests.ask.stage import Stage


@pytest.fixture(scope="module")
def made(postgres: Server, valkey: Server) -> Iterator[Stage]:
    with stage.replica(postgres, valkey, stage.fresh_database(postgres)) as found:
        yield found


def test_a_question_is_answered_and_then_comes_from_the_cache(made: Stage) -> None:
    headers = made.token()
    first = made.ask("cpu of web-1", headers)
    assert first.status_code == 200, first.text
    assert first.json()["status"] == "answered"
    assert "web-1" in first.json()["query"]
    assert first.json()["cached"] is False
    assert int(first.headers["X-RateLimit-Remaining"]) == int(first.headers["X-RateLimit-Limit"]) - 1
    again = made.ask("  CPU of  web-1? ", headers)
    assert again.json()["cached"] is True
    assert again.json()["sentence"] == first.json()["sentence"]


def test_the_history_has_the_question_and_can_be_deleted(made: Stage) -> None:
    headers = made.token()
    made.ask("memory of web-1", headers)
    deadline = time.monotonic() + 10
    found: list[dict[str, object]] = []
    while not found and time.monotonic() < deadline:
        listed = made.client.get("/ask/api/v1/history", headers=headers).json()["history"]
        found = [one for one in listed if one["question"] == "memory of web-1"]
        time.sleep(0.1)
    assert found, "the history is written in the background, within seconds"
    assert made.client.delete("/ask/api/v1/history", headers=headers).json()["deleted"] >= 1
    assert made.client.get("/ask/api/v1/history", headers=headers).json()["history"] == []


def test_without_credentials_nothing_is_answered(made: Stage) -> None:
    found = made.client.post("/ask/api/v1/query", json={"question": "cpu of web-1"})
    assert found.status_code == 401
    assert found.json()["error"] == "credentials_missing"


def test_signing_out_ends_the_session_at_once(made: Stage) -> None:
    headers = made.token()
    assert made.client.post("/ask/auth/logout", headers=headers).status_code == 204
    assert made.ask("cpu of web-1", headers).json()["error"] == "session_ended"


def test_health_names_each_component(made: Stage) -> None:
    found = made.client.get("/ask/api/v1/health")
    assert found.status_code == 200
    states = {name: one["status"] for name, one in found.json()["components"].items()}
    healthy = dict.fromkeys(("database", "valkey", "prometheus", "loki"), "healthy")
    assert states == healthy | {"llm": "none", "embeddings": "none"}


def test_registration_is_closed(made: Stage) -> None:
    body = {"name": "eve", "password": "long enough to be used"}
    found = made.client.post("/ask/auth/register", json=body)
    assert found.status_code == 403
    assert "closed" in found.json()["message"]
