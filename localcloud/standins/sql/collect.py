"""One scrape: each target runs in a separate thread, its queries one after the other, with cached results."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from .config import Collector, Config, Metric
from .database import Database, DatabaseProblem

UP = Metric("up", "gauge", "1 if the target is reachable, or 0 if the scrape failed", (), None, None)
TOOK = Metric("scrape_duration_seconds", "gauge", "How long it took to scrape the target in seconds", (), None, None)
ERRORS = Metric(
    "scrape_errors_total",
    "counter",
    "Total number of scrape errors per job, target, collector and query",
    (),
    None,
    None,
)
Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Sample:
    """One value of a metric."""

    metric: Metric
    labels: Labels
    value: float


class Target:
    """One database with its caches. Concurrent scrapes wait for each other."""

    def __init__(self, job: str, name: str, label: str, database: Database, collectors: tuple[Collector, ...]) -> None:
        self.job, self.name, self._database, self._collectors = job, name, database, collectors
        self._constant: Labels = (("job", job), (label, name))
        self._cache: dict[str, tuple[float, list[Sample], list[tuple[str, str]]]] = {}
        self._lock = threading.Lock()

    def collect(self, deadline: float, failed: Callable[[Target, str, str, str], None]) -> list[Sample]:
        """All current samples. Calls `failed` (target, collector, query, reason) for each query that failed."""
        began, found = time.monotonic(), []
        with self._lock:
            try:
                self._database.ping()
                up = 1.0
            except DatabaseProblem as problem:
                failed(self, "", "", str(problem))
                up = 0.0
            for collector in self._collectors if up else ():
                found += self._cached(collector, deadline, failed)
        took = time.monotonic() - began
        return [*found, Sample(UP, self._constant, up), Sample(TOOK, self._constant, took)]

    def _cached(
        self, collector: Collector, deadline: float, failed: Callable[[Target, str, str, str], None]
    ) -> list[Sample]:
        now = time.monotonic()
        at, samples, problems = self._cache.get(collector.name, (0.0, [], []))
        if (samples or problems) and collector.min_interval and now - at <= collector.min_interval:
            for name, why in problems:  # the real exporter caches these too, and counts them at every scrape
                failed(self, collector.name, name, why)
            return samples
        samples, problems = [], []
        for name, (query, metrics) in collector.queries.items():
            try:
                if time.monotonic() >= deadline:
                    raise DatabaseProblem("the scrape's time is over")
                samples += self._query(query, metrics)
            except DatabaseProblem as problem:
                problems.append((name, str(problem)))
                failed(self, collector.name, name, str(problem))
        self._cache[collector.name] = (now, samples, problems)
        return samples

    def _query(self, query: str, metrics: tuple[Metric, ...]) -> Iterator[Sample]:
        columns, rows = self._database.rows(query)
        if missing := {c for m in metrics for c in (*m.labels, m.value) if c is not None} - set(columns):
            raise DatabaseProblem(f"the query gives no column {', '.join(sorted(missing))}")
        for row in rows:
            by_name = dict(zip(columns, row, strict=True))
            for metric in metrics:
                value = metric.static if metric.value is None else by_name[metric.value]
                if value is not None:  # NULL as a value gives no sample, as a label an empty one
                    own = tuple((c, "" if by_name[c] is None else str(by_name[c])) for c in metric.labels)
                    yield Sample(metric, (*own, *self._constant), float(value))


class Log(Protocol):
    """Writes one line of the log."""

    def __call__(self, level: str, msg: str, **fields: str | int | float | bool) -> None: ...


class Exporter:
    """All targets of a configuration, and the errors counted since the start."""

    def __init__(self, config: Config, label: str, log: Log, make: type[Database] = Database) -> None:
        self._config, self._log = config, log
        self._targets = [Target(job, name, label, make(dsn), config.collectors) for job, name, dsn in config.jobs]
        self._errors: Counter[Labels] = Counter()

    def scrape(self, wanted: float | None) -> list[Sample]:
        """Every sample. `wanted` is the scrape timeout in seconds that Prometheus sends."""
        limit = self._config.timeout
        if wanted is not None:
            limit = min(limit, max(wanted - self._config.timeout_offset, 0.1))
        deadline, found = time.monotonic() + limit, list[list[Sample]]()
        threads = [threading.Thread(target=self._one, args=(t, deadline, found), daemon=True) for t in self._targets]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(deadline - time.monotonic(), 0))
        late = sum(thread.is_alive() for thread in threads)
        if late:
            self._log("ERROR", "Timeout while collecting metrics", targets=late)
        errors = [Sample(ERRORS, labels, count) for labels, count in sorted(self._errors.items())]
        return [*(sample for samples in list(found) for sample in samples), *errors]

    def _one(self, target: Target, deadline: float, found: list[list[Sample]]) -> None:
        found.append(target.collect(deadline, self._failed))

    def _failed(self, target: Target, collector: str, query: str, why: str) -> None:
        labels = (("collector", collector), ("job", target.job), ("query", query), ("target", target.name))
        self._errors[labels] += 1
        self._log("ERROR", "Error gathering metrics", target=target.name, collector=collector, query=query, error=why)


def exposition(samples: list[Sample]) -> str:
    """Prometheus' text format, with the samples grouped by metric; of duplicate label sets only the first."""
    by_metric: dict[str, list[Sample]] = {}
    for sample in samples:
        by_metric.setdefault(sample.metric.name, []).append(sample)
    lines = []
    for name, group in sorted(by_metric.items()):
        lines += [f"# HELP {name} {group[0].metric.help}", f"# TYPE {name} {group[0].metric.kind}"]
        reported = set[Labels]()
        for sample in group:
            labels = tuple(sorted(sample.labels))
            if labels not in reported:
                reported.add(labels)
                lines.append(f"{name}{{{','.join(f'{k}={_quoted(v)}' for k, v in labels)}}} {_number(sample.value)}")
    return "\n".join([*lines, ""])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return f'"{escaped}"'


def _number(value: float) -> str:
    return {float("inf"): "+Inf", float("-inf"): "-Inf"}.get(value, repr(value).replace("nan", "NaN"))
