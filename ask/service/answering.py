"""A question of a caller: audited, looked up in the cache, answered by the engine, kept in the history."""

from __future__ import annotations

import contextlib
import json
import re
import time
from dataclasses import dataclass, field, replace
from typing import Any

from ask import answer as answers
from ask import safety
from ask.answer import Answer
from ask.client import LATE
from ask.model.advisor import Advisor
from ask.model.matching import NOTHING, Matcher
from ask.model.sending import Unavailable
from ask.plan import Plan
from ask.ranking import Support
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
from ask.service.turns import Turns
from ask.world import LOKI, PROMETHEUS, World

SECOND_PATIENCE = 5.0  # seconds that the query of a model waits for its turn
LONGEST = 2000  # characters of a question that are looked at
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # no column of the database can have these
KEPT = {"answered", "empty", "abstained"}
LARGEST_KEPT = 1024**2  # characters of an answer in the cache, which all replicas share
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
        before = (*self.context.earlier, self.context.question)
        context = [*(" ".join(one.lower().split()) for one in before), self.context.host.lower()]
        return secrets.digest(json.dumps([text, *context]))


@dataclass
class Answering:
    """Questions are executed in turns, shared by all replicas; cached answers do not wait. `seconds` bounds the
    requests of one question to the stores."""

    knowledge: Knowledge
    store: Store
    history: History
    metrics: Metrics
    turns: Turns
    site: str
    cache_seconds: int
    seconds: float = 30.0
    advisor: Advisor | None = None
    matcher: Matcher | None = None

    def answer(self, caller: Caller, asked: Asked, patience: float | None = None) -> dict[str, Any]:
        """The answer as JSON; `patience` is how long it waits for its turn. Raises Problem."""
        self.accept(caller, asked)
        return self.accepted(caller, asked, patience)

    def accept(self, caller: Caller, asked: Asked) -> None:
        """Audit a question, also one that is refused then. Raises Problem."""
        self.history.audit(caller, "question", _UNSTORABLE.sub("\ufffd", asked.question[:LONGEST]), asked.address)
        self.check(asked)

    def accepted(self, caller: Caller, asked: Asked, patience: float | None = None) -> dict[str, Any]:
        """The answer to a question that was accepted."""
        began = time.monotonic()
        name = f"answer:{self.knowledge.version}:{asked.key}"
        found = self.store.get(name) if self.cache_seconds else None
        cached = found is not None
        (self.metrics.hits if cached else self.metrics.misses).inc()
        if found is None:
            found = self._executed(asked, patience)
            self._cache(name, found)
        found |= {"question": asked.question, "cached": cached, "seconds": round(time.monotonic() - began, 4)}
        self.metrics.processing.labels(str(cached).lower()).observe(time.monotonic() - began)
        self.metrics.questions.labels(found["status"]).inc()
        self._keep(caller, asked, found)
        return _returned(found)

    def _cache(self, name: str, found: dict[str, Any]) -> None:
        """Keep an answer; for seconds what the next discovery may change. A model that was used costs tokens again, so
        only one that did not answer is tried again at once, as a provider of embeddings is."""
        away = "unavailable" in (found["model"], found["embeddings"])
        if found["status"] not in KEPT or not self.cache_seconds or away:
            return
        short = found["status"] == "abstained" and not found["model"]
        seconds = min(self.cache_seconds, ABSTAINED) if short else self.cache_seconds
        with contextlib.suppress(Problem):  # a Store that went down meanwhile costs no answer
            self.store.put(name, found, seconds, largest=LARGEST_KEPT)

    def check(self, asked: Asked) -> None:
        """Raises Problem for a question that is not even looked up."""
        if len(asked.question) > LONGEST:
            message = f"The question has {len(asked.question)} characters, at most {LONGEST} are read. Shorten it."
            raise Problem(413, "question_long", message)
        if not asked.question.strip():
            message = "The question is empty. Write, for example: how full are the disks?"
            raise problems.invalid("question_empty", message)
        try:
            for text in filter(None, (asked.question, asked.context.question, *asked.context.earlier)):
                safety.question(text, self.knowledge.engine.limits)
        except Refused as refusal:
            self.metrics.questions.labels("refused").inc()
            raise Problem(422, "refused", str(refusal), readings=self._examples()) from None

    def _examples(self) -> tuple[str, ...]:
        return self.knowledge.engine.examples(self.knowledge.world)

    def _executed(self, asked: Asked, patience: float | None) -> dict[str, Any]:
        """By the engine, at the present time; then by the model's proposal, if there is a model and it is needed."""
        support = self._support(asked)
        with self.turns.turn(patience), self.knowledge.hub.within(self.seconds):
            now = time.time()
            world, hub = self.knowledge.world, self.knowledge.hub
            engine = self.knowledge.engine.supported(support)
            if not world.metrics and not world.logs:
                raise unknown_fleet(world, self.knowledge.at)
            found = reply(engine, hub, world, asked.question, now, asked.context, self.site)
        if self.advisor is not None:  # without a turn: a slow model delays no other question

            def execute(plan: Plan) -> Answer:
                try:
                    with self.turns.turn(SECOND_PATIENCE), hub.within(self.seconds):
                        return answers.execute(engine, hub, plan, asked.question, now, self.site)
                except Problem as busy:
                    raise Unavailable("busy", f"The query was not executed: {busy}") from None

            found = self.advisor.advise(engine, hub, world, asked.question, asked.context, found, now, execute)
        document = _with_support(found, support).document() | {"at": now}
        if found.status == "abstained" and (lost := self._lost(asked, world, now)):
            document |= {"status": "failed", "sentence": lost}
        return document

    def _support(self, asked: Asked) -> Support:
        """By embeddings. Without a turn: a slow provider delays no other question."""
        if self.matcher is None or not self.knowledge.world.metrics:
            return NOTHING
        engine, world = self.knowledge.engine, self.knowledge.world
        return self.matcher.support(engine, world, asked.question, asked.context, time.time())

    def _lost(self, asked: Asked, world: World, now: float) -> str:
        """The store that an abstention is due to, because nothing of it was ever discovered."""
        if PROMETHEUS in world.away and not world.metrics:
            return world.away[PROMETHEUS]
        if LOKI in world.away and not world.logs:
            plan = self.knowledge.engine.plan(asked.question, world, now, asked.context)
            if plan.reading is not None and plan.reading.about_logs:
                return world.away[LOKI]
        return ""

    def _keep(self, caller: Caller, asked: Asked, found: dict[str, Any]) -> None:
        kept = {name: found[name] for name in ("status", "query", "language", "sentence", "engine", "confidence")}
        kept["sentence"] = kept["sentence"].replace("\x00", "\ufffd")  # of a log line; no column can have it
        self.history.add(
            kept
            | {
                "user_id": caller.user,
                "api_key_id": caller.key,
                "question": asked.question,
                "context": {
                    "question": asked.context.question,
                    "host": asked.context.host,
                    "earlier": list(asked.context.earlier),
                },
                "cached": found["cached"],
                "seconds": found["seconds"],
            }
        )


def _with_support(found: Answer, support: Support) -> Answer:
    """The answer with whether embeddings were used, and why not if they should have been."""
    if support.problem:
        return replace(found, embeddings="unavailable", assumptions=[*found.assumptions, support.problem])
    return replace(found, embeddings="used") if support.scores else found


def unknown_fleet(world: World, at: float) -> Problem:
    """Nothing is known: because of a store, because discovery has not ended yet, or because nothing sends data."""
    if PROMETHEUS in world.away:
        return Problem(502, "prometheus_down", world.away[PROMETHEUS], {"Retry-After": "15"})
    if not at:
        return Problem(503, "starting", "The fleet's metrics are being discovered. Try again.", {"Retry-After": "5"})
    return Problem(503, "no_data", "No host has sent metrics or logs in the last hour.", {"Retry-After": "60"})


def _returned(found: dict[str, Any]) -> dict[str, Any]:
    """Refusals and stores that are down have separate status codes."""
    if found["status"] == "refused":
        raise Problem(422, "refused", found["sentence"], readings=tuple(found["readings"]))
    if found["status"] == "failed":
        raise store_problem(found["sentence"])
    return found


def store_problem(sentence: str) -> Problem:
    """A store that does not answer, or that is too slow: 504 for the second."""
    store = "loki" if "Loki" in sentence else "prometheus"
    late = LATE in sentence
    return Problem(504 if late else 502, f"{store}_{'slow' if late else 'down'}", sentence, {"Retry-After": "15"})
