"""A question of a caller: audited, looked up in the cache, answered by the engine, kept in the history."""

from __future__ import annotations

import json
import re
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from ask import safety
from ask.reading import Context
from ask.reply import reply
from ask.safety import Refused
from ask.service import problems, secrets
from ask.service.accounts import Caller
from ask.service.discovery import Knowledge
from ask.service.history import History
from ask.service.metrics import Metrics
from ask.service.problems import Problem
from ask.service.store import Store
from ask.world import World

LONGEST = 2000  # characters of a question that are looked at
PATIENCE = 20.0  # seconds that a question waits for others
KEPT = {"answered", "empty", "abstained"}
ABSTAINED = 30  # seconds that an abstention is kept at most: the next discovery may know the name


@dataclass(frozen=True)
class Asked:
    """A question as it came in."""

    question: str
    context: Context = field(default_factory=Context)
    address: str = ""

    @property
    def key(self) -> str:
        """The same for questions that differ in spaces, case and final punctuation; quoted text keeps its case."""
        plain = " ".join(self.question.split()).rstrip(" ?!.")
        parts = re.split(r"(\"[^\"]*\"|'[^']*')", plain)
        text = "".join(one if index % 2 else one.lower() for index, one in enumerate(parts))
        context = [" ".join(self.context.question.lower().split()), self.context.host.lower()]
        return secrets.digest(json.dumps([text, *context]))


@dataclass
class Answering:
    """At most `concurrency` questions are executed at once by this replica; cached answers do not wait."""

    knowledge: Knowledge
    store: Store
    history: History
    metrics: Metrics
    site: str
    cache_seconds: int
    concurrency: int = 2
    patience: float = PATIENCE

    def __post_init__(self) -> None:
        self._turns = threading.BoundedSemaphore(self.concurrency)

    def answer(self, caller: Caller, asked: Asked) -> dict[str, Any]:
        """The answer as JSON. Raises Problem for what cannot be answered."""
        began = time.monotonic()
        self.check(asked)
        self.history.audit(caller, "question", asked.question, asked.address)
        name = f"answer:{self.knowledge.version}:{asked.key}"
        found = self.store.get(name) if self.cache_seconds else None
        cached = found is not None
        (self.metrics.hits if cached else self.metrics.misses).inc()
        if found is None:
            found = self._executed(asked)
            if found["status"] in KEPT and self.cache_seconds:
                abstained = found["status"] == "abstained"
                self.store.put(name, found, min(self.cache_seconds, ABSTAINED) if abstained else self.cache_seconds)
        found |= {"question": asked.question, "cached": cached, "seconds": round(time.monotonic() - began, 4)}
        self.metrics.processing.labels(str(cached).lower()).observe(time.monotonic() - began)
        self.metrics.questions.labels(found["status"]).inc()
        self._keep(caller, asked, found)
        return _returned(found)

    def check(self, asked: Asked) -> None:
        """Raises Problem for a question that is not even looked up."""
        if len(asked.question) > LONGEST:
            message = f"The question has {len(asked.question)} characters, at most {LONGEST} are read. Shorten it."
            raise Problem(413, "question_long", message)
        if not asked.question.strip():
            message = "The question is empty. Write, for example: how full are the disks?"
            raise problems.invalid("question_empty", message)
        try:
            for text in filter(None, (asked.question, asked.context.question)):
                safety.question(text, self.knowledge.engine.limits)
        except Refused as refusal:
            self.metrics.questions.labels("refused").inc()
            raise Problem(422, "refused", str(refusal), readings=self._examples()) from None

    def _examples(self) -> tuple[str, ...]:
        return self.knowledge.engine.examples(self.knowledge.world)

    def _executed(self, asked: Asked) -> dict[str, Any]:
        """By the engine, at the present time."""
        if not self._turns.acquire(timeout=self.patience):
            message = "Other questions are being answered. Try again in a few seconds."
            raise Problem(503, "busy", message, {"Retry-After": "5"})
        try:
            now = time.time()
            world, engine = self.knowledge.world, self.knowledge.engine
            if not world.metrics and not world.logs:
                raise _unknown_fleet(world, self.knowledge.at)
            found = reply(engine, self.knowledge.hub, world, asked.question, now, asked.context, self.site)
        finally:
            self._turns.release()
        document = found.document() | {"at": now}
        if found.status == "abstained" and (lost := self._lost(asked, world, now)):
            document |= {"status": "failed", "sentence": lost}
        return document

    def _lost(self, asked: Asked, world: World, now: float) -> str:
        """The store that an abstention is due to, because nothing of it was ever discovered."""
        for problem in world.missing:
            if problem.startswith("Prometheus") and not world.metrics:
                return problem
            if problem.startswith("Loki") and not world.logs:
                plan = self.knowledge.engine.plan(asked.question, world, now, asked.context)
                if plan.reading is not None and plan.reading.about_logs:
                    return problem
        return ""

    def _keep(self, caller: Caller, asked: Asked, found: dict[str, Any]) -> None:
        kept = {name: found[name] for name in ("status", "query", "language", "sentence", "engine", "confidence")}
        self.history.add(
            kept
            | {
                "user_id": caller.user,
                "api_key_id": caller.key,
                "question": asked.question,
                "context": {"question": asked.context.question, "host": asked.context.host},
                "cached": found["cached"],
                "seconds": found["seconds"],
            }
        )


def _unknown_fleet(world: World, at: float) -> Problem:
    """Nothing is known: because of a store, because discovery has not ended yet, or because nothing sends data."""
    for problem in world.missing:
        if problem.startswith("Prometheus"):
            return Problem(502, "prometheus_down", problem, {"Retry-After": "15"})
    if not at:
        return Problem(503, "starting", "The fleet's metrics are being discovered. Try again.", {"Retry-After": "5"})
    return Problem(503, "no_data", "No host has sent metrics or logs in the last hour.", {"Retry-After": "60"})


def _returned(found: dict[str, Any]) -> dict[str, Any]:
    """Refusals and stores that are down have separate status codes."""
    if found["status"] == "refused":
        raise Problem(422, "refused", found["sentence"], readings=tuple(found["readings"]))
    if found["status"] == "failed":
        code = "loki_down" if "Loki" in found["sentence"] else "prometheus_down"
        raise Problem(502, code, found["sentence"], {"Retry-After": "15"})
    return found
