"""What DigitalOcean is asked before anything is made, against a small API of our own on this machine."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from components import cloud_api, cloud_facts
from configs.validation import CloudFacts

TOKEN = "dop_v1_s3cret"
LISTS: dict[str, list[dict[str, Any]]] = {
    "regions": [
        {"slug": "fra1", "available": True},
        {"slug": "ams3", "available": True},
        {"slug": "nyc2", "available": False},
    ],
    "sizes": [
        {"slug": "s-1vcpu-1gb", "regions": ["fra1", "ams3"], "available": True},
        {"slug": "s-2vcpu-4gb", "regions": ["fra1"], "available": True},
        {"slug": "512mb", "regions": ["fra1"], "available": False},
    ],
    "images": [{"slug": "debian-12-x64", "regions": ["fra1", "ams3"]}, {"slug": None, "regions": ["fra1"]}],
    "projects": [{"name": "monitoring", "id": "project-1"}, {"name": "shop", "id": "project-2"}],
    "ssh_keys": [{"name": "laptop", "fingerprint": "aa:bb"}, {"name": "fleetwatch-prod", "fingerprint": "cc:dd"}],
    "droplets": [{"name": "shop-1", "region": {"slug": "ams3"}, "size_slug": "s-1vcpu-1gb"}],
}
Answer = Callable[[BaseHTTPRequestHandler], None]


def _send(handler: BaseHTTPRequestHandler, code: int, body: Any, **headers: str) -> None:
    text = json.dumps(body).encode()
    handler.send_response(code)
    for name, value in {"Content-Length": str(len(text)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(text)


def _pages(asked: list[str], next_at: str = "") -> Answer:
    """Every list one entry at a time. `next_at`: where the next page is said to be, instead of here."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        assert handler.headers["Authorization"] == f"Bearer {TOKEN}"
        parts = urlsplit(handler.path)
        query = parse_qs(parts.query)
        last, page = parts.path.rpartition("/")[2], int(query.get("page", ["1"])[0])
        key = {"keys": "ssh_keys"}.get(last, last)
        links: dict[str, Any] = {}
        if page < len(LISTS[key]):
            base = next_at or f"http://{handler.headers['Host']}"
            type_ = f"&type={query['type'][0]}" if "type" in query else ""
            links = {"pages": {"next": f"{base}{parts.path}?page={page + 1}{type_}"}}
        _send(handler, 200, {key: LISTS[key][page - 1 : page], "links": links})

    return answer


@contextmanager
def _api(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> Iterator[str]:
    """An API that answers like this, as the one of the environment."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    where = f"127.0.0.1:{server.server_port}"
    _at(monkeypatch, f"http://{where}")
    try:
        yield where
    finally:
        server.shutdown()
        server.server_close()


def _at(monkeypatch: pytest.MonkeyPatch, base: str, token: str = TOKEN) -> None:
    monkeypatch.setenv("DIGITALOCEAN_TOKEN", token)
    monkeypatch.setenv("DIGITALOCEAN_API_URL", base)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")  # nothing there: loopback is reached directly


def _told() -> str:
    """The one line that takes the place of facts."""
    found = cloud_facts.probe({}, os.environ)
    with pytest.raises(cloud_api.CloudError) as caught:
        cloud_api.droplets({}, os.environ)
    assert TOKEN not in "".join(traceback.format_exception(caught.value)), "neither in the message nor around it"
    assert found.problem is not None
    assert TOKEN not in repr(found)
    assert "\n" not in found.problem, "one line"
    return found.problem


def test_every_page_of_every_list_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    with _api(monkeypatch, _pages(asked)):
        facts = cloud_facts.probe({}, os.environ)
    both = frozenset({"fra1", "ams3"})
    assert facts == CloudFacts(
        regions=both,
        sizes={"s-1vcpu-1gb": both, "s-2vcpu-4gb": frozenset({"fra1"})},
        images={"debian-12-x64": both},
        projects={"monitoring": "project-1", "shop": "project-2"},
        keys={"aa:bb": "laptop", "cc:dd": "fleetwatch-prod"},
        droplets={"shop-1": ("ams3", "s-1vcpu-1gb")},
    ), "what is not to be had, and images without a name, are left out"
    assert all("type=distribution" in path for path in asked if path.startswith("/v2/images")), "on later pages too"


def test_the_token_goes_nowhere_else_than_to_the_api(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    with _api(monkeypatch, _pages(asked, next_at="http://evil.example")):
        assert len(cloud_facts.probe({}, os.environ).projects) == 2, "a next page is asked for where the first one was"


def test_the_stacks_own_token_and_address_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    with _api(monkeypatch, _pages([])) as where:
        _at(monkeypatch, "http://127.0.0.1:1", token="another")
        own = {"digitalocean:token": TOKEN, "digitalocean:apiEndpoint": f"http://{where}/"}
        assert "fra1" in cloud_facts.probe(own, os.environ).regions


def test_a_missing_token_names_both_ways_to_give_it(monkeypatch: pytest.MonkeyPatch) -> None:
    _at(monkeypatch, "http://127.0.0.1:1", token="")
    assert _told() == (
        "digitalocean:token: missing, droplets and Spaces need an API token; `make secret KEY=digitalocean:token` "
        "sets it, or give it as the environment variable DIGITALOCEAN_TOKEN"
    )


def test_a_refused_token_says_where_another_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    with _api(monkeypatch, lambda handler: _send(handler, 401, {"message": f"bad {TOKEN}"})) as where:
        said = _told()
    assert said == (
        f"digitalocean:token: {where} refuses it (401); make another (read and write) at "
        "https://cloud.digitalocean.com/account/api/tokens, `make secret KEY=digitalocean:token` sets it"
    )


@pytest.mark.parametrize(("headers", "when"), [({"Retry_After": "42"}, "in 42 s"), ({}, "later")])
def test_too_many_requests_say_how_long_to_wait(
    monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], when: str
) -> None:
    with _api(monkeypatch, lambda handler: _send(handler, 429, {}, **headers)) as where:
        said = _told()
    assert said == f"digitalocean:token: {where} received too many requests with it (429); try again {when}"


def test_a_token_that_may_not_read_is_told_with_what_it_may_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    with _api(monkeypatch, lambda handler: _send(handler, 403, {})) as where:
        said = _told()
    assert said.startswith(f"digitalocean:token: {where} does not let it read /v2/")
    assert "(403); make one with full access at https://cloud.digitalocean.com/account/api/tokens" in said


def test_any_other_refusal_names_its_code_and_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    with _api(monkeypatch, lambda handler: _send(handler, 503, {})) as where:
        said = _told()
    assert said.startswith(f"{where} answers 503 to /v2/")
    assert said.endswith("; try again later")


def test_a_refused_connection_is_told_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    _at(monkeypatch, f"http://127.0.0.1:{port}")
    said = _told()
    assert said.startswith(f"127.0.0.1:{port} cannot be reached (")
    assert "refused" in said
    assert said.endswith("; droplets need DigitalOcean's API")


def test_an_api_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud_api, "TIMEOUT", 0.2)
    begun = time.monotonic()
    with _api(monkeypatch, lambda handler: time.sleep(2)) as where:
        said = _told()
    assert said == f"{where} cannot be reached (no answer within 0.2 s); droplets need DigitalOcean's API"
    assert time.monotonic() - begun < 2, "the lists are asked for side by side"


def test_a_body_that_is_cut_off_counts_as_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b'{"regions": [')

    with _api(monkeypatch, cut) as where:
        assert _told().startswith(f"{where} cannot be reached (")


@pytest.mark.parametrize("body", ["<html>a proxy's page</html>", [], {"message": "hello"}])
def test_what_is_no_answer_of_the_api_is_told(monkeypatch: pytest.MonkeyPatch, body: Any) -> None:
    with _api(monkeypatch, lambda handler: _send(handler, 200, body)) as where:
        assert _told().startswith(f"{where} does not answer /v2/")


def test_droplets_of_one_name_are_told_apart_by_their_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    two = [{"name": "shop-1", "id": number} for number in (7, 8)]
    monkeypatch.setitem(LISTS, "droplets", [*two, {"name": "shop-2", "id": 9}])
    with _api(monkeypatch, _pages([])) as where:
        env = {"DIGITALOCEAN_API_URL": f"http://{where}"}
        assert cloud_api.droplets({"digitalocean:token": TOKEN}, env) == {"shop-1": ["7", "8"], "shop-2": ["9"]}
