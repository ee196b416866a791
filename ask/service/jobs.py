"""Long questions in the background: submitted, polled, cancelled. The queue is in the Store, any replica takes from it.

A job is in the list of running ones with a lease. One whose replica died is queued again when its lease ends.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from ask.reading import Context
from ask.service import problems, secrets
from ask.service.accounts import Caller
from ask.service.answering import Answering, Asked
from ask.service.metrics import Metrics
from ask.service.problems import Problem
from ask.service.store import Store

LOG = logging.getLogger("ask.jobs")
QUEUE, RUNNING = "jobs:queued", "jobs:running"
KEPT = 3600  # seconds that a job and its answer are kept
LEASE = 420  # longer than an answer can take: two turns with their requests, and a slow language model between
PATIENCE = 60.0  # seconds that a job waits for its turn
MOST, TRIES = 100, 2
OVER = {"done", "failed", "cancelled"}


@dataclass(frozen=True)
class Jobs:
    """`run` is the work of one thread of a replica."""

    store: Store
    answering: Answering
    metrics: Metrics
    lease: int = LEASE

    def submit(self, caller: Caller, asked: Asked) -> dict[str, Any]:
        """Queue a question. Raises Problem 503 if too many wait."""
        if self.store.length(QUEUE) >= MOST:
            raise Problem(503, "queue_full", f"{MOST} jobs are waiting. Try again later.", {"Retry-After": "60"})
        name = secrets.new_token()
        who = {"user": str(caller.user), "name": caller.name, "role": caller.role, "key": str(caller.key or "")}
        job = {"id": name, "state": "queued", "caller": who, "asked": asdict(asked), "at": time.time(), "tries": 0}
        self.store.put(f"job:{name}", job, KEPT)
        self.store.push(QUEUE, name)
        return _shown(job)

    def get(self, caller: Caller, name: str) -> dict[str, Any]:
        """A job of the caller. Raises Problem 404."""
        return _shown(self._own(caller, name))

    def cancel(self, caller: Caller, name: str) -> dict[str, Any]:
        """A queued job does not start; the answer of a running one is dropped."""
        job = self._own(caller, name)
        if job["state"] not in OVER:
            self.store.remove(QUEUE, name)
            self._end(job, "cancelled", {})
        return _shown(job)

    def _own(self, caller: Caller, name: str) -> dict[str, Any]:
        job = self.store.get(f"job:{name}") if len(name) < 100 else None
        if job is None or job["caller"]["user"] != str(caller.user):
            raise problems.not_found("There is no such job, or it ended more than an hour ago.")
        return job

    def _end(self, job: dict[str, Any], state: str, found: Mapping[str, Any]) -> None:
        job |= {"state": state, **found}
        self.store.put(f"job:{job['id']}", job, KEPT)
        self.metrics.jobs.labels(state).inc()

    def run(self, stop: threading.Event) -> None:
        """Take jobs until stopped. The last one is finished."""
        looked = 0.0
        while not stop.is_set():
            try:
                if time.monotonic() - looked > self.lease / 6:
                    self.reclaim()
                    looked = time.monotonic()
                name = self.store.take(QUEUE, RUNNING, 1)
                if name is not None:
                    self._work(name)
            except Problem as problem:
                LOG.warning("jobs: %s", problem)
                stop.wait(2.0)
            except Exception:
                LOG.exception("a job failed")

    def _work(self, name: str) -> None:
        self.store.put(f"lease:{name}", {"at": time.time()}, self.lease)
        try:
            job = self.store.get(f"job:{name}")
            if job is None or job["state"] in OVER:
                return
            job |= {"state": "running", "tries": job["tries"] + 1}
            self.store.put(f"job:{name}", job, KEPT)
            state, found = self._answered(job)
            now = self.store.get(f"job:{name}")
            if now is not None and now["state"] not in OVER:
                self._end(job, state, found)
        finally:
            self.store.remove(RUNNING, name)
            self.store.delete(f"lease:{name}")

    def _answered(self, job: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        who, asked = job["caller"], job["asked"]
        key = UUID(who["key"]) if who["key"] else None
        caller = Caller(UUID(who["user"]), who["name"], who["role"], key=key)
        question = Asked(asked["question"], _context(asked["context"]), asked["address"])
        try:
            return "done", {"answer": self.answering.accepted(caller, question, PATIENCE)}
        except Problem as problem:
            return "failed", {"problem": problem.document() | {"status": problem.status}}
        except Exception:
            LOG.exception("a job failed")
            return "failed", {"problem": {"error": "internal", "message": "An internal error.", "status": 500}}

    def reclaim(self) -> None:
        """Queue the jobs of replicas that died; what died twice has failed."""
        for name in self.store.listed(RUNNING):
            if self.store.get(f"lease:{name}") is not None:
                continue
            job = self.store.get(f"job:{name}")
            if not self.store.remove(RUNNING, name) or job is None or job["state"] in OVER:
                continue  # another replica was faster, or it is over
            if job["tries"] >= TRIES:
                problem = {"error": "died", "message": "The job died twice.", "status": 500}
                self._end(job, "failed", {"problem": problem})
            else:
                self.store.put(f"job:{name}", job | {"state": "queued"}, KEPT)
                self.store.push(QUEUE, name)


def _context(found: dict[str, Any]) -> Context:
    return Context(found["question"], found["host"], tuple(found["earlier"]))


def _shown(job: dict[str, Any]) -> dict[str, Any]:
    """What its user sees."""
    found = {name: job[name] for name in ("id", "state", "at", "answer", "problem") if name in job}
    return found | {"question": job["asked"]["question"]}
