"""A hundred questions by ten users at once, sent over loopback to one replica, with real servers behind it."""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.ask import stage
from tests.ask.processes import Process
from tests.ask.servers import Server

USERS, QUESTIONS, ALLOWED = 10, 100, 95
VALUES = ("memory", "cpu")
SECONDS = 20  # at most, from the first question to the last row of the history


def _questions() -> list[str]:
    """Half of them different, so that half may come from the cache."""
    numbers = range(2, 2 + QUESTIONS // len(VALUES) // 2)
    return [f"top {number} hosts by {value}" for number in numbers for value in VALUES] * 2


def test_every_question_has_an_answer_or_a_reason_and_every_answer_is_in_the_history(
    postgres: Server, valkey: Server
) -> None:
    database = stage.fresh_database(postgres)
    with tempfile.TemporaryDirectory() as name, stage.served(stage.Stores()) as url:
        limits, store = {"admin_per_hour": ALLOWED}, {"url": url}
        path = stage.written(Path(name), postgres, valkey, database, prometheus=store, loki=store, limits=limits)
        process = Process(path, Path(name) / "log")
        try:
            process.ready()
            body = {"name": "admin", "password": stage.ADMIN}
            token = json.loads(process.send("/ask/auth/login", body)[1])["access_token"]
            headers, began = {"Authorization": f"Bearer {token}"}, time.monotonic()
            with ThreadPoolExecutor(USERS) as users:
                found = list(users.map(lambda question: process.ask(question, headers), _questions()))
            answered = _answered(found)
            with stage.connection(postgres, database) as connected:
                rows = 0
                while rows < answered and time.monotonic() - began < SECONDS:
                    time.sleep(0.1)
                    rows = connected.execute("SELECT count(*) FROM query_history").fetchall()[0][0]
                audited = connected.execute("SELECT count(*) FROM audit WHERE action = 'question'").fetchall()[0][0]
            took = time.monotonic() - began
        finally:
            process.end()
        assert "Traceback" not in (Path(name) / "log").read_text()
    assert (rows, audited) == (answered, ALLOWED), "each answer has a row, each question that was counted an audit"
    assert took < SECONDS


def _answered(found: list[tuple[int, dict[str, object]]]) -> int:
    """How many of the responses are answers; the others are limits or a service that is busy."""
    kinds = Counter((status, str(one.get("error", one.get("status")))) for status, one in found)
    assert set(kinds) <= {(200, "answered"), (503, "busy"), (429, "rate_limited")}, kinds
    assert kinds[429, "rate_limited"] == QUESTIONS - ALLOWED, kinds
    assert kinds[200, "answered"] > QUESTIONS // 2, kinds
    return kinds[200, "answered"]
