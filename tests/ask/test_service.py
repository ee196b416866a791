"""The service end to end over HTTP, with a real PostgreSQL and a real Valkey."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from fastapi.routing import APIRoute

from ask.service import app
from ask.service.tables import audit
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


def _audited(made: Stage, action: str, detail: str) -> int:
    query = sa.select(sa.func.count()).where(audit.c.action == action, audit.c.detail == detail)
    with made.service.pool.connect() as connection:
        return int(connection.execute(query).scalar_one())


def test_questions_without_the_version_in_the_path_count_and_are_audited_alike(made: Stage) -> None:
    headers, body = made.token(), {"question": "swap of web-2"}
    long = made.client.post("/ask/api/v1/query", json=body, headers=headers)
    short = made.client.post("/ask/query", json=body, headers=headers)
    assert (short.status_code, short.json()["sentence"]) == (200, long.json()["sentence"])
    left = [int(found.headers["X-RateLimit-Remaining"]) for found in (long, short)]
    assert left[1] == left[0] - 1
    assert _audited(made, "question", "swap of web-2") == 2
    checked = made.client.post("/ask/parse_query", json={"query": "up"}, headers=headers)
    assert int(checked.headers["X-RateLimit-Remaining"]) == left[1] - 1
    assert made.client.get("/ask/history", headers=headers).status_code == 200
    assert made.client.delete("/ask/history", headers=headers).status_code == 200
    refused = made.client.get("/ask/history", headers={"Accept": "text/html"})
    assert (refused.status_code, refused.json()["error"]) == (401, "credentials_missing"), "it is no page"


@pytest.mark.parametrize("path", ["services", "metrics?search=node_cpu"])
def test_what_was_discovered_is_listed_without_the_version_in_the_path(made: Stage, path: str) -> None:
    headers = made.token()
    found = made.client.get(f"/ask/{path}", headers=headers)
    assert found.status_code == 200
    assert found.json() == made.client.get(f"/ask/api/v1/{path}", headers=headers).json()
    assert made.client.get(f"/ask/{path}").status_code == 401


def test_administration_without_the_version_in_the_path_needs_the_role(made: Stage) -> None:
    headers, user = made.token(), {"name": "short-path", "password": "a password of length"}
    assert made.client.post("/ask/admin/users", json=user, headers=headers).status_code == 201
    assert _audited(made, "user created", "short-path, user") == 1
    other = made.token(user["name"], user["password"])
    assert made.client.get("/ask/admin/users", headers=other).status_code == 403
    assert made.client.get("/ask/admin/users").status_code == 401


def test_the_openapi_document_has_each_route_once_and_no_two_share_an_address(made: Stage) -> None:
    paths = made.client.get("/ask/openapi.json").json()["paths"]
    assert "/ask/api/v1/query" in paths
    assert not {"/ask/query", "/ask/history", "/ask/metrics", "/ask/admin/users"} & set(paths)
    places = [(app.PATH, one) for one in (*app.ROUTERS, *app.SHORT)] + [(app.API, one) for one in app.OF_API]
    routes = [(prefix, one) for prefix, router in places for one in router.routes if isinstance(one, APIRoute)]
    addresses = [(prefix + one.path, method) for prefix, one in routes for method in one.methods or ()]
    assert ("/ask/query", "POST") in addresses
    assert len(addresses) == len(set(addresses))
