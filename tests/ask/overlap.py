"""How many questions replicas answer at the same time: their engines are slowed down and counted."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from uuid import UUID

import pytest

from ask.plan import Plan
from ask.reading import Context
from ask.service.accounts import Caller
from ask.service.answering import Asked
from ask.world import World
from tests.ask.stage import Stage


class Overlap:
    """`most`: how many ran at once, at the most."""

    def __init__(self, replicas: Sequence[Stage], monkeypatch: pytest.MonkeyPatch) -> None:
        self._replicas, self._running, self.most, self._lock = replicas, 0, 0, threading.Lock()
        for made in replicas:
            self._slow(made, monkeypatch)

    def _slow(self, made: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        engine = made.service.knowledge.engine
        plain = engine.plan

        def slow(question: str, world: World, now: float, context: Context) -> Plan:
            with self._lock:
                self._running += 1
                self.most = max(self.most, self._running)
            time.sleep(0.2)
            with self._lock:
                self._running -= 1
            return plain(question, world, now, context)

        monkeypatch.setattr(engine, "plan", slow)

    def answered(self, numbers: Sequence[int]) -> list[str]:
        """The status of a question for each number, asked at the same time and of the replicas in turn."""
        one = self._replicas[0]
        users = one.client.get("/ask/api/v1/admin/users", headers=one.token()).json()["users"]
        caller, found = Caller(UUID(users[0]["id"]), "admin", "admin"), list[str]()

        def ask(number: int) -> None:
            answering = self._replicas[number % len(self._replicas)].service.answering
            found.append(answering.answer(caller, Asked(f"top {number} hosts by memory"))["status"])

        threads = [threading.Thread(target=ask, args=(number,)) for number in numbers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)
        return found
