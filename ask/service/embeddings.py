"""The catalogue's vectors in PostgreSQL: made in the background, once for each text and model, by one replica for all.

A PostgreSQL without pgvector, or a provider that does not answer, costs the vectors and nothing else.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from ask.model.embedder import Embedder
from ask.model.embedding import Endpoint, Vector
from ask.model.matching import Matcher, Texts
from ask.model.sending import Unavailable
from ask.ranking import Index
from ask.service import config, database, migrate
from ask.service.discovery import Knowledge
from ask.service.metrics import Metrics
from ask.service.problems import Problem
from ask.service.store import Store

LOG = logging.getLogger("ask.embeddings")
BATCH = 32  # texts of one request
EVERY, SOON, RETRY = 30.0, 2.0, 15.0  # seconds: between two looks, while another replica works, after a failure
LOCK, LEASE = "embeddings-lock", 120
REASONS = (
    "unreachable", "timeout", "credentials", "limited", "server", "request", "invalid", "paused", "database",
    "incomplete",
)  # fmt: skip
_OWN = "model = :model AND dimensions = :dimensions"
_KNOWN = f"SELECT digest FROM catalogue_vectors WHERE {_OWN}"
_ADD = """
INSERT INTO catalogue_vectors (model, dimensions, digest, embedding)
VALUES (:model, :dimensions, :digest, CAST(:vector AS vector)) ON CONFLICT DO NOTHING
"""
_SEEN = f"UPDATE catalogue_vectors SET seen_at = now() WHERE {_OWN} AND digest = ANY(:digests)"
_FORGET = "DELETE FROM catalogue_vectors WHERE seen_at < now() - interval '30 days'"
_SIMILAR = f"SELECT digest, 1 - (embedding <=> CAST(:vector AS vector)) FROM catalogue_vectors WHERE {_OWN}"


@dataclass(frozen=True)
class Observed:
    """What the embedder reports, as metrics of one provider. Every series exists from the start."""

    metrics: Metrics
    provider: str

    def __post_init__(self) -> None:
        self.metrics.embedding_requests.labels(self.provider)
        self.metrics.embedding_time.labels(self.provider)
        for reason in REASONS:
            self.metrics.embedding_errors.labels(self.provider, reason)
        self.texts(0, 0)

    def request(self, seconds: float) -> None:
        """A request ended."""
        self.metrics.embedding_requests.labels(self.provider).inc()
        self.metrics.embedding_time.labels(self.provider).observe(seconds)

    def error(self, reason: str) -> None:
        """A request failed, or was not sent."""
        self.metrics.embedding_errors.labels(self.provider, reason).inc()

    def texts(self, stored: int, missing: int) -> None:
        """How far the catalogue is."""
        self.metrics.embedding_texts.labels(self.provider, "stored").set(stored)
        self.metrics.embedding_texts.labels(self.provider, "missing").set(missing)


@dataclass
class Vectors:
    """Those of one model. `problem` is why the last attempt to complete them failed."""

    pool: sa.Engine
    store: Store
    knowledge: Knowledge
    embedder: Embedder
    observed: Observed
    problem: str = ""
    wanted: int = 0
    stored: int = 0
    _migrated: bool = False
    _texts: tuple[Index, Texts] | None = None

    @property
    def _own(self) -> dict[str, Any]:
        return {"model": self.embedder.endpoint.model, "dimensions": self.embedder.endpoint.dimensions}

    @property
    def complete(self) -> bool:
        """Whether each text of the catalogue has a vector, as far as this replica knows."""
        return 0 < self.wanted <= self.stored

    def check(self) -> None:
        """Raises Unavailable until the catalogue is complete."""
        if not self.complete:
            self.observed.error("incomplete")
            raise Unavailable("incomplete", f"The catalogue has {self.stored} of {self.wanted} embeddings")

    def similarities(self, vector: Vector) -> dict[str, float]:
        """The cosine to each text. Raises Unavailable."""
        try:
            with database.transaction(self.pool) as connection:
                rows = connection.execute(sa.text(_SIMILAR), self._own | {"vector": _written(vector)})
                return {str(digest): float(cosine) for digest, cosine in rows}
        except (Problem, DBAPIError):
            self.observed.error("database")
            raise Unavailable("database", "The database with the embeddings does not answer") from None

    def run(self, stop: threading.Event) -> None:
        """Keep the vectors complete until stopped."""
        wait = 0.0
        while not stop.wait(wait):
            wait = EVERY
            try:
                if not self.refresh(stop):
                    wait = SOON
                self.problem = ""
            except (Unavailable, Problem) as problem:
                self.problem, wait = str(problem), RETRY
                LOG.warning("embeddings: %s", problem)
            except DBAPIError as problem:
                self.problem, wait = _of_database(problem), RETRY
                LOG.warning("embeddings: %s", self.problem)
            except Exception:
                self.problem, wait = "an internal error", RETRY
                LOG.exception("embeddings")

    def refresh(self, stop: threading.Event) -> bool:
        """Make what is missing; false while another replica does. Raises Unavailable, Problem and DBAPIError."""
        if not self._migrated:
            migrate.upgrade(self.pool, migrate.VECTORS)
            self._migrated = True
        texts = self._catalogue().texts
        missing = self._missing(texts)
        if not missing:
            return True
        if not self.store.put(LOCK, {}, LEASE, only_new=True):
            return False
        try:
            self._make(texts, missing, stop)
        finally:
            self.store.delete(LOCK)
        return not self._missing(texts)

    def _catalogue(self) -> Texts:
        index = self.knowledge.engine.index
        if self._texts is None or self._texts[0] is not index:
            self._texts = index, Texts.of(self.knowledge.engine)
        return self._texts[1]

    def _missing(self, texts: Mapping[str, str]) -> list[str]:
        with database.transaction(self.pool) as connection:
            known = {str(row[0]) for row in connection.execute(sa.text(_KNOWN), self._own)}
        missing = sorted(texts.keys() - known)
        self.wanted, self.stored = len(texts), len(texts) - len(missing)
        self.observed.texts(self.stored, len(missing))
        return missing

    def _make(self, texts: Mapping[str, str], missing: list[str], stop: threading.Event) -> None:
        """In batches, each stored at once: a restart continues where this one ended."""
        for first in range(0, len(missing), BATCH):
            if stop.is_set():
                return
            keys = missing[first : first + BATCH]
            vectors = self.embedder.batch([texts[key] for key in keys])
            rows = [
                self._own | {"digest": key, "vector": _written(one)} for key, one in zip(keys, vectors, strict=True)
            ]
            with database.transaction(self.pool) as connection:
                connection.execute(sa.text(_ADD), rows)
            self.store.put(LOCK, {}, LEASE)
            self.stored += len(rows)
            self.observed.texts(self.stored, self.wanted - self.stored)
        with database.transaction(self.pool) as connection:
            connection.execute(sa.text(_SEEN), self._own | {"digests": list(texts)})
            connection.execute(sa.text(_FORGET))


def _written(vector: Vector) -> str:
    """As pgvector reads it."""
    return "[" + ",".join(f"{one:.7g}" for one in vector) + "]"


def _of_database(problem: DBAPIError) -> str:
    text = str(problem.orig).strip().splitlines()[0] if problem.orig is not None else ""
    if '"vector"' in text or "vector.control" in text:
        return f"PostgreSQL cannot make the extension vector (pgvector), install it or remove `embeddings`: {text}"
    return f"the database refuses: {text}"


def build(
    settings: config.Embeddings | None, pool: sa.Engine, store: Store, knowledge: Knowledge, metrics: Metrics
) -> tuple[Matcher, Vectors] | None:
    """None without a provider. Raises ConfigError for a key that cannot be read."""
    if settings is None:
        return None
    key = config.secret(settings.key_file) if settings.key_file is not None else ""
    endpoint = Endpoint(settings.provider, settings.name, settings.dimensions, settings.base_url, key)
    observed = Observed(metrics, settings.provider)
    embedder = Embedder(endpoint, observed, settings.timeout)
    vectors = Vectors(pool, store, knowledge, embedder, observed)
    return Matcher(embedder, vectors, settings.share_label_values), vectors
