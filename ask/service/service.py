"""The parts of one replica, connected, started and stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import sqlalchemy as sa

from ask.client import Hub
from ask.service import config, database, embeddings, health, migrate, models, secrets
from ask.service.accounts import Accounts
from ask.service.answering import Answering
from ask.service.config import Config
from ask.service.database_store import InDatabase
from ask.service.discovery import Knowledge
from ask.service.embeddings import Vectors
from ask.service.history import History
from ask.service.jobs import Jobs
from ask.service.keys import Keys
from ask.service.metrics import Metrics
from ask.service.queries import Queries
from ask.service.store import Store
from ask.service.turns import Turns
from ask.service.valkey_store import InValkey


@dataclass
class Service:
    """Everything that the routes use. `start` begins the work in the background, `stop` ends it and waits."""

    settings: Config
    pool: sa.Engine
    store: Store
    hub: Hub
    metrics: Metrics
    accounts: Accounts
    history: History
    knowledge: Knowledge
    answering: Answering
    queries: Queries
    turns: Turns
    keys: Keys
    jobs: Jobs
    vectors: Vectors | None = None
    checks: health.Checks = field(default_factory=health.Checks)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def prepare(self) -> None:
        """Migrate the schema and create the first administrator."""
        migrate.upgrade(self.pool)
        admin = self.settings.admin
        if self.accounts.first_admin(admin.name, config.secret(admin.password_file, secrets.LEAST)):
            print(f"ask: created the administrator {admin.name}", flush=True)

    def start(self) -> None:
        """Discovery, the checks of health, the writer of the history, the renewal of turns, the workers of jobs, and
        the embeddings of the catalogue."""
        work: list[tuple[str, Callable[[threading.Event], None]]] = [
            ("discovery", self.knowledge.run), ("health", partial(health.watch, self)), ("history", self.history.run),
            ("turns", self.turns.run),
        ]  # fmt: skip
        work += [("jobs", self.jobs.run)] * self.settings.jobs
        work += [("embeddings", self.vectors.run)] if self.vectors is not None else []
        for name, run in work:
            thread = threading.Thread(target=run, args=(self._stop,), name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """End the background work, write what waits, close the connections."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=10)
        self.hub.close()
        if self.answering.advisor is not None:
            self.answering.advisor.client.close()
        if self.vectors is not None:
            self.vectors.embedder.close()
        self.store.close()
        self.pool.dispose()


def build(settings: Config) -> Service:
    """The parts by the settings; nothing is contacted. Raises ConfigError for a secret that cannot be read."""
    metrics = Metrics()
    pool = database.engine(settings.database)
    store: Store = InDatabase(pool) if settings.valkey is None else InValkey(settings.valkey)
    prometheus, loki = settings.prometheus, settings.loki
    hub = Hub(prometheus.url, loki.url, tenant=prometheus.tenant, loki_tenant=loki.tenant)
    signer = secrets.Signer(config.secret(settings.session_key_file, 32))
    history = History(pool, metrics, settings.history_days)
    limits = settings.safety.limits()
    knowledge = Knowledge(settings.catalogue, hub, store, pool, metrics, settings.discovery_seconds, limits)
    turns = Turns(store, settings.concurrency, settings.patience_seconds)
    seconds = settings.question_seconds
    matcher, vectors = embeddings.build(settings.embeddings, pool, store, knowledge, metrics) or (None, None)
    answering = Answering(
        knowledge, store, history, metrics, turns, settings.grafana.url, settings.cache_seconds, seconds,
        models.advisor(settings.model, pool, metrics), matcher,
    )  # fmt: skip
    queries = Queries(knowledge, history, metrics, turns, settings.grafana.url, seconds)
    accounts = Accounts(pool, store, signer, settings.limits)
    keys, jobs = Keys(pool, accounts), Jobs(store, answering, metrics)
    return Service(
        settings,
        pool,
        store,
        hub,
        metrics,
        accounts,
        history,
        knowledge,
        answering,
        queries,
        turns,
        keys,
        jobs,
        vectors,
    )
