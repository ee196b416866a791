"""The history of questions, written in the background, and the audit, written before a question is executed."""

from __future__ import annotations

import contextlib
import json
import logging
import queue
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from ask.service import database, inventory, problems
from ask.service.accounts import Caller
from ask.service.metrics import Metrics
from ask.service.tables import audit, query_history

LOG = logging.getLogger("ask.history")
WAITING = 1000  # answers that may wait for the database
_RETENTION_EVERY = 3600.0


@dataclass
class History:
    """`run` writes what `add` was given, and deletes what is older than the retention."""

    pool: sa.Engine
    metrics: Metrics
    days: int
    _waiting: queue.Queue[dict[str, Any]] = field(default_factory=lambda: queue.Queue(WAITING))

    def audit(self, caller: Caller, action: str, detail: str, address: str = "") -> None:
        """Record an action before it happens. Raises Problem 503: what cannot be recorded is not done."""
        values: dict[str, Any] = {"user_id": caller.user, "name": caller.name, "api_key_id": caller.key}
        values |= {"address": address, "action": action, "detail": detail}
        with database.transaction(self.pool) as connection:
            connection.execute(audit.insert().values(values))
        line = {"audit": action, "user": caller.name, "key": str(caller.key or ""), "address": address}
        print(json.dumps(line), file=sys.stdout, flush=True)

    def add(self, row: dict[str, Any]) -> None:
        """Write a row soon."""
        try:
            self._waiting.put_nowait(row)
        except queue.Full:
            self.metrics.unwritten.inc()

    def run(self, stop: threading.Event) -> None:
        """Write until stopped and empty; the database may be down meanwhile."""
        row: dict[str, Any] | None = None
        cleaned = 0.0
        while not (stop.is_set() and row is None and self._waiting.empty()):
            if row is None:
                with contextlib.suppress(queue.Empty):
                    row = self._waiting.get(timeout=0.5)
            try:
                if row is not None:
                    self._write(row)
                    row = None
                if time.monotonic() - cleaned > _RETENTION_EVERY or not cleaned:
                    self.clean()
                    cleaned = time.monotonic()
            except problems.Problem as problem:
                if problem.status != 503:  # it would fail again
                    LOG.warning("an answer is not in the history: %s", problem)
                    self.metrics.unwritten.inc()
                    row = None
                elif stop.wait(2.0) and row is not None:
                    LOG.error("the database is down at the end: answers are missing in the history")
                    self.metrics.unwritten.inc()
                    return
            except sa.exc.SQLAlchemyError as problem:  # such as a user that was deleted meanwhile
                LOG.warning("an answer is not in the history: %s", type(problem).__name__)
                self.metrics.unwritten.inc()
                row = None

    def _write(self, row: dict[str, Any]) -> None:
        with database.transaction(self.pool) as connection:
            connection.execute(query_history.insert().values(row))

    def clean(self) -> None:
        """Delete what is older than the retention, and what was not discovered for long."""
        limit = sa.func.now() - sa.func.make_interval(0, 0, 0, self.days)
        with database.transaction(self.pool, database.LONG) as connection:
            connection.execute(query_history.delete().where(query_history.c.asked_at < limit))
            connection.execute(audit.delete().where(audit.c.at < limit))
            inventory.forget(connection)

    def of(self, user: UUID, limit: int, before: int | None) -> list[dict[str, Any]]:
        """The newest entries of a user; `before` an entry's id for the next page."""
        query = sa.select(query_history).where(query_history.c.user_id == user)
        if before is not None:
            query = query.where(query_history.c.id < before)
        query = query.order_by(query_history.c.id.desc()).limit(limit)
        with database.transaction(self.pool) as connection:
            return [dict(one) for one in connection.execute(query).mappings()]

    def forget(self, caller: Caller, address: str) -> int:
        """Delete the history of the caller, which is audited; the number of entries."""
        self.audit(caller, "history deleted", "", address)
        with database.transaction(self.pool) as connection:
            done = connection.execute(query_history.delete().where(query_history.c.user_id == caller.user))
            return int(done.rowcount)
