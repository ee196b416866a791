"""An advisor over the seeded fleet's world, with the stand-in of a provider and a Prometheus that is played."""

from __future__ import annotations

import contextlib
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from ask import answer as answers
from ask.answer import Answer
from ask.client import Hub
from ask.model.advisor import Advisor
from ask.model.client import Client
from ask.model.meter import InMemory
from ask.model.protocol import Endpoint
from ask.plan import Plan
from ask.reading import Context
from ask.reply import reply
from ask.world import World
from tests.ask import fake_model, offline
from tests.ask.fake_model import Fake
from tests.ask.seed import AT

SAMPLE = "0.4271828"  # of every query: nothing that is sent may contain it
LINE = "card 4929-0001 declined"  # every log line: nothing that is sent may contain it


@dataclass
class Counted:
    """The observer of a test."""

    counts: Counter[str] = field(default_factory=Counter)

    def request(self, seconds: float) -> None:
        """Counted."""
        self.counts["request"] += 1

    def error(self, reason: str) -> None:
        """By the reason."""
        self.counts[f"error {reason}"] += 1

    def tokens(self, sent: int, received: int) -> None:
        """In total."""
        self.counts["tokens"] += sent + received

    def proposal(self, result: str) -> None:
        """By the result."""
        self.counts[f"proposal {result}"] += 1


@dataclass
class Prometheus:
    """One value for each query; `error` is an answer with status 422, `helps` its HELP texts."""

    queries: list[str] = field(default_factory=list)
    error: str = ""
    helps: dict[str, str] = field(default_factory=dict)
    empty: bool = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.endswith("/metadata"):
            data: Any = {name: [{"type": "counter", "help": text}] for name, text in self.helps.items()}
        elif path.endswith("/series"):
            data = [{"host": "web-1"}]
        else:
            self.queries.append(request.url.params["query"])
            if self.error:
                return httpx.Response(422, json={"status": "error", "error": self.error})
            data = {"resultType": "vector", "result": self._result(path)}
        return httpx.Response(200, json={"status": "success", "data": data})

    def _result(self, path: str) -> list[dict[str, Any]]:
        if self.empty:
            return []
        if path.startswith("/loki") and not re.search(r"_over_time|rate\(", self.queries[-1]):
            return [{"stream": {"host": "web-1"}, "values": [[f"{AT}000000000", LINE]]}]
        point = [AT, SAMPLE]
        values = {"values": [point]} if path.endswith("range") else {"value": point}
        return [{"metric": {"host": "web-1"}, **values}]


@dataclass
class Rig:
    """One process with a model."""

    fake: Fake
    advisor: Advisor
    observed: Counted
    budget: InMemory
    prometheus: Prometheus
    hub: Hub
    world: World
    waited: list[float]

    def ask(self, question: str, previous: str = "") -> Answer:
        """The answer as the service makes it."""
        engine, before = offline.engine(), Context(previous)
        found = reply(engine, self.hub, self.world, question, AT, before, "https://hub.test")

        def execute(plan: Plan) -> Answer:
            return answers.execute(engine, self.hub, plan, question, AT, "https://hub.test")

        return self.advisor.advise(engine, self.hub, self.world, question, before, found, AT, execute)


@contextlib.contextmanager
def rig(
    *replies: dict[str, Any], provider: str = "openai", share: bool = False, daily: int = 1_000_000,
    timeout: float = 5.0, world: World | None = None, **changed: Any,
) -> Iterator[Rig]:  # fmt: skip
    """A rig whose provider gives these replies; `changed` are fields of the endpoint."""
    with fake_model.serving(*replies) as fake:
        observed, budget, played, waited = Counted(), InMemory(daily), Prometheus(), list[float]()

        def sleep(seconds: float) -> None:
            waited.append(seconds)
            time.sleep(min(seconds, 0.01))

        endpoint = replace(Endpoint(provider, fake_model.MODEL, f"{fake.url}/v1", fake_model.KEY), **changed)
        client = Client(endpoint, budget, observed, timeout, sleep)
        hub = Hub("http://prometheus.test", "http://loki.test")
        hub.transport(httpx.MockTransport(played))
        try:
            yield Rig(
                fake, Advisor(client, share), observed, budget, played, hub, world or offline.world(), waited
            )  # fmt: skip
        finally:
            client.close()


def proposing(**fields: str) -> dict[str, Any]:
    """A reply with a proposal; a query unless another answer is given."""
    empty = {"answer": "promql", "entry": "", "promql": "", "logql": "", "range": "", "ends_ago": "", "unit": ""}
    return {"propose": empty | fields}
