"""How many questions are executed at once by all replicas together: places in the Store, each with an end.

A place is renewed while its question runs. A replica that was killed renews nothing, so its places are free again
within the lease. Without the Store nothing is executed.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from ask.service import secrets
from ask.service.problems import Problem
from ask.service.store import Store

LOG = logging.getLogger("ask.turns")
GROUP = "turns"
LEASE = 15  # seconds
PAUSE = 0.05  # seconds between two looks for a free place
MOST_WAITING = 16  # of one replica: each waiting question holds one of the threads that answer requests


def busy() -> Problem:
    """Others are being answered."""
    return Problem(503, "busy", "Other questions are being answered. Try again in a few seconds.", {"Retry-After": "5"})


@dataclass
class Turns:
    """At most `places` at once; a question waits at most `patience` seconds for its turn."""

    store: Store
    places: int
    patience: float
    lease: int = LEASE
    _held: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._local = threading.BoundedSemaphore(self.places)  # those that look into the Store are few
        self._waiting = threading.BoundedSemaphore(self.places + MOST_WAITING)

    @contextlib.contextmanager
    def turn(self, patience: float | None = None) -> Iterator[None]:
        """Wait for a place and keep it. Raises Problem 503 if none gets free in time."""
        deadline = time.monotonic() + (self.patience if patience is None else patience)
        if not self._waiting.acquire(blocking=False):
            raise busy()
        try:
            if not self._local.acquire(timeout=max(0.0, deadline - time.monotonic())):
                raise busy()
            try:
                with self._place(deadline):
                    yield
            finally:
                self._local.release()
        finally:
            self._waiting.release()

    @contextlib.contextmanager
    def _place(self, deadline: float) -> Iterator[None]:
        member = secrets.new_token()
        while not self.store.enter(GROUP, member, self.places, self.lease):
            if time.monotonic() >= deadline:
                raise busy()
            time.sleep(PAUSE)
        with self._lock:
            self._held.add(member)
        try:
            yield
        finally:
            with self._lock:
                self._held.discard(member)
            with contextlib.suppress(Problem):  # it ends by itself
                self.store.leave(GROUP, member)

    def renew(self) -> None:
        """Keep the places of the questions that still run."""
        with self._lock:
            held = sorted(self._held)
        if held:
            self.store.renew(GROUP, held, self.lease)

    def run(self, stop: threading.Event) -> None:
        """Renew until stopped."""
        while not stop.wait(self.lease / 4):
            try:
                self.renew()
            except Problem as problem:
                LOG.warning("turns: %s", problem)
