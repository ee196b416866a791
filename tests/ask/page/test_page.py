"""The page over HTTP: what others write is text, forms of other pages are refused, no inline code, links."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import httpx2
import pytest
from starlette.testclient import TestClient

from ask.page import render
from ask.page.view import Problem
from tests.ask.page.backend import NASTY, SESSION, Played, answer, app

SITE = "https://hub.test"
OWN = {"Origin": SITE}


class Elements(HTMLParser):
    """Every element with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep it."""
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.text += data


@pytest.fixture
def played() -> Played:
    return Played()


@pytest.fixture
def client(played: Played) -> TestClient:
    """Signed in."""
    made = TestClient(app(played), base_url=SITE, follow_redirects=False)
    made.post("/ask/sign-in", data={"name": "ops", "password": "right"}, headers=OWN)
    return made


def token(client: TestClient) -> str:
    """Of the forms."""
    found = re.search(r'name="token" value="(\w+)"', client.get("/ask/").text)
    assert found is not None
    return found[1]


def post(client: TestClient, path: str = "", **fields: str) -> httpx2.Response:
    """A form of the page."""
    found: httpx2.Response = client.post(f"/ask/{path}", data={"token": token(client), **fields}, headers=OWN)
    return found


def test_without_a_session_there_is_the_form_to_sign_in(played: Played) -> None:
    client = TestClient(app(played), base_url=SITE, follow_redirects=False)
    assert (client.get("/ask/").status_code, client.get("/ask/").headers["location"]) == (303, "sign-in")
    assert 'type="password"' in client.get("/ask/sign-in").text


def test_the_cookie_is_closed_to_scripts_and_other_sites(played: Played) -> None:
    client = TestClient(app(played), base_url=SITE, follow_redirects=False)
    found = client.post("/ask/sign-in", data={"name": "ops", "password": "right"}, headers=OWN)
    cookie = {one.strip().lower() for one in found.headers["set-cookie"].split(";")}
    assert {f"ask_session={SESSION}", "httponly", "secure", "samesite=strict", "path=/ask"} <= cookie
    assert (found.status_code, found.headers["location"]) == (303, ".")


def test_a_wrong_password_is_named_and_not_shown(played: Played) -> None:
    client = TestClient(app(played), base_url=SITE)
    found = client.post("/ask/sign-in", data={"name": f"ops{NASTY}", "password": "wr0ng-one"}, headers=OWN)
    assert found.status_code == 401
    assert "The name or the password is wrong." in found.text
    assert "wr0ng-one" not in found.text
    assert "<script>alert" not in found.text
    assert "set-cookie" not in found.headers


def test_an_answer_has_every_part(client: TestClient, played: Played) -> None:
    found = post(client, question="cpu of web-1")
    page = Elements(found.text)
    assert played.seen[-1] == ("answer", "cpu of web-1", "")
    for part in ("CPU usage, average of 1 hour", "avg by (host)", "the average of x", "Assumed", "Not what I meant"):
        assert part in page.text
    assert "Confidence 91 %, without a language model" in page.text
    assert ("svg", "img") in {(tag, attributes.get("role")) for tag, attributes in page.found}
    assert found.text.count('<path class="line') == 3
    links = [attributes["href"] for tag, attributes in page.found if tag == "a" and attributes.get("rel")]
    assert links == [
        "https://hub.test/explore?panes=%22<>",
        "https://hub.test/d/fleetwatch-fleet?var-host=web-1&from=1",
    ]


def test_the_runbook_has_a_link(client: TestClient, played: Played) -> None:
    played.found = answer(links={"runbook": "https://hub.test/runbooks/DiskUsed.md"})
    assert 'href="https://hub.test/runbooks/DiskUsed.md" rel=' in post(client, question="why did DiskUsed fire?").text


def test_the_question_box_takes_as_much_as_the_hub_reads(client: TestClient, played: Played) -> None:
    shown = [client.get("/ask/").text, post(client, question="cpu of web-1").text]
    played.found = Problem(422, "This is not answered.")
    assert all('maxlength="1234"' in page for page in (*shown, post(client, question="x").text))


@pytest.mark.parametrize("path", ["", "answer", "lines", "problem"])
def test_what_others_write_is_text(client: TestClient, played: Played, path: str) -> None:
    """Questions, names of hosts, label values, HELP texts and log lines may hold HTML."""
    lines = [{"time": 1.0, "labels": {"host": NASTY, "container": NASTY}, "line": NASTY}]
    if path == "lines":
        played.found = answer(lines=lines, series=[], rows=[])
    elif path == "problem":
        played.found = Problem(422, NASTY, (NASTY,))
    found = post(client, question=f"cpu {NASTY}", previous=NASTY) if path else client.get("/ask/")
    page = Elements(found.text)
    assert NASTY in page.text
    assert [attributes for tag, attributes in page.found if tag == "script"] == [
        {"src": f"static/page.js?v={render.version('page.js')}", "defer": None}
    ]
    assert "<script>alert" not in found.text


def test_no_inline_code_and_no_other_site(client: TestClient) -> None:
    page = post(client, question="cpu of web-1")
    assert "'unsafe" not in page.headers["content-security-policy"]
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for tag, attributes in Elements(page.text).found:
        assert tag != "style"
        assert not {one for one in attributes if one == "style" or one.startswith("on")}, tag
        source = attributes.get("src") or (attributes.get("href") if tag == "link" else "")
        assert not source or source.startswith("static/")
        assert not (attributes.get("href") or "").startswith("javascript:")
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("name", render.STATIC)
def test_static_files_are_kept_by_their_version(client: TestClient, name: str) -> None:
    found = client.get(f"/ask/static/{name}?v={render.version(name)}")
    assert (found.status_code, found.headers["content-type"]) == (200, render.STATIC[name])
    assert "immutable" in found.headers["cache-control"]
    assert "http://" not in found.text.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in found.text


def test_other_files_are_not_served(client: TestClient) -> None:
    assert client.get("/ask/static/..%2frouter.py").status_code == 404
    assert client.get("/ask/static/page.html").status_code == 404


@pytest.mark.parametrize("path", ["", "sign-out", "forget", "sign-in"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", **OWN},
        {"Sec-Fetch-Site": "same-site", **OWN},
        {"Sec-Fetch-Site": "none", **OWN},
    ],
    ids=str,
)
def test_forms_of_other_pages_are_refused(
    client: TestClient, played: Played, path: str, headers: dict[str, str]
) -> None:
    fields = {"token": token(client), "question": "cpu", "name": "ops", "password": "right"}
    before = list(played.seen)
    assert client.post(f"/ask/{path}", data=fields, headers=headers).status_code == 403
    assert played.seen == before
    assert played.active


@pytest.mark.parametrize("path", ["", "sign-out", "forget"])
@pytest.mark.parametrize("given", ["", "0" * 64, "ä"])
def test_forms_without_the_sessions_token_are_refused(
    client: TestClient, played: Played, path: str, given: str
) -> None:
    before = list(played.seen)
    fields = {"question": "cpu", "token": given}
    assert client.post(f"/ask/{path}", data=fields, headers=OWN).status_code == 403
    assert played.seen == before
    assert played.active


def test_a_browsers_own_word_counts_where_origin_is_missing(client: TestClient) -> None:
    fields = {"question": "cpu", "token": token(client)}
    assert client.post("/ask/", data=fields, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


def test_a_follow_up_continues_the_previous_question(client: TestClient, played: Played) -> None:
    first = post(client, question="cpu of web-1")
    assert '<input type="checkbox" name="previous" value="cpu of web-1" checked>' in first.text
    post(client, question="and web-2?", previous="cpu of web-1")
    assert played.seen[-1] == ("answer", "and web-2?", "cpu of web-1")


def test_a_refusal_has_its_status_and_other_questions(client: TestClient, played: Played) -> None:
    played.found = Problem(
        429, "100 questions an hour are allowed.", ("how full are the disks?",), {"Retry-After": "9"}
    )
    found = post(client, question="cpu")
    assert (found.status_code, found.headers["retry-after"]) == (429, "9")
    assert 'role="alert">100 questions an hour are allowed.' in found.text
    assert 'value="how full are the disks?"' in found.text


def test_signing_out_ends_the_session(client: TestClient, played: Played) -> None:
    found = post(client, "sign-out")
    assert (found.status_code, found.headers["location"]) == (303, "sign-in")
    assert "Max-Age=0" in found.headers["set-cookie"]
    assert client.get("/ask/").headers["location"] == "sign-in"


def test_a_session_that_ended_meanwhile_leads_to_the_form(client: TestClient, played: Played) -> None:
    value = token(client)
    played.active = False
    found = client.post("/ask/", data={"question": "cpu", "token": value}, headers=OWN)
    assert (found.status_code, found.headers["location"]) == (303, "sign-in")


def test_the_history_can_be_deleted(client: TestClient, played: Played) -> None:
    assert post(client, "forget").status_code == 303
    assert played.seen[-1] == ("forget",)


@pytest.mark.parametrize("body", [b"\xff\xfe=1", b"&".join(b"a%d=1" % n for n in range(50))])
def test_a_form_that_cannot_be_read_is_refused(client: TestClient, body: bytes) -> None:
    assert client.post("/ask/", content=body, headers=OWN).status_code == 403


def test_the_page_has_names_for_everything_that_takes_keys(client: TestClient) -> None:
    page = Elements(post(client, question="cpu of web-1").text)
    labelled = {attributes.get("for") for tag, attributes in page.found if tag == "label"}
    for tag, attributes in page.found:
        if tag == "input" and attributes.get("type") not in {"hidden", "checkbox"}:
            assert attributes["id"] in labelled
    assert ("a", "#main") in {(tag, attributes.get("href")) for tag, attributes in page.found}
    assert ("html", "en") in {(tag, attributes.get("lang")) for tag, attributes in page.found}
