"""What an app, a provider or a store can send: label values that are phrases, numbers that no chart can hold, answers
of models that take long to read, and log lines that would control a terminal."""

from __future__ import annotations

import itertools
import json
import math
import time
from dataclasses import replace
from typing import Any

import pytest

from ask.__main__ import show
from ask.answer import Answer
from ask.model import embedding, proposal, protocol
from ask.page import chart, render
from tests.ask.offline import engine, world
from tests.ask.seed import AT


@pytest.mark.parametrize(
    ("value", "question"),
    [
        ("how full are the", "how full are the disks?"),
        ("disks?", "how full are the disks?"),
        ("memory of", "memory of db-1 compared to yesterday"),
        ("use the most", "which 5 containers use the most memory?"),
        ("are firing", "which alerts are firing?"),
        ("usage of", "cpu usage of web-1"),
    ],
)
def test_label_values_that_are_phrases_change_no_answer(value: str, question: str) -> None:
    labels = {**world().labels, "table": world().labels.get("table", frozenset()) | {value}}
    hostile = replace(world(), labels=labels)
    expected, found = engine().plan(question, world(), AT), engine().plan(question, hostile, AT)
    assert expected.query is not None
    assert found.query == expected.query


def test_many_names_that_nothing_has_are_compared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    many = frozenset(f"table-{number:05d}.part" for number in range(3000))
    hostile = replace(world(), labels={**world().labels, "table": many, "hypertable": many})
    names = " ".join(f"zq{one}{other}1" for one in "abcdefgh" for other in "abcdefgh")
    began = time.monotonic()
    plan = engine().plan(f"hypertable size of {names}", hostile, AT)
    assert "Nothing that sends data is called" in plan.abstention
    assert time.monotonic() - began < 3


NUMBERS = (0.0, 5e-324, -5e-324, 1e-300, 1e300, 1.79e308, -1.79e308, math.inf, -math.inf, math.nan, 1.0)


@pytest.mark.parametrize("unit", ["", "bytes", "percentunit", "s"])
def test_any_numbers_become_a_chart(unit: str) -> None:
    for one, other in itertools.product(NUMBERS, NUMBERS):
        series = [{"name": "x", "values": [[AT, one], [AT + 60, other], [AT + 120, 1.0]]}]
        assert "<svg" in chart.svg("t", series, unit, AT, AT + 120)


def test_any_numbers_have_shares() -> None:
    for values in itertools.product(NUMBERS, NUMBERS, NUMBERS):
        assert all(0 <= share <= 100 for _, share in render.shares([{"value": one} for one in values]))


def _chat(content: str) -> bytes:
    return json.dumps({"choices": [{"message": {"content": content}}]}).encode()


@pytest.mark.parametrize(
    "body",
    [_chat("<think>" * 30_000), b"[" * 200_000, _chat('{"answer":' + "[" * 100_000 + "}")],
    ids=["reasoning", "deep", "deep content"],
)
def test_responses_of_a_model_are_read_in_bounded_time(body: bytes) -> None:
    began = time.monotonic()
    assert protocol.reply("openai", body).problem == "invalid"
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("answer", [[], {}, 5, None, True])
def test_an_answer_of_another_type_is_sent_back(answer: Any) -> None:
    with pytest.raises(proposal.Invalid, match="answer: expected"):
        proposal.read({"answer": answer})


@pytest.mark.parametrize(
    "body",
    [
        b'{"data": [{"index": [1], "embedding": [1, 2, 3]}]}',
        b'{"data": [{"index": 0, "embedding": [1' + b"0" * 400 + b", 2, 3]}]}",
        b'{"data": [{"index": 0, "embedding": [0, 0, 0]}]}',
        b'{"data": [{"index": 0, "embedding": [NaN, 0, 0]}]}',
        b"[" * 200_000,
    ],
    ids=["index", "large", "zero", "nan", "deep"],
)
def test_responses_that_are_no_vectors(body: bytes) -> None:
    with pytest.raises(embedding.Invalid):
        embedding.vectors(embedding.Endpoint("openai", "m", 3), body, 1)


def test_a_log_line_controls_no_terminal() -> None:
    line = "\x1b]0;title\x07 \x1b[2J\x9b31m\r\nCurrent\tstate\u202e \ud83d"
    row = {"text": "1", "name": "web-1\x1b[1A"}
    shown = show(Answer("q", "answered", f"The newest is: {line}", rows=[row], lines=[{"line": line}]))
    assert len(shown.splitlines()) == 3
    assert not [one for one in shown if not one.isprintable() and one != "\n"]
    assert "Current state" in shown
