"""What the hub has at a time: label values, metric names, and the metrics of apps that no board shows.

Discovery is a fixed number of requests, independent of the number of metrics.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ask import promql
from ask.catalogue import Catalogue
from ask.client import Away, Hub
from ask.promql import Matcher

LABELS = (
    "host", "container", "job", "database", "datname", "mountpoint", "hypertable", "table", "slot", "view",
    "compose_project",
)  # fmt: skip
LOG_LABELS = ("host", "container", "job", "compose_project")
LOOK_BACK = 3600.0
PROMETHEUS, LOKI = "prometheus", "loki"
MAX_VALUES, MAX_SERIES = 5000, 20000
CUT = f"The apps have more than {MAX_SERIES} series. Metrics that only the others have are not known."
_INTERNAL = re.compile(r"^(scrape_|up$|go_|process_|python_|promhttp_|ALERTS)|(_created|_info)$|:")


@dataclass(frozen=True)
class AppMetric:
    """A metric of an app: its labels with their values, and its type by the name's suffix."""

    name: str
    kind: str
    labels: dict[str, frozenset[str]]


@dataclass(frozen=True)
class World:
    """Everything that answers may name. `away`: why a store did not answer, `prometheus` or `loki`; `cut`: whether the
    apps have more series than are read."""

    labels: dict[str, frozenset[str]] = field(default_factory=dict)
    logs: dict[str, frozenset[str]] = field(default_factory=dict)
    metrics: frozenset[str] = frozenset()
    apps: dict[str, AppMetric] = field(default_factory=dict)
    away: dict[str, str] = field(default_factory=dict)
    cut: bool = False

    @property
    def missing(self) -> tuple[str, ...]:
        """A sentence for each part that is not known."""
        return (*self.away.values(), *((CUT,) if self.cut else ()))

    def values(self, label: str) -> frozenset[str]:
        """The values of a label in metrics and logs."""
        return self.labels.get(label, frozenset()) | self.logs.get(label, frozenset())


def discover(hub: Hub, catalogue: Catalogue, at: float) -> World:
    """Ask the hub. A store that is down leaves its part empty and is named in `away`."""
    start = at - LOOK_BACK
    away: dict[str, str] = {}
    cut = False
    labels: dict[str, frozenset[str]] = {}
    logs: dict[str, frozenset[str]] = {}
    metrics: frozenset[str] = frozenset()
    apps: dict[str, AppMetric] = {}
    try:
        labels = {one: frozenset(filter(None, hub.values(one, start, at, MAX_VALUES))) for one in LABELS}
        metrics = frozenset(hub.values("__name__", start, at, MAX_SERIES))
        others = Matcher("job", "!~", promql.alternatives(catalogue.jobs))
        series = hub.series([f'{{job!="",{others}}}'], start, at, MAX_SERIES + 1)
        apps = app_metrics(series[:MAX_SERIES], catalogue.metrics)
        cut = len(series) > MAX_SERIES
    except Away as problem:
        away[PROMETHEUS] = str(problem)
    try:
        logs = {one: frozenset(filter(None, hub.log_values(one, start - 82800, at))) for one in LOG_LABELS}
    except Away as problem:
        away[LOKI] = str(problem)
    return World(labels, logs, metrics, apps, away, cut)


def app_metrics(series: list[dict[str, str]], shown: frozenset[str]) -> dict[str, AppMetric]:
    """The metrics of these series that no board shows, with parts of histograms as one."""
    found: dict[str, dict[str, set[str]]] = {}
    names = {one["__name__"] for one in series}
    for one in series:
        name = one["__name__"]
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        if f"{base}_bucket" in names:
            name = f"{base}_bucket"
        if name in shown or _INTERNAL.search(name):
            continue
        labels = found.setdefault(name, {})
        for label, value in one.items():
            if label != "__name__":
                labels.setdefault(label, set()).add(value)
    return {
        name: AppMetric(name, kind_of(name), {label: frozenset(values) for label, values in labels.items()})
        for name, labels in found.items()
    }


def kind_of(name: str) -> str:
    """The type of a metric by its suffix: an inference, which the answer states."""
    if name.endswith("_bucket"):
        return "histogram"
    if name.endswith(("_total", "_count", "_sum")):
        return "counter"
    return "timestamp" if name.endswith(("_timestamp_seconds", "_timestamp")) else "gauge"
