"""`make ask` from a stack's outputs to the terminal, against a query API that is played over HTTP."""

from __future__ import annotations

import argparse
import contextlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.ask.offline import world
from tests.ask.seed import AT
from tools import ask_hub, working_copy
from tools.errors import ToolError
from tools.stack import Stack


class Played(BaseHTTPRequestHandler):
    """The values of labels from the seed, one series of each selector, one value of each query."""

    def do_GET(self) -> None:
        """Answer as Prometheus and Loki do."""
        path = urlsplit(self.path).path
        data: object = [{}]
        if path.endswith("/values"):
            label = path.split("/")[-2]
            data = sorted(world().metrics if label == "__name__" else world().values(label))
        elif path == "/api/v1/query":
            data = {"resultType": "vector", "result": [{"metric": {"host": "db-1"}, "value": [AT, "0.72"]}]}
        elif path == "/api/v1/series" and "job%21" in self.path:
            data = []
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"status": "success", "data": data}).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


class Deployed(Stack):
    """A stack without Pulumi."""

    def outputs(self, secrets: bool = False) -> dict[str, Any]:
        """As of a deployed stack."""
        return {"url": "https://hub.test"}


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Deployed:
    monkeypatch.setenv("FLEETWATCH_STATE", str(tmp_path / "state"))
    made = Deployed("prod", tmp_path / "Pulumi.prod.yaml", {})
    working_copy.write(made.file, {"config": {"fleetwatch:hub": {"local": {}}, "fleetwatch:hosts": {"hub": {}}}})
    return made


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, stack: Deployed) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Played)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    @contextlib.contextmanager
    def address(outputs: object) -> Iterator[str]:
        yield f"http://127.0.0.1:{server.server_address[1]}"

    monkeypatch.setattr(ask_hub, "open_stack", lambda options: stack)
    monkeypatch.setattr(ask_hub, "query_address", address)
    yield
    server.shutdown()
    server.server_close()


def _run(question: str, as_json: bool = False) -> int:
    return ask_hub.answer(argparse.Namespace(question=question, at=str(AT), json=as_json))


@pytest.mark.usefixtures("hub")
def test_an_answer_is_printed_with_its_query_and_links(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("memory of db-1") == 0
    shown = capsys.readouterr().out
    assert shown.startswith("Memory usage: db-1 72 %.")
    assert "Query: 1 - max by (env, host)" in shown
    assert "Explore: https://hub.test/explore?schemaVersion=1" in shown


@pytest.mark.usefixtures("hub")
def test_an_abstention_has_an_exit_code_and_readings(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("memory of db-9") == 1
    assert "Did you mean db-1" in capsys.readouterr().out


@pytest.mark.usefixtures("hub")
def test_json_is_the_whole_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("memory of db-1", as_json=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["status"], found["unit"], found["engine"]) == ("answered", "percentunit", "deterministic")


@pytest.mark.usefixtures("hub")
def test_the_stack_file_counts_and_not_the_copy_of_a_failed_update(stack: Deployed) -> None:
    working_copy.write(stack.working, {"config": {"fleetwatch:hub": {"local": {}, "retention": {"metrics": "x"}}}})
    assert _run("memory of db-1") == 0


def test_an_empty_question_is_refused_before_the_stack_is_opened() -> None:
    with pytest.raises(ToolError, match="expected a question"):
        _run("  ")


def test_a_time_in_the_future_is_refused_as_that_of_a_backup_is() -> None:
    for at in ("9000-01-01", str(time.time() + 600)):
        sentence = f"AT={at}: expected a time in the past, it is .* UTC now; without AT= the question is about now"
        with pytest.raises(ToolError, match=sentence):
            ask_hub.answer(argparse.Namespace(question="cpu", at=at, json=False))


@pytest.mark.parametrize(
    "at", ["yesterday", "12:00", "²", "1²", "9" * 400, "253402300800", "-5", "1.2.3", "0001-01-01"]
)
def test_a_time_that_is_none_is_refused(at: str) -> None:
    with pytest.raises(ToolError, match="is no time"):
        ask_hub.answer(argparse.Namespace(question="cpu", at=at, json=False))
