"""When the model is used, and what becomes of its proposals: checked, executed, or replaced by the answer without it.

The deterministic answer comes first. The model is used where that is an abstention or uncertain. No answer
depends on the model: in place of a proposal that cannot be used, the answer without it is returned, with the reason.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from ask import fitting
from ask.answer import Answer
from ask.client import Away, Hub
from ask.engine import Engine
from ask.model import proposal
from ask.model.client import Client
from ask.model.masking import Masks, Values, values_of
from ask.model.meter import Spent
from ask.model.prompt import SYSTEM, Context, Library, help_texts
from ask.model.sending import Unavailable
from ask.plan import Plan
from ask.ranking import Index
from ask.reading import Context as Before
from ask.safety import Refused
from ask.world import World

LOG = logging.getLogger("ask.model")
SURE = 0.75  # confidence from which the deterministic answer is not improved
ROUNDS = 3  # proposals for one question
AT_ONCE = 4  # questions that wait for the model at the same time
ENGINE = "model"
HELP_SECONDS, HELP_PATIENCE = 600.0, 3.0  # between two requests for HELP texts, and for one
Execute = Callable[[Plan], Answer]


@dataclass
class Advisor:
    """`share`: whether label values are sent as they are. One for each process."""

    client: Client
    share: bool = False
    _turns: threading.Semaphore = field(default_factory=lambda: threading.BoundedSemaphore(AT_ONCE), repr=False)
    _library: tuple[Index, Library] | None = None
    _values: tuple[World, Values] | None = None
    _helps: tuple[float, dict[str, str]] = (0.0, {})

    def wants(self, plan: Plan, answer: Answer) -> bool:
        """Whether the model is used: not for names that nothing has, nor for what was refused."""
        reading = plan.reading
        return not (plan.refusal or reading is None or reading.unknown) and _is_unsure(answer)

    def advise(
        self, engine: Engine, hub: Hub, world: World, question: str, before: Before, answer: Answer, now: float,
        execute: Execute,
    ) -> Answer:  # fmt: skip
        """The answer by the model's proposal, or the given one. `execute` raises Refused and Away."""
        if not (world.metrics or world.logs) or not _is_unsure(answer):
            return answer
        plan = engine.plan(question, world, now, before)
        if not self.wants(plan, answer):
            return answer
        if not self._turns.acquire(blocking=False):
            self.client.observer.error("busy")
            return self._without(answer, "The language model is busy with other questions", "unavailable")
        try:
            return self._advised(engine, hub, world, plan, before, answer, now, execute)
        except Unavailable as problem:
            return self._without(answer, str(problem), "unavailable")
        except Spent as problem:
            self.client.observer.error("budget")
            return self._without(answer, str(problem), "unavailable")
        except Exception:
            LOG.exception("the language model's proposal")
            self.client.observer.error("internal")
            return self._without(answer, "The language model's proposal could not be read", "rejected")
        finally:
            self._turns.release()

    def _advised(
        self, engine: Engine, hub: Hub, world: World, plan: Plan, before: Before, answer: Answer, now: float,
        execute: Execute,
    ) -> Answer:  # fmt: skip
        assert plan.reading is not None
        masks = Masks(self._values_of(world, engine), self.share)
        masks.add(plan.reading.mentions)
        library = self._library_of(engine)
        context = Context(
            engine, library, world, plan.reading, masks, plan.reading.original, before.question, now,
            self._helps_of(hub, world),
            plan.query.text if plan.query is not None and plan.query.language == "logql" else "",
        )  # fmt: skip
        checker = proposal.Checker(engine, world, plan.reading, masks, library.entries, now)
        deadline, rejected = self.client.deadline(), list[dict[str, Any]]()
        reason = ""
        for _ in range(ROUNDS):
            found = self.client.propose(SYSTEM, context.document(rejected), proposal.SCHEMA, deadline)
            if found.problem == "refused":
                return self._without(answer, "The language model refused the question", "rejected")
            try:
                one = proposal.read(found.proposal or {})
                if one.answer == "none":
                    return self._without(answer, "The language model proposed no query", "none")
                advised = self._executed(checker.plan(one), plan, answer, execute)
            except proposal.Invalid as problem:
                self.client.observer.error("invalid")
                reason, shown = "it was not of the expected form", str(problem)
            except (Refused, Away) as problem:
                reason, shown = _reasons(problem)
            else:
                self.client.observer.proposal("accepted")
                return advised
            rejected.append({"proposal": proposal.as_document(found.proposal), "problem": shown})
        return self._without(answer, f"The language model's proposal was not used: {reason}", "rejected")

    def _executed(self, proposed: Plan, plan: Plan, answer: Answer, execute: Execute) -> Answer:
        """The proposal's answer; the given one if the query is the same, or has no result where that one has. A query
        about lines may have none: it expresses terms that the given one leaves out."""
        assert proposed.query is not None
        if proposed.query.text == answer.query:
            return answer
        found = execute(proposed)
        about_logs = proposed.query.language == "logql"
        if found.status != "answered" and answer.status == "answered" and not about_logs:
            return answer
        name, what = self.client.endpoint.name, "labels" if about_logs else "metrics"
        note = f"the query was proposed by the language model {name} and checked: its {what} exist"
        notes = [*found.assumptions, note]
        return replace(found, engine=ENGINE, model="accepted", readings=self._readings(plan, answer), assumptions=notes)

    @staticmethod
    def _readings(plan: Plan, answer: Answer) -> list[str]:
        """Other readings: the one that the model's replaces comes first."""
        own = [fitting.title_of(plan.entry)] if plan.entry is not None and answer.query else []
        return list(dict.fromkeys([*own, *answer.readings]))[:3]

    def _without(self, answer: Answer, reason: str, result: str) -> Answer:
        """The answer without the model, with the sentence about it."""
        self.client.observer.proposal(result)
        sentence = f"{answer.sentence} {reason}; this is the answer without it."
        return replace(answer, sentence=sentence, model=result)

    def _library_of(self, engine: Engine) -> Library:
        if self._library is None or self._library[0] is not engine.index:
            self._library = engine.index, Library.of(engine)
        return self._library[1]

    def _values_of(self, world: World, engine: Engine) -> Values:
        if self._values is None or self._values[0] is not world:
            self._values = world, values_of(world, engine.catalogue)
        return self._values[1]

    def _helps_of(self, hub: Hub, world: World) -> dict[str, str]:
        """One request in ten minutes. The hub's Prometheus has no HELP texts, others of the same API may."""
        at, found = self._helps
        if not at or time.monotonic() - at > HELP_SECONDS:
            try:
                span = [("limit", "5000"), ("limit_per_metric", "1")]
                found = help_texts(hub.get(hub.prometheus, "/api/v1/metadata", span, HELP_PATIENCE), world.apps)
            except Away:
                found = {}
            self._helps = time.monotonic(), found
        return found


def _is_unsure(answer: Answer) -> bool:
    """Looked at first: a question is planned again for the model only where its answer leaves something to improve."""
    if answer.status == "abstained":
        return True
    return answer.status in {"answered", "empty"} and 0 < answer.confidence < SURE


def _reasons(problem: Refused | Away) -> tuple[str, str]:
    """Why a proposal is not used: for the user, without texts of the model, and for the model. Prometheus' errors may
    contain label values, so neither has them."""
    if isinstance(problem, Refused):
        text = str(problem).partition(":")[0].rstrip(".")
        return (text[0].lower() + text[1:] if not text[1:2].isupper() else text), str(problem)
    text = f"{'Loki' if str(problem).startswith('Loki') else 'Prometheus'} does not execute the query"
    if "many-to-many" in str(problem) or "duplicate series" in str(problem):
        text += ": both sides of an operator have several series for the same labels"
    return text, text
