"""`make backup`: what it reports when the backup ends, or when nothing answers any more."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tools.backup import now
from tools.backup.repository import Repository
from tools.errors import ToolError


def _repository(monkeypatch: pytest.MonkeyPatch, answers: Iterator[str | ToolError]) -> Repository:
    """One whose container gives these answers, in this order."""
    found = object.__new__(Repository)
    found.backup = "fw-backup"

    def shell(command: str, stdin: str = "") -> str:
        answer = next(answers)
        if isinstance(answer, ToolError):
            raise answer
        return answer

    monkeypatch.setattr(found, "shell", shell)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    return found


def test_backup_is_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["7\n", "", "", "7\n", "9\n", "never read"])
    now.run(_repository(monkeypatch, answers))
    assert next(answers) == "never read"


def test_backup_whose_container_ends_is_one_sentence_with_the_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = ToolError("docker exec failed on the hub: Error response from daemon: container 1a2b is not running")
    with pytest.raises(ToolError) as problem:
        now.run(_repository(monkeypatch, iter(["7", "", "", ended])))
    assert str(problem.value).startswith(
        f"The backup was begun, and its end is not known: {ended}. When fw-backup runs"
    )
    assert "`make backup`" in str(problem.value)
