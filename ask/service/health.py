"""Which component answers, and in what time. All are checked at once, each within a few seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ask.client import Away
from ask.service import database
from ask.service.problems import Problem

if TYPE_CHECKING:
    from ask.service.service import Service

NEEDED = ("database", "valkey")  # without these nothing is answered
PATIENCE = 3.0  # seconds for a store of metrics or logs
AT_ONCE = 4  # checks for clients, which need no account


@dataclass
class Checks:
    """Few at once, so that clients of the health page leave threads for questions while a component hangs."""

    _turns: threading.Semaphore = field(default_factory=lambda: threading.BoundedSemaphore(AT_ONCE))
    _newest: dict[str, Any] = field(default_factory=dict)

    def current(self, service: Service) -> dict[str, Any]:
        """Checked now, or the newest result while others check."""
        if not self._turns.acquire(blocking=not self._newest):
            return self._newest
        try:
            self._newest = check(service)
        finally:
            self._turns.release()
        return self._newest


def check(service: Service) -> dict[str, Any]:
    """`healthy`, `degraded` (questions about one store fail) or `unhealthy`."""
    hub = service.hub
    alive = [("query", "vector(1)")]
    checks: dict[str, Callable[[], object]] = {
        "database": lambda: _database(service.pool),
        **({"valkey": service.store.ping} if service.settings.valkey is not None else {}),
        "prometheus": lambda: hub.get(hub.prometheus, "/api/v1/query", alive, PATIENCE),
        "loki": lambda: hub.get(hub.loki, "/loki/api/v1/query", alive, PATIENCE),
    }
    with ThreadPoolExecutor(len(checks)) as threads:
        found: dict[str, Any] = dict(zip(checks, threads.map(_one, checks.values()), strict=True))
    for name, one in found.items():
        service.metrics.up.labels(name).set(one["status"] == "healthy")
    down = [name for name, one in found.items() if one["status"] != "healthy"]
    state = "unhealthy" if set(down) & set(NEEDED) else "degraded" if down else "healthy"
    more = {"llm": _model(service), "embeddings": _embeddings(service)}
    return {
        "status": state,
        "components": found | more,
        "discovered_at": service.knowledge.at or None,
        "missing": list(service.knowledge.world.missing),
    }


def _model(service: Service) -> dict[str, Any]:
    """By the last questions: a request to see whether it answers would cost tokens. Without it questions are answered
    too, so it does not change the state of the whole."""
    advisor = service.answering.advisor
    if advisor is None:
        return {"status": "none"}
    if advisor.client.paused:
        return {"status": "unhealthy", "message": "The last requests failed. Answers are without the model."}
    return {"status": "healthy", "provider": advisor.client.endpoint.provider, "model": advisor.client.endpoint.name}


def _embeddings(service: Service) -> dict[str, Any]:
    """By the last requests. Without vectors questions are ranked by their terms, so this does not change the state."""
    vectors = service.vectors
    if vectors is None:
        return {"status": "none"}
    embedder = vectors.embedder
    found: dict[str, Any] = {"provider": embedder.endpoint.provider, "model": embedder.endpoint.name}
    found |= {"texts": vectors.wanted, "stored": vectors.stored}
    if embedder.paused:
        return found | {"status": "unhealthy", "message": "The last requests failed. Questions are ranked by terms."}
    if vectors.problem:
        return found | {"status": "unhealthy", "message": vectors.problem}
    return found | {"status": "healthy" if vectors.complete else "starting"}


def watch(service: Service, stop: threading.Event, every: float = 15.0) -> None:
    """Check at intervals until `stop`: the metrics of components are current without a request for the health page."""
    while not stop.is_set():
        check(service)
        stop.wait(every)


def _database(pool: sa.Engine) -> None:
    with database.transaction(pool) as connection:
        connection.execute(sa.text("SELECT 1"))


def _one(run: Callable[[], object]) -> dict[str, Any]:
    began = time.monotonic()
    try:
        run()
    except (Problem, Away) as problem:
        return {"status": "unhealthy", "message": str(problem)}
    return {"status": "healthy", "milliseconds": round((time.monotonic() - began) * 1000, 1)}
