"""The page in the service, with a real PostgreSQL and a real Valkey: one sign-in, one limit and one audit for both."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterator

import httpx2
import pytest

from tests.ask import stage
from tests.ask.servers import Server
from tests.ask.stage import Stage

PAGE = "https://hub.test/ask/"
OWN = {"Origin": "https://hub.test"}


@pytest.fixture(scope="module")
def made(postgres: Server, valkey: Server) -> Iterator[Stage]:
    limits = {"user_per_hour": 100, "admin_per_hour": 12}
    safety = {"question": 1500}
    with stage.replica(postgres, valkey, stage.fresh_database(postgres), limits=limits, safety=safety) as found:
        yield found


@pytest.fixture
def signed_in(made: Stage) -> Iterator[Stage]:
    made.client.follow_redirects = False
    found = made.client.post(f"{PAGE}sign-in", data={"name": "admin", "password": stage.ADMIN}, headers=OWN)
    assert found.status_code == 303, found.text
    yield made
    made.client.cookies.clear()


def post(made: Stage, path: str = "", **fields: str) -> httpx2.Response:
    """A form of the page."""
    token = re.search(r'name="token" value="(\w+)"', made.client.get(PAGE).text)
    assert token is not None
    found: httpx2.Response = made.client.post(f"{PAGE}{path}", data={"token": token[1], **fields}, headers=OWN)
    return found


def test_a_question_is_answered_on_the_page_and_kept(signed_in: Stage) -> None:
    start = signed_in.client.get(PAGE).text
    assert "cpu of db-1 over the last 6 hours" in start
    assert 'maxlength="1500"' in start, "as long as the hub's setting allows"
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


def test_a_follow_up_knows_all_questions_that_it_continues(signed_in: Stage) -> None:
    """The last but one names the value, the last the host, and this one only the time."""
    first = post(signed_in, question="load of web-1")
    second = post(signed_in, question="and for db-1?", previous=_previous(first))
    third = post(signed_in, question="and in the last 3 hours?", previous=_previous(second))
    query = re.search(r'id="query">([^<]*)', third.text)
    assert query is not None, third.text
    assert "node_load1" in query[1]
    assert "db-1" in query[1]
    assert signed_in.stores.seen[-1] == "/api/v1/query_range"
    assert "and what it continued" in third.text
    fresh = post(signed_in, question="memory of web-1")
    assert "and what it continued" not in fresh.text


def _previous(found: httpx2.Response) -> str:
    """The value of the box to continue."""
    box = re.search(r'name="previous" value="([^"]*)" checked', found.text)
    assert box is not None
    return html.unescape(box[1])


BROWSER = {"Accept": "text/html,application/xhtml+xml"}


@pytest.mark.parametrize(
    ("method", "path", "status", "text"),
    [
        ("GET", "nothing", 404, "There is no such page."),
        ("GET", "some/where/else", 404, "There is no such page."),
        ("PUT", "", 405, "PUT is not possible here."),
        ("GET", "sign-out", 405, "GET is not possible here."),
    ],
)
def test_a_browser_gets_pages_for_errors(made: Stage, method: str, path: str, status: int, text: str) -> None:
    found = made.client.request(method, PAGE + path, headers=BROWSER)
    assert found.status_code == status
    assert found.headers["content-type"].startswith("text/html")
    assert f'role="alert">{text}' in found.text
    assert 'href="/ask/static/page.css' in found.text, "the style is found from any path"
    assert "script-src 'self'" in found.headers["content-security-policy"]


def test_a_browser_gets_pages_for_large_and_limited_forms(made: Stage) -> None:
    large = made.client.post(PAGE, content=b"x" * 70_000, headers=BROWSER)
    assert (large.status_code, large.headers["content-type"][:9]) == (413, "text/html")
    assert "The body exceeds 65536 bytes." in large.text
    endless = made.client.post(PAGE, content=iter([b"x"] * 5), headers=BROWSER)
    assert (endless.status_code, endless.headers["content-type"][:9]) == (411, "text/html")
    for _ in range(11):
        limited = made.client.post(f"{PAGE}sign-in", data={"name": "eve", "password": "x"}, headers=OWN | BROWSER)
    assert (limited.status_code, limited.headers["content-type"][:9]) == (429, "text/html")
    made.service.store.clear_window("sign-in:address:198.51.100.7")


def test_a_browser_gets_a_page_while_valkey_is_away(signed_in: Stage, valkey: Server) -> None:
    with valkey.down():
        found = signed_in.client.get(PAGE, headers=BROWSER)
    assert (found.status_code, found.headers["content-type"][:9]) == (503, "text/html")
    assert "Valkey does not answer" in found.text
    assert found.headers["retry-after"]


def test_programs_get_json_for_the_same_errors(made: Stage) -> None:
    assert made.client.get(f"{PAGE}nothing").json()["error"] == "not_found"
    for path in ("api/v1/nothing", "auth/nothing", "mcp"):
        found = made.client.get(PAGE + path, headers=BROWSER)
        assert found.headers["content-type"] == "application/json", path


def test_a_store_that_is_down_is_named(signed_in: Stage) -> None:
    signed_in.stores.away.add("prometheus")
    try:
        found = post(signed_in, question="memory of web-2")
    finally:
        signed_in.stores.away.clear()
    assert found.status_code == 502
    assert "Prometheus does not answer" in found.text


def test_the_limit_of_the_api_is_the_pages(signed_in: Stage) -> None:
    found = [post(signed_in, question="cpu of web-1") for _ in range(13)][-1]
    assert found.status_code == 429
    assert "12 questions an hour are allowed." in found.text
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
