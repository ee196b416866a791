"""`make ask-eval` with a language model: the same questions, with the model where the service would use it."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ask import __main__ as terminal
from ask import answer as answers
from ask.answer import Answer
from ask.client import Hub
from ask.engine import Engine
from ask.model.advisor import Advisor
from ask.model.client import Client
from ask.model.meter import InMemory
from ask.model.protocol import BASES, PROVIDERS, Endpoint
from ask.plan import Plan
from ask.reading import Context
from ask.world import World

TIMEOUT = 120.0  # seconds; longer than the service waits, because the proposals are measured here and not the time


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of a model."""
    parser.add_argument("--model", default="", help=f"PROVIDER:NAME; providers: {', '.join(PROVIDERS)}")
    parser.add_argument("--model-url", default="", help="the address, if it is not the provider's")
    parser.add_argument("--key-file", type=Path, help="a file with the provider's key")
    parser.add_argument("--alone", action="store_true", help="use the model for every question that it may be used for")
    parser.add_argument("--share", action="store_true", help="send label values as they are")
    parser.add_argument("--tokens", type=int, default=2_000_000, help="the most tokens that the measurement may use")


@dataclass
class Model:
    """A model under measurement, with what it was used for."""

    advisor: Advisor
    counts: Counter[str]
    alone: bool = False
    plans: dict[str, Plan] = field(default_factory=dict)

    def plan(self, engine: Engine, world: World, hub: Hub, one: dict[str, Any], at: float) -> Plan:
        """The plan of a question as the service would execute it: the engine's, or the proposed one."""
        question, before = str(one["question"]), terminal.context_of(one.get("context"))
        plan = engine.plan(question, world, at, before)
        if self.alone:
            return self._alone(engine, world, hub, question, plan, before, at)
        found = self.improve(
            engine, hub, world, question, before, at, answers.ask(engine, hub, world, question, at, before)
        )
        return self.plans[question] if found.engine == "model" else plan

    def _alone(
        self, engine: Engine, world: World, hub: Hub, question: str, plan: Plan, before: Context, at: float
    ) -> Plan:
        """Without the engine's answer to fall back on: an abstention if the proposal is not used."""
        nothing = Answer(question, "abstained", "")
        if not self.advisor.wants(plan, nothing):
            return plan
        found = self.improve(engine, hub, world, question, before, at, nothing)
        return self.plans[question] if found.engine == "model" else Plan(abstention=found.sentence)

    def improve(
        self, engine: Engine, hub: Hub, world: World, question: str, before: Context, at: float, answer: Answer
    ) -> Answer:
        """The answer by the model where it is used."""

        def execute(plan: Plan) -> Answer:
            self.plans[question] = plan
            return answers.execute(engine, hub, plan, question, at)

        found = self.advisor.advise(engine, hub, world, question, before, answer, at, execute)
        if found.model == "unavailable":
            print(f"{question}: {found.sentence}", file=sys.stderr)
        return found

    def report(self) -> str:
        """What was used."""
        found = ", ".join(f"{name} {count}" for name, count in sorted(self.counts.items()))
        return f"{self.advisor.client.endpoint.provider} {self.advisor.client.endpoint.name}: {found or 'not used'}"


@dataclass(frozen=True)
class Counted:
    """The observer of a measurement."""

    counts: Counter[str]

    def request(self, seconds: float) -> None:
        """The number and their seconds in total."""
        self.counts["requests"] += 1
        self.counts["milliseconds"] += round(1000 * seconds)

    def error(self, reason: str) -> None:
        """By the reason."""
        self.counts[f"error: {reason}"] += 1

    def tokens(self, sent: int, received: int) -> None:
        """By direction."""
        self.counts["tokens sent"] += sent
        self.counts["tokens received"] += received

    def proposal(self, result: str) -> None:
        """By the result."""
        self.counts[f"questions: {result}"] += 1


def of(options: argparse.Namespace) -> Model | None:
    """None without `--model`. A mistake ends the program with a sentence."""
    if not options.model:
        return None
    provider, _, name = options.model.partition(":")
    if provider not in PROVIDERS or not name:
        raise SystemExit(f"MODEL: expected PROVIDER:NAME with one of {', '.join(PROVIDERS)}, such as ollama:a-model")
    if not options.model_url and (provider not in BASES or options.key_file is None):
        needed = "MODEL_URL, the address of the server" if provider not in BASES else "KEY_FILE, a file with the key"
        raise SystemExit(f"MODEL={provider}: expected {needed}")
    try:
        key = options.key_file.read_text().strip() if options.key_file is not None else ""
    except (OSError, UnicodeDecodeError) as problem:
        reason = getattr(problem, "strerror", None) or "no text in UTF-8"
        raise SystemExit(f"KEY_FILE: {options.key_file}: cannot be read: {reason}") from None
    counts: Counter[str] = Counter()
    endpoint = Endpoint(provider, name, options.model_url, key)
    client = Client(endpoint, InMemory(options.tokens), Counted(counts), TIMEOUT)
    return Model(Advisor(client, options.share), counts, options.alone)
