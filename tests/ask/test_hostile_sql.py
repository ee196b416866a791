"""SQL in every field of a request: it is text, nothing fails, and every table is there afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from ask.page.router import token_of
from ask.service.tables import metadata
from tests.ask import stage
from tests.ask.servers import Server
from tests.ask.stage import Stage
from tests.ask.test_hostile_requests import FORM, UNSTORABLE, _tool

SQL = "'; DROP TABLE users; --"
HOME = {"Origin": "http://testserver"}
_NUMBERS = ("before=9223372036854775808", f"before={quote(SQL)}")
REQUESTS: list[tuple[str, str, dict[str, Any] | None]] = [
    *((method, path.replace("%00", quote(SQL, safe="")).replace(*_NUMBERS), body) for method, path, body in UNSTORABLE),
    ("POST", "/ask/auth/login", {"name": "admin", "password": SQL}),
    ("POST", "/ask/auth/register", {"name": SQL, "password": "a password of length"}),
    ("POST", "/ask/auth/register", {"name": "sql", "password": SQL}),
    ("POST", "/ask/auth/password", {"password": SQL, "new_password": SQL}),
    ("POST", "/ask/api/v1/query", {"question": SQL}),
    ("POST", "/ask/api/v1/query", {"question": "and of db-1?", "context": {"question": SQL, "earlier": [SQL]}}),
    ("POST", "/ask/api/v1/jobs", {"question": "cpu of web-1", "context": {"host": SQL}}),
    ("POST", "/ask/api/v1/parse_query", {"query": SQL}),
    ("DELETE", f"/ask/api/v1/jobs/{quote(SQL)}", None),
    ("PUT", f"/ask/api/v1/admin/api-keys/{quote(SQL)}", {"name": SQL}),
    ("DELETE", f"/ask/api/v1/admin/api-keys/{quote(SQL)}", None),
    ("GET", f"/ask/api/v1/admin/users/{quote(SQL)}/usage", None),
    ("GET", f"/ask/api/v1/metrics?search={quote(SQL)}&service={quote(SQL)}&after={quote(SQL)}", None),
]


@pytest.fixture(scope="module")
def made(postgres: Server) -> Iterator[Stage]:
    database = stage.fresh_database(postgres)
    with stage.replica(postgres, None, database, jobs=0, registration="open", limits={"sign_ins": 1000}) as found:
        yield found


@pytest.fixture(scope="module")
def admin(made: Stage) -> dict[str, str]:
    return made.token()


@pytest.fixture(autouse=True)
def _whole(made: Stage) -> Iterator[None]:
    """Each table of the schema is there, and the administrator in it."""
    yield
    with made.service.pool.connect() as connection:
        for table in metadata.sorted_tables:
            connection.execute(table.select().limit(1))
        assert connection.exec_driver_sql("SELECT count(*) FROM users WHERE name = 'admin'").scalar() == 1


def _in_sql(found: Any) -> Any:
    """A body with SQL in the place of each value that no column can have."""
    if isinstance(found, dict):
        return {name: _in_sql(value) for name, value in found.items()}
    return found.replace("\0", SQL) if isinstance(found, str) else found


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS, ids=lambda part: str(part)[:40])
def test_sql_in_a_field_of_the_api(
    made: Stage, admin: dict[str, str], method: str, path: str, body: dict[str, Any] | None
) -> None:
    found = made.client.request(method, path, json=_in_sql(body), headers=admin)
    assert found.status_code < 500, found.text


@pytest.mark.parametrize("headers", [{"Authorization": f"Bearer {SQL}"}, {"X-API-Key": f"obs_ai_{SQL}"}])
def test_sql_in_a_token_or_key(made: Stage, headers: dict[str, str]) -> None:
    assert made.ask("cpu of web-1", headers).status_code == 401


@pytest.mark.parametrize("field", ["search", "service", "after"])
def test_sql_in_a_filter_finds_nothing(made: Stage, admin: dict[str, str], field: str) -> None:
    rows = made.client.get(f"/ask/api/v1/metrics?{field}={quote(SQL)}", headers=admin)
    names = [one["name"] for one in rows.json()["metrics"]]
    assert (rows.status_code, names == [] or field == "after") == (200, True)


def test_sql_in_a_name_of_a_key_is_its_name(made: Stage, admin: dict[str, str]) -> None:
    key = made.client.post("/ask/api/v1/admin/api-keys", json={"name": SQL}, headers=admin).json()["id"]
    made.client.put(f"/ask/api/v1/admin/api-keys/{key}", json={"name": f"{SQL} 2"}, headers=admin)
    keys = made.client.get("/ask/api/v1/admin/api-keys", headers=admin).json()
    assert f"{SQL} 2" in {one["name"] for one in keys["api_keys"] if one["id"] == key}


def test_sql_in_a_tool(made: Stage, admin: dict[str, str]) -> None:
    for name, field in (("ask", "question"), ("list_metrics", "search"), ("explain_alert", "alert")):
        found = _tool(made, admin, name, **{field: SQL})["result"]
        assert found.get("structuredContent", {}).get("error") != "internal", found


@pytest.mark.parametrize("path", ["", "sign-in", "sign-out", "forget"])
def test_sql_in_a_form_of_the_page(made: Stage, admin: dict[str, str], path: str) -> None:
    session = admin["Authorization"].removeprefix("Bearer ")
    fields = {"question": SQL, "previous": SQL, "name": SQL, "password": SQL}
    for cookie, token in ((session, token_of(session)), (session, SQL), (SQL.replace(";", "%3B"), SQL)):
        if path == "sign-out" and token != SQL:
            continue  # the session is used by the other tests
        headers = FORM | HOME | {"Cookie": f"ask_session={cookie}"}
        found = made.client.post(
            f"/ask/{path}", data={**fields, "token": token}, headers=headers, follow_redirects=False
        )
        assert found.status_code < 500, found.text
