"""`make ask-eval QUESTIONS=FILE BASE=URL`: one JSON line for each question, and what discovery leaves out."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from ask import __main__ as terminal
from ask.client import Away, Hub
from ask.service import worlds
from ask.world import CUT, MAX_SERIES, World, app_metrics, discover
from tests.ask import evaluate
from tests.ask.offline import engine
from tests.ask.seed import AT
from tests.ask.stage import Stores

QUESTIONS = """
questions:
- {id: cpu, question: cpu of web-1}
- {id: day, question: cpu of web-1 over the last 6 hours, kind: ranged}
- {id: next, question: "and of db-1?", context: {question: cpu of web-1}}
- {id: unknown, question: cpu of web-9}
- {id: hostile, question: "'; DROP TABLE users; --"}
- {question: 5}
"""
KEYS = {"id", "query", "language", "start", "end", "abstained", "answer", "status", "confidence"}


def _hub(stores: Stores) -> Hub:
    made = Hub("http://hub.test", "http://hub.test")
    made.transport(httpx.MockTransport(stores))
    return made


def _lines(tmp_path: Path, stores: Stores, monkeypatch: pytest.MonkeyPatch, text: str = QUESTIONS) -> None:
    """Print the lines of a file of questions."""
    path = tmp_path / "questions.yaml"
    path.write_text(text)
    monkeypatch.setattr(evaluate, "Hub", lambda *_: _hub(stores))
    evaluate.answer_file(
        argparse.Namespace(questions=path, base="http://hub.test", loki="", at=str(AT), model="", alone=False)
    )


def _printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_each_question_has_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _lines(tmp_path, Stores(), monkeypatch)
    found = _printed(capsys)
    assert [one["id"] for one in found] == ["cpu", "day", "next", "unknown", "hostile", None]
    assert all(set(one) == KEYS for one in found), "another key of a question, such as `kind`, is ignored"
    cpu, day, after, unknown, hostile, number = found
    assert (cpu["language"], cpu["abstained"], cpu["start"], cpu["end"]) == ("promql", False, AT, AT)
    assert "node_cpu_seconds_total" in cpu["query"]
    assert cpu["answer"].startswith("CPU usage: web-1 42 %")
    assert (day["start"], day["end"], day["abstained"]) == (AT - 6 * 3600, AT, False)
    assert 'host="db-1"' in after["query"]
    assert "Did you mean" in unknown["answer"]
    assert [(one["abstained"], one["query"]) for one in (unknown, hostile, number)] == [(True, "")] * 3


@pytest.mark.parametrize("text", ["[]", "questions: []"])
def test_no_questions_have_no_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    _lines(tmp_path, Stores(), monkeypatch, text)
    assert _printed(capsys) == []


@pytest.mark.parametrize("text", ["", "- cpu of web-1", "- {id: a, text: cpu of web-1}", "{", "\0"])
def test_files_that_have_no_questions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    with pytest.raises(SystemExit, match=r"questions\.yaml: (expected a list of mappings|cannot be read as YAML)"):
        _lines(tmp_path, Stores(), monkeypatch, text)


def test_a_store_that_is_away_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(
        SystemExit, match="BASE=http://hub.test: expected the address of a hub that answers, Prometheus"
    ):
        _lines(tmp_path, Stores(away={"prometheus"}), monkeypatch)
    _lines(tmp_path, Stores(away={"loki"}), monkeypatch)
    shown = capsys.readouterr()
    assert "Loki does not answer" in shown.err
    assert json.loads(shown.out.splitlines()[0])["answer"].startswith("CPU usage: web-1 42 %")


def test_a_store_that_goes_away_has_a_line_that_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "questions.yaml"
    path.write_text("- {id: cpu, question: cpu of web-1}")
    stores = Stores()

    def failing(request: httpx.Request) -> httpx.Response:
        """As the stores, until a query."""
        stores.away = {"prometheus"} if request.url.path.endswith("/query") else set()
        return stores(request)

    made = Hub("http://hub.test", "http://hub.test")
    made.transport(httpx.MockTransport(failing))
    terminal.reply_to_all(engine(), made, path, AT)
    (one,) = _printed(capsys)
    assert (one["status"], one["abstained"], one["answer"]) == (
        "failed",
        False,
        "Prometheus does not answer: ConnectError",
    )


def test_series_of_apps_beyond_the_limit_are_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    made = _hub(Stores())
    assert not discover(made, engine().catalogue, AT).cut
    series = [{"__name__": f"own_{number}", "job": "shop"} for number in range(MAX_SERIES + 1)]
    monkeypatch.setattr(Hub, "series", lambda _hub, _match, _start, _end, limit: series[:limit])
    found = discover(made, engine().catalogue, AT)
    assert (found.cut, found.missing) == (True, (CUT,))
    assert len(found.apps) == MAX_SERIES
    assert not found.away, "nothing is gained by discovering again soon"
    before = World(metrics=frozenset({"old"}), apps=app_metrics([{"__name__": "old"}], frozenset()))
    assert worlds.completed(found, before).apps == found.apps


@pytest.mark.parametrize(("store", "method"), [("prometheus", "values"), ("loki", "log_values")])
def test_a_store_is_away_whatever_its_sentence(store: str, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = discover(_hub(Stores()), engine().catalogue, AT)

    def fails(*_: object) -> None:
        raise Away(CUT)

    monkeypatch.setattr(Hub, method, fails)
    found = discover(_hub(Stores()), engine().catalogue, AT)
    assert (found.away, found.cut) == ({store: CUT}, False)
    again = worlds.world(json.loads(json.dumps(worlds.document(worlds.completed(found, before)))))
    assert (again.away, again.metrics, again.logs) == (found.away, before.metrics, before.logs)
