"""The generator of the growth bench: where its pushes go, and what it counts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from configs import names
from tests.bench import load


class Hub(ThreadingHTTPServer):
    """A stand-in for a hub: it counts pushes by path, and answers all with one status."""

    def __init__(self, status: int) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.status, self.got = status, list[str]()
        self.url = f"http://127.0.0.1:{self.server_port}"
        Thread(target=self.serve_forever, daemon=True).start()


class Answer(BaseHTTPRequestHandler):
    server: Hub

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(self.path)
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


@pytest.fixture
def hubs() -> Iterator[tuple[Hub, Hub]]:
    made = Hub(204), Hub(503)
    yield made
    for one in made:
        one.shutdown()
        one.server_close()


def _run(addresses: list[str], monkeypatch: pytest.MonkeyPatch) -> load.Load:
    monkeypatch.setattr(load, "SERIES", 3)
    generator = load.Load(addresses, 2)
    generator.start()
    time.sleep(0.8)
    generator.stop()
    return generator


def test_what_one_hub_takes_is_counted(hubs: tuple[Hub, Hub], monkeypatch: pytest.MonkeyPatch) -> None:
    well, _ = hubs
    found = _run([well.url], monkeypatch)
    assert (found.taken, found.refused, found.failed) == ([1, 1], 0, 0)
    assert well.got.count(names.METRICS_PUSH) == 2
    assert names.LOGS_PUSH in well.got


def test_a_refused_push_goes_on_to_the_next_address(hubs: tuple[Hub, Hub], monkeypatch: pytest.MonkeyPatch) -> None:
    well, ill = hubs
    found = _run([ill.url, well.url], monkeypatch)
    assert (found.taken, found.failed) == ([1, 1], 0)
    assert found.refused >= 1
    assert _run([ill.url], monkeypatch).failed >= 2
