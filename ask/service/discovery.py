"""What the fleet has, discovered at start, at intervals and on demand: by one replica, for all, in bounded requests."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from ask import catalogue as catalogues
from ask.client import Hub
from ask.engine import Engine
from ask.safety import Limits
from ask.service import inventory, problems, secrets, worlds
from ask.service.metrics import Metrics
from ask.service.store import Store
from ask.world import World, discover

LOG = logging.getLogger("ask.discovery")
_WORLD, _LOCK = "world", "discovery-lock"
SOON = 15.0  # seconds after which a discovery that missed a store is repeated
PATIENCE = 60.0  # seconds for all requests of a discovery
EARLY, YOUNG = 30.0, 600.0  # after a start: how often it is repeated while the fleet still appears, and for how long
LONGEST = 120  # seconds that one discovery may take before another replica may begin


def grown(before: World, after: World) -> bool:
    """Whether something is known that was not."""
    pairs = [(before.labels, after.labels), (before.logs, after.logs)]
    known = [new.get(name, frozenset()) - old.get(name, frozenset()) for old, new in pairs for name in new]
    return bool(after.metrics - before.metrics or any(known))


@dataclass
class Knowledge:
    """The engine over the catalogue's file, and the newest world."""

    path: Path
    hub: Hub
    store: Store
    pool: sa.Engine
    metrics: Metrics
    seconds: int
    limits: Limits = field(default_factory=Limits)
    world: World = field(default_factory=World)
    at: float = 0.0  # when the world was discovered
    _engine: Engine | None = None
    _stamp: tuple[int, int] = (0, 0)
    _digest: str = ""  # of the file
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _began: float = field(default_factory=time.monotonic)
    _growing: bool = True  # the last discovery found something new

    @property
    def engine(self) -> Engine:
        """Over the file as it is now. A file that cannot be used leaves the engine as it was."""
        try:
            found = self.path.stat()
            stamp = (found.st_mtime_ns, found.st_size)
            if stamp != self._stamp:
                with self._lock:
                    text = self.path.read_text(encoding="utf-8")
                    self._engine, self._stamp = Engine(catalogues.load(text), self.limits), stamp
                    self._digest = secrets.digest(text)[:16]
        except (OSError, catalogues.CatalogueError) as problem:
            if self._engine is None:
                raise
            LOG.warning("the catalogue stays as it was: %s", problem)
        assert self._engine is not None
        return self._engine

    @property
    def version(self) -> str:
        """Changes with the catalogue: answers of another one are not reused, those of another replica are."""
        return self._digest

    @property
    def _interval(self) -> float:
        """Shorter while a fleet that is new appears: hosts send their first data after the hub has started."""
        young = time.monotonic() - self._began < YOUNG
        return min(EARLY, self.seconds) if young and self._growing else self.seconds

    def refresh(self, force: bool = False) -> bool:
        """Discover, or take what another replica discovered since. True if this replica discovered."""
        shared = self.store.get(_WORLD)
        if shared is not None and shared["at"] > self.at:
            self.world, self.at = worlds.world(shared), float(shared["at"])
        if not force and 0 <= time.time() - self.at < self._interval:  # below 0: the clock was set back
            return False
        if not self.store.put(_LOCK, {"at": time.time()}, LONGEST, only_new=True):
            return False
        try:
            self._discover()
        finally:
            self.store.delete(_LOCK)
        return True

    def _discover(self) -> None:
        began = time.monotonic()
        now = time.time()
        with self.hub.within(PATIENCE):
            found = discover(self.hub, self.engine.catalogue, now)
            pairs = inventory.pairs(self.hub, found, now)
        before, self.world, self.at = self.world, worlds.completed(found, self.world), now
        self._growing = grown(before, self.world)
        if found.away:
            self.at = now - self.seconds + SOON
        self.store.put(_WORLD, worlds.document(self.world) | {"at": self.at}, max(3600, 3 * self.seconds))
        inventory.update(self.pool, self.world, pairs)
        self.metrics.discovery.observe(time.monotonic() - began)
        for problem in found.missing:
            LOG.warning("discovery: %s", problem)

    def run(self, stop: threading.Event) -> None:
        """Keep the world fresh until stopped. A store that is down is tried again soon."""
        while not stop.is_set():
            wait = min(30.0, self._interval)
            try:
                self.refresh()
            except problems.Problem as problem:
                LOG.warning("discovery: %s", problem)
                wait = 5.0
            except Exception:
                LOG.exception("discovery failed")
            stop.wait(min(wait, SOON) if self.world.away else wait)
