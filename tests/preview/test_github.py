"""One comment, one issue: against a stand-in for the few calls of GitHub's API that are used, on loopback."""

from __future__ import annotations

import argparse
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tools import github
from tools.comment import command
from tools.comment.page import MARK
from tools.errors import ToolError

TOKEN = "ghs-t0ken-of-a-test"
BOT, PERSON = {"type": "Bot"}, {"type": "User"}


class StandIn:
    """Remembers comments and issues as GitHub would, and every request."""

    def __init__(self) -> None:
        self.comments: list[dict[str, Any]] = []
        self.issues: list[dict[str, Any]] = []
        self.requests: list[str] = []
        self.refuse = 0

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: dict[str, Any]) -> tuple[int, Any]:
        self.requests.append(f"{method} {path}")
        if self.refuse:
            return self.refuse, {"message": "no"}
        path = path.removeprefix("/repos/acme/fleet")
        page, size = int(query.get("page", ["1"])[0]), int(query.get("per_page", ["30"])[0])
        part = slice((page - 1) * size, page * size)
        if method == "GET" and re.fullmatch(r"/issues/\d+/comments", path):
            pull = int(path.split("/")[2])
            return 200, [one for one in self.comments if one["pull"] == pull][part]
        if method == "GET" and path == "/issues":
            return 200, [one for one in self.issues if one["state"] == "open"][part]
        if method == "POST" and re.fullmatch(r"/issues/\d+/comments", path):
            made = {"id": len(self.comments) + 1, "pull": int(path.split("/")[2]), "user": BOT, **body}
            self.comments.append(made)
            return 201, made
        if method == "POST" and path == "/issues":
            made = {"number": len(self.issues) + 1, "state": "open", "user": BOT, **body}
            self.issues.append(made)
            return 201, made
        if method == "PATCH" and (found := re.fullmatch(r"/issues/comments/(\d+)", path)):
            self.comments[int(found[1]) - 1] |= body
            return 200, {}
        if method == "PATCH" and (found := re.fullmatch(r"/issues/(\d+)", path)):
            self.issues[int(found[1]) - 1] |= body
            return 200, {}
        return 404, {}


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    stand_in = StandIn()

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else {}
            url = urlsplit(self.path)
            code, told = stand_in.answer(self.command, url.path, parse_qs(url.query), body)
            if self.headers["Authorization"] != f"Bearer {TOKEN}":
                code, told = 401, {}
            text = json.dumps(told).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PATCH = _any

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("GITHUB_API_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/fleet")
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    yield stand_in
    server.shutdown()
    server.server_close()


def test_one_comment_that_is_updated_and_not_repeated(there: StandIn) -> None:
    assert github.GitHub().put_comment(7, f"{MARK}\none", MARK) == "created"
    assert github.GitHub().put_comment(7, f"{MARK}\ntwo", MARK) == "updated"
    assert [one["body"] for one in there.comments] == [f"{MARK}\ntwo"]


def test_it_is_found_behind_many_others(there: StandIn) -> None:
    there.comments += [{"id": n + 1, "pull": 7, "user": PERSON, "body": "talk"} for n in range(250)]
    there.comments.append({"id": 251, "pull": 7, "user": BOT, "body": f"{MARK}\nold"})
    assert github.GitHub().put_comment(7, f"{MARK}\nnew", MARK) == "updated"
    assert there.comments[-1]["body"] == f"{MARK}\nnew"


def test_neither_a_person_who_quotes_the_mark_nor_another_pull_request_is_written_over(there: StandIn) -> None:
    there.comments += [
        {"id": 1, "pull": 7, "user": PERSON, "body": f"{MARK}\nquoted"},
        {"id": 2, "pull": 7, "user": BOT, "body": f"see {MARK}"},
        {"id": 3, "pull": 8, "user": BOT, "body": f"{MARK}\nother"},
    ]
    assert github.GitHub().put_comment(7, f"{MARK}\nmine", MARK) == "created"
    assert [one["body"] for one in there.comments[:3]] == [f"{MARK}\nquoted", f"see {MARK}", f"{MARK}\nother"]


def test_the_life_of_the_drift_issue(there: StandIn) -> None:
    said = [github.GitHub().put_issue("Drift", body) for body in (None, "one", "two", None, None, "three")]
    assert said == ["nothing to do", "opened", "updated", "closed", "nothing to do", "opened"]
    assert [(one["state"], one["body"].split("\n")[1]) for one in there.issues] == [
        ("closed", "two"),
        ("open", "three"),
    ]


def test_an_issue_of_a_person_and_a_pull_request_are_left_alone(there: StandIn) -> None:
    there.issues += [
        {"number": 1, "state": "open", "user": PERSON, "body": f"{github.DRIFT}\nquoted"},
        {"number": 2, "state": "open", "user": BOT, "body": f"{github.DRIFT}\nx", "pull_request": {}},
    ]
    assert github.GitHub().put_issue("Drift", None) == "nothing to do"
    assert {one["state"] for one in there.issues} == {"open"}


@pytest.mark.parametrize(("code", "said"), [(403, "pull-requests: write"), (404, "no such thing"), (502, "try again")])
def test_a_refusal_is_a_sentence_without_the_token(there: StandIn, code: int, said: str) -> None:
    there.refuse = code
    with pytest.raises(ToolError, match=f"GitHub answers {code} .*{said}") as caught:
        github.GitHub().put_comment(7, MARK, MARK)
    assert TOKEN not in str(caught.value)


def test_a_wrong_token_is_told(there: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "another")
    with pytest.raises(ToolError, match="401 .*the token is not valid"):
        github.GitHub().put_issue("Drift", None)


def test_an_api_that_does_not_answer_is_told(there: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:1")
    with pytest.raises(ToolError, match="cannot be reached"):
        github.GitHub().put_issue("Drift", None)


@pytest.mark.parametrize("name", ["GITHUB_REPOSITORY", "GITHUB_TOKEN"])
def test_what_is_missing_is_named(there: StandIn, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(ToolError, match=f"{name} is not set"):
        github.GitHub()


@pytest.mark.parametrize(
    ("file", "why"),
    [("comment.md", "No such file"), ("", "Is a directory"), ("picture.png", "no text in UTF-8")],
    ids=["missing", "folder", "no text"],
)
def test_a_comment_that_cannot_be_read_is_told(tmp_path: Path, file: str, why: str) -> None:
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    with pytest.raises(ToolError, match=rf"expected the file that `python -m tools comment --out .*{why}"):
        command._post(argparse.Namespace(file=str(tmp_path / file), pull=7))
