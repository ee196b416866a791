"""The digitalocean stand-in's way to the API: errors in its words, retries, the token, waiting."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from localcloud.standins.plugins.digitalocean_api import Api
from localcloud.standins.plugins.digitalocean_errors import ApiError
from tests.plugins.calls import Lines

TOKEN = "dop_v1_s3cret"
FAST = {"httpRetryWaitMin": "0.01", "httpRetryWaitMax": "0.02"}
BUSY = (429, {"id": "too_many_requests", "message": "API rate limit exceeded."})


class Scripted(ThreadingHTTPServer):
    """Answers with what it was told, in order (the last one for ever), and remembers what it was asked."""

    daemon_threads = True

    def __init__(self, *answers: tuple[Any, ...]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers, self.asked = list(answers), list[tuple[str, str, Any, str]]()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Scripted

    def log_message(self, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        sent = json.loads(content) if content else None
        self.server.asked.append((self.command, self.path, sent, self.headers.get("Authorization") or ""))
        status, body, *more = self.server.answers[0] if len(self.server.answers) == 1 else self.server.answers.pop(0)
        self.send_response(status)
        for key, value in (more[0] if more else {}).items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body.encode() if isinstance(body, str) else json.dumps(body).encode())

    do_POST = do_PUT = do_DELETE = do_GET


@pytest.fixture
def servers() -> Iterator[list[Scripted]]:
    made: list[Scripted] = []
    yield made
    for server in made:
        server.shutdown()
        server.server_close()


def api(server: Scripted, **config: Any) -> tuple[Api, Lines]:
    log = Lines()
    made = Api(log)
    made.configure({"apiEndpoint": server.url, "token": TOKEN, **FAST, **config})
    return made, log


def serve(servers: list[Scripted], *answers: tuple[Any, ...]) -> Scripted:
    servers.append(Scripted(*answers))
    return servers[-1]


def test_an_error_reads_as_the_vendors_client_writes_it(servers: list[Scripted]) -> None:
    refused = {"id": "unprocessable_entity", "message": "You specified an invalid size for Droplet creation."}
    server = serve(servers, (422, refused, {"x-request-id": "77-aa"}))
    with pytest.raises(ApiError) as failed:
        api(server)[0].post("/v2/droplets", {"size": "1gb"})
    assert str(failed.value) == (
        f'POST {server.url}/v2/droplets: 422 (request "77-aa") You specified an invalid size for Droplet creation.'
    )
    assert server.asked == [("POST", "/v2/droplets", {"size": "1gb"}, f"Bearer {TOKEN}")]


def test_a_rate_limit_is_waited_for_and_said(servers: list[Scripted]) -> None:
    server = serve(servers, BUSY, BUSY, (200, {"account": {}}))
    caller, log = api(server)
    assert caller.get("/v2/account") == {"account": {}}
    assert len(server.asked) == 3
    assert log.said[0] == f"GET {server.url}/v2/account: 429 API rate limit exceeded.; trying again in 0 s"


def test_a_rate_limit_that_lasts_is_an_error_with_the_number_of_attempts(servers: list[Scripted]) -> None:
    server = serve(servers, BUSY)
    with pytest.raises(ApiError, match=r": 429 API rate limit exceeded\.; giving up after 5 attempt\(s\)$"):
        api(server)[0].get("/v2/account")
    assert len(server.asked) == 5
    with pytest.raises(ApiError, match=r": 429 API rate limit exceeded\.$"):
        api(server, httpRetryMax="0")[0].get("/v2/account")
    assert len(server.asked) == 6


def test_the_api_says_how_long_to_wait(servers: list[Scripted]) -> None:
    server = serve(servers, (*BUSY, {"Retry-After": "1"}), (200, {}))
    begun = time.monotonic()
    api(server)[0].get("/v2/account")
    assert time.monotonic() - begun >= 1


@pytest.mark.parametrize(("status", "attempts"), [(500, 5), (503, 5), (501, 1), (401, 1), (404, 1), (409, 1)])
def test_what_is_tried_again(servers: list[Scripted], status: int, attempts: int) -> None:
    server = serve(servers, (status, "no JSON"))
    with pytest.raises(ApiError, match=f": {status} no JSON"):
        api(server)[0].get("/v2/account")
    assert len(server.asked) == attempts


def test_an_api_that_is_not_there_is_named(servers: list[Scripted]) -> None:
    server = serve(servers, (200, {}))
    caller, _ = api(server)
    server.shutdown()
    server.server_close()
    with pytest.raises(
        ConnectionError, match=rf"^GET {server.url}/v2/account: .*Connection refused; giving up after 5"
    ):
        caller.get("/v2/account")


def test_the_token_goes_nowhere_else(servers: list[Scripted], monkeypatch: pytest.MonkeyPatch) -> None:
    other = serve(servers, (200, {}))
    server = serve(servers, (302, {}, {"Location": f"{other.url}/v2/account"}))
    with pytest.raises(ApiError) as failed:
        api(server)[0].get("/v2/account")
    assert other.asked == [], "a redirect would carry the token away"
    assert TOKEN not in str(failed.value)


@pytest.mark.parametrize("name", ["DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN"])
def test_settings_come_from_the_vendors_variables(
    servers: list[Scripted], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    server = serve(servers, (429, {}))
    monkeypatch.setenv("DIGITALOCEAN_API_URL", server.url)
    monkeypatch.setenv(name, "from-the-environment")
    monkeypatch.setenv("DIGITALOCEAN_HTTP_RETRY_MAX", "0")
    monkeypatch.setenv("HTTP_PROXY", "http://203.0.113.1:1")  # never asked for this machine's own addresses
    caller = Api(Lines())
    caller.configure({})
    with pytest.raises(ApiError, match="429"):
        caller.get("/v2/account")
    assert [asked[3] for asked in server.asked] == ["Bearer from-the-environment"]


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"apiEndpoint": "api.digitalocean.com"}, "apiEndpoint: expected an address such as https://api.digital"),
        ({"httpRetryMax": "many"}, "httpRetryMax: expected a number, got 'many'"),
    ],
)
def test_wrong_settings_are_named(config: dict[str, str], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^stand-in for digitalocean: {sentence}"):
        Api(Lines()).configure(config)


def test_waiting_says_what_for_and_ends_with_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("localcloud.standins.plugins.digitalocean_api.LOOK", 0.01)
    log = Lines()
    caller = Api(log)
    states = iter(["new", None, "new", "active"])
    caller.wait("urn", "droplet 7", lambda: next(states), "active", ("new",), time.monotonic() + 5)
    assert log.said[:2] == ["droplet 7: new (0 s)", "droplet 7: not ready (0 s)"]
    with pytest.raises(RuntimeError, match="^unexpected state 'archive', wanted target 'active'$"):
        caller.wait("urn", "droplet 7", lambda: "archive", "active", ("new",), time.monotonic() + 5)
    with pytest.raises(
        RuntimeError, match=r"^timeout while waiting for state to become 'off' \(last state: 'active', t"
    ):
        caller.wait("urn", "droplet 7", lambda: "active", "off", ("active",), time.monotonic() + 0.03)


def test_an_interrupted_run_waits_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    caller = Api(Lines())
    threading.Timer(0.1, caller.cancel).start()
    with pytest.raises(InterruptedError):
        caller.wait("urn", "droplet 7", lambda: "new", "active", ("new",), time.monotonic() + 60)
