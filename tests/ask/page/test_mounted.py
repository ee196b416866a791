"""The page in the service, with a real PostgreSQL and a real Valkey: one sign-in, one limit and one audit for both."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.ask import stage
from tests.ask.servers import Server
from tests.ask.stage import Stage

PAGE = "https://hub.test/ask/"
OWN = {"Origin": "https://hub.test"}


@pytest.fixture(scope="module")
def made(postgres: Server, valkey: Server) -> Iterator[Stage]:
    limits = {"user_per_hour": 100, "admin_per_hour": 8}
    with stage.replica(postgres, valkey, stage.fresh_database(postgres), limits=limits) as found:
        yield found


@pytest.fixture
def signed_in(made: Stage) -> Iterator[Stage]:
    made.client.follow_redirects = False
    found = made.client.post(f"{PAGE}sign-in", data={"name": "admin", "password": stage.ADMIN}, headers=OWN)
    assert found.status_code == 303, found.text
    yield made
    made.client.cookies.clear()


def post(made: Stage, path: str = "", **fields: str) -> httpx.Response:
    """A form of the page."""
    token = re.search(r'name="token" value="(\w+)"', made.client.get(PAGE).text)
    assert token is not None
    found: httpx.Response = made.client.post(f"{PAGE}{path}", data={"token": token[1], **fields}, headers=OWN)
    return found


def test_a_question_is_answered_on_the_page_and_kept(signed_in: Stage) -> None:
    assert "cpu of db-1 over the last 6 hours" in signed_in.client.get(PAGE).text
    found = post(signed_in, question="cpu of web-1")
    assert found.status_code == 200
    assert "CPU usage: web-1 42 %." in found.text
    assert "https://hub.test/explore?schemaVersion=1" in found.text
    assert "script-src 'self'" in found.headers["content-security-policy"]
    deadline = time.monotonic() + 10
    while 'value="cpu of web-1"' not in signed_in.client.get(PAGE).text:
        assert time.monotonic() < deadline, "the history is written in the background, within seconds"
        time.sleep(0.1)
    with signed_in.service.pool.connect() as connected:
        rows = connected.exec_driver_sql("SELECT detail, address FROM audit WHERE action = 'question'").all()
    assert ("cpu of web-1", "198.51.100.7") in [tuple(map(str, one)) for one in rows]


def test_a_refusal_is_a_sentence_with_its_status(signed_in: Stage) -> None:
    found = post(signed_in, question="<script>alert(1)</script>")
    assert found.status_code == 422
    assert 'role="alert">This is not answered' in found.text
    assert "<script>alert" not in found.text
    assert "how full are the disks?" in found.text


def test_a_follow_up_keeps_its_context(signed_in: Stage) -> None:
    found = post(signed_in, question="and for db-1?", previous="load of web-1 over the last 3 hours")
    assert "continues &#34;load of web-1 over the last 3 hours&#34;" in found.text


def test_a_store_that_is_down_is_named(signed_in: Stage) -> None:
    signed_in.stores.away.add("prometheus")
    try:
        found = post(signed_in, question="memory of web-2")
    finally:
        signed_in.stores.away.clear()
    assert found.status_code == 502
    assert "Prometheus does not answer" in found.text


def test_the_limit_of_the_api_is_the_pages(signed_in: Stage) -> None:
    found = [post(signed_in, question="cpu of web-1") for _ in range(9)][-1]
    assert found.status_code == 429
    assert "8 questions an hour are allowed." in found.text
    assert int(found.headers["retry-after"]) > 0


def test_signing_out_ends_the_session_for_the_api_too(signed_in: Stage) -> None:
    session = signed_in.client.cookies["ask_session"]
    headers = {"Authorization": f"Bearer {session}"}
    assert signed_in.client.get("/ask/api/v1/history", headers=headers).status_code == 200
    assert post(signed_in, "sign-out").status_code == 303
    assert signed_in.client.get("/ask/api/v1/history", headers=headers).status_code == 401


def test_a_wrong_password_is_refused(made: Stage) -> None:
    found = made.client.post(f"{PAGE}sign-in", data={"name": "admin", "password": "no"}, headers=OWN)
    assert found.status_code == 401
    assert "set-cookie" not in found.headers


def test_the_cookie_does_not_open_the_api(signed_in: Stage) -> None:
    """Otherwise a form of another site of the same domain could use it."""
    assert signed_in.client.post(f"{PAGE}api/v1/query", json={"question": "cpu"}).status_code == 401
