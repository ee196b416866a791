"""Hostile requests to a replica: values that the database cannot have, headers, guesses of passwords, and sessions
that would outlive what ended them. Without Valkey, so that PostgreSQL is all that they need."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from ask.service import health, secrets
from ask.service.problems import Problem
from tests.ask import stage
from tests.ask.servers import Server
from tests.ask.stage import ADMIN, Stage

PASSWORD = "a password of length"
HOME = "198.51.100.7"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
MCP = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}


@pytest.fixture(scope="module")
def made(postgres: Server) -> Iterator[Stage]:
    limits = {"sign_ins": 4}
    with stage.replica(
        postgres, None, stage.fresh_database(postgres), jobs=0, registration="open", limits=limits
    ) as found:
        yield found


@pytest.fixture
def admin(made: Stage) -> Iterator[dict[str, str]]:
    yield made.token()
    made.service.pool.dispose()
    with made.service.pool.begin() as connection:
        connection.exec_driver_sql("DELETE FROM shared_members WHERE name LIKE 'limit:%%'")


def _user(made: Stage, name: str) -> str:
    return str(made.service.accounts.create(name, PASSWORD))


def _tool(made: Stage, admin: dict[str, str], name: str, **arguments: Any) -> Any:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
    return made.client.post("/ask/mcp", content=json.dumps(body), headers=admin | MCP).json()


UNSTORABLE = [
    ("POST", "/ask/auth/login", {"name": "a\0", "password": "x"}),
    ("POST", "/ask/auth/refresh", {"refresh_token": "\0.x"}),
    ("GET", "/ask/api/v1/jobs/%00", None),
    ("GET", "/ask/api/v1/history?before=9223372036854775808", None),
    ("GET", "/ask/api/v1/metrics?search=%00", None),
    ("GET", "/ask/api/v1/metrics?service=%00", None),
    ("GET", "/ask/api/v1/metrics?after=%00", None),
    ("POST", "/ask/api/v1/admin/api-keys", {"name": "k\0"}),
    ("POST", "/ask/api/v1/admin/api-keys", {"name": "k", "user": "\0"}),
    ("POST", "/ask/api/v1/query", {"question": "cpu", "context": {"host": "web-1\0"}}),
]


@pytest.mark.parametrize(("method", "path", "body"), UNSTORABLE, ids=lambda part: str(part)[:40])
def test_values_that_no_column_can_have(
    made: Stage, admin: dict[str, str], method: str, path: str, body: dict[str, Any] | None
) -> None:
    found = made.client.request(method, path, json=body, headers=admin)
    assert (found.status_code, found.json()["error"]) == (422, "body_invalid"), found.text


def test_half_a_character_in_a_question(made: Stage, admin: dict[str, str]) -> None:
    headers = admin | {"Content-Type": "application/json"}
    found = made.client.post("/ask/api/v1/query", content=rb'{"question": "cpu \ud83d"}', headers=headers)
    assert (found.status_code, found.json()["error"]) == (422, "refused"), found.text


def test_a_time_beyond_the_calendar_is_no_end_of_a_key(made: Stage, admin: dict[str, str]) -> None:
    key = made.client.post("/ask/api/v1/admin/api-keys", json={"name": "k"}, headers=admin).json()["id"]
    for end in ("9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00"):
        found = made.client.put(f"/ask/api/v1/admin/api-keys/{key}", json={"expires_at": end}, headers=admin)
        assert (found.status_code, found.json()["error"]) == (422, "body_invalid"), found.text
    assert made.client.get("/ask/api/v1/admin/api-keys", headers=admin).status_code == 200


def test_no_error_of_a_tool_shows_its_inside(
    made: Stage, admin: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = _tool(made, admin, "list_metrics", search="\0")["result"]
    assert (found["isError"], found["structuredContent"]["error"]) == (True, "body_invalid")

    def broken(*_: object) -> None:
        raise RuntimeError("SELECT secret")

    monkeypatch.setattr(made.service.answering, "check", broken)
    answer = _tool(made, admin, "ask", question="cpu of web-1")
    assert answer["result"]["structuredContent"]["error"] == "internal"
    assert "secret" not in json.dumps(answer)


@pytest.mark.parametrize("origin", ["http://[", "null", "http://evil.test", "http://testserver.evil.test", ""])
def test_origins_that_are_none(made: Stage, admin: dict[str, str], origin: str) -> None:
    headers = {"Origin": origin} if origin else {"Host": ""}
    found = made.client.post("/ask/sign-in", content="name=admin&password=x", headers=FORM | headers)
    assert found.status_code == 403
    if origin:
        assert made.client.post("/ask/mcp", content="{}", headers=admin | MCP | headers).status_code == 403


def test_a_length_with_thousands_of_digits(made: Stage) -> None:
    found = made.client.post("/ask/auth/login", content=b"", headers={"Content-Length": "9" * 5000})
    assert (found.status_code, found.json()["error"]) == (413, "body_large")


def _guess(made: Stage, name: str, address: str, password: str = "wrong") -> int:
    try:
        made.service.accounts.sign_in(name, password, address)
    except Problem as problem:
        return problem.status
    return 200


@pytest.mark.usefixtures("admin")
def test_an_address_that_is_refused_locks_nobody_out(made: Stage) -> None:
    for number in range(4):
        assert _guess(made, f"nobody-{number}", "192.0.2.1") == 401
    for _ in range(6):
        assert _guess(made, "admin", "192.0.2.1") == 429
    assert _guess(made, "admin", "192.0.2.2", ADMIN) == 200


@pytest.mark.usefixtures("admin")
def test_an_account_of_ones_own_does_not_allow_more_guesses(made: Stage) -> None:
    _user(made, "mallory")
    for number in range(4):
        assert _guess(made, f"victim-{number}", "192.0.2.3") == 401
        if number < 3:
            assert _guess(made, "mallory", "192.0.2.3", PASSWORD) == 200, "a success counts nothing"
    assert _guess(made, "victim-5", "192.0.2.3") == 429


def test_a_stolen_session_cannot_guess_the_password(made: Stage, admin: dict[str, str]) -> None:
    body = {"password": "wrong", "new_password": "another password"}
    found = [made.client.post("/ask/auth/password", json=body, headers=admin) for _ in range(6)]
    assert [one.status_code for one in found] == [403] * 4 + [429] * 2


def test_addresses_that_a_client_makes_up_do_not_evade_the_limit(made: Stage, admin: dict[str, str]) -> None:
    def guess(name: str, forwarded: str) -> int:
        body, headers = {"name": name, "password": "wrong"}, {"X-Forwarded-For": forwarded}
        return int(made.client.post("/ask/auth/login", json=body, headers=headers).status_code)

    found = [guess(f"nobody-{number}", f"192.0.2.{number}, 198.51.100.9") for number in range(6)]
    assert found == [401] * 4 + [429] * 2
    assert guess("somebody", "198.51.100.9, 192.0.2.1") == 401


def test_accounts_that_strangers_make_are_few(made: Stage, admin: dict[str, str]) -> None:
    bodies = [{"name": f"bot-{number}", "password": PASSWORD} for number in range(6)]
    found = [made.client.post("/ask/auth/register", json=body) for body in bodies]
    assert [one.status_code for one in found] == [201] * 4 + [429] * 2


CHANGES = [{"active": False}, {"role": "admin"}, {"password": "another password"}]


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_signing_in_during_a_change_gives_no_session(
    made: Stage, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    name = f"during-{next(iter(change))}"
    user, matches = made.service.accounts.create(name, PASSWORD), secrets.matches

    def changing(password: str, stored: str | None) -> bool:
        made.service.keys.change_user(user, change)
        return matches(password, stored)

    monkeypatch.setattr(secrets, "matches", changing)
    assert _guess(made, name, HOME, PASSWORD) == 401


def test_used_refresh_tokens_are_not_kept_for_days(made: Stage, admin: dict[str, str]) -> None:
    tokens = made.service.accounts.sign_in("admin", ADMIN, HOME)
    for _ in range(3):
        tokens = made.service.accounts.refresh(tokens.refresh)
    with made.service.pool.connect() as connection:
        query = "SELECT max(ends_at) < now() + interval '5 min' FROM shared_documents WHERE name LIKE 'refreshed:%%'"
        assert connection.exec_driver_sql(query).scalar()


def test_clients_of_the_health_page_wait_for_no_component(made: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    newest, hangs = made.client.get("/ask/api/v1/health").json(), threading.Event()

    def hanging(_: object) -> dict[str, Any]:
        hangs.wait(20)
        return {"status": "unhealthy"}

    monkeypatch.setattr(health, "check", hanging)
    waiting = [
        threading.Thread(target=made.service.checks.current, args=(made.service,)) for _ in range(health.AT_ONCE)
    ]
    for one in waiting:
        one.start()
    try:
        found = [made.client.get("/ask/api/v1/health").json() for _ in range(5)]
    finally:
        hangs.set()
        for one in waiting:
            one.join()
    assert found == [newest] * 5
