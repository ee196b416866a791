"""Queries against a hub, several at a time."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from configs.dashboards.model import LOKI
from tools.doctor.queries import Form
from tools.doctor.variables import RANGE, SCRAPE, STEP
from tools.hubclient import HubClient

PARALLEL = 6  # queries at a time: a hub has few cores, and people use it too
Labels = Mapping[str, str]
T = TypeVar("T")
R = TypeVar("R")


class Querier:
    """Queries one hub, several queries at a time, and counts them. `progress` is called with (done, total)."""

    def __init__(self, hub: HubClient, now: float, progress: Callable[[int, int], None] = lambda *_: None) -> None:
        self.hub, self.now, self.requests = hub, now, 0
        self.left_out: set[tuple[str, ...]] = set()  # variable, host, value: beyond PER_HOST
        self._progress, self._lock = progress, threading.Lock()

    def each(self, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """`work` on every item, in their order."""
        done = 0

        def one(item: T) -> R:
            nonlocal done
            result = work(item)
            with self._lock:
                done += 1
                self._progress(done, len(items))
            return result

        with ThreadPoolExecutor(PARALLEL) as pool:
            try:
                return list(pool.map(one, items))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def labels(self, source: str, form: Form, expr: str, step: int = STEP) -> list[Labels]:
        """The label sets that have data. A series that is nothing but NaN has none."""
        with self._lock:
            self.requests += 1
        got = self._get(source, form, expr, step)["data"]
        if got["resultType"] in ("scalar", "string"):
            return [{}] if _is_data([got["result"]]) else []
        if got["resultType"] == "streams":
            return [one["stream"] for one in got["result"] if one["values"]]
        return [one["metric"] for one in got["result"] if _is_data(one.get("values") or [one["value"]])]

    def has_stream(self, selector: str) -> bool:
        """Whether Loki has a line in such a stream within the range."""
        return bool(self.labels(LOKI, "instant", f"sum(count_over_time({selector} [{RANGE}s]))"))

    def seen(self, expr: str) -> float | None:
        """How many seconds ago PromQL of an instant had data within the last hour."""
        with self._lock:
            self.requests += 1
        found = self.hub.metric_range(expr, self.now - RANGE, self.now, SCRAPE)
        stamps = [float(at) for one in found for at, value in one["values"] if not math.isnan(float(value))]
        return max(0.0, self.now - max(stamps)) if stamps else None

    def _get(self, source: str, form: Form, expr: str, step: int) -> Any:
        loki = source == LOKI
        at = (lambda moment: str(int(moment * 1e9))) if loki else str
        root = "/loki/api/v1/" if loki else "/api/v1/"
        if form == "instant":
            return self.hub.get(f"{root}query", query=expr, time=at(self.now))
        window = {"start": at(self.now - RANGE), "end": at(self.now)}
        more = {"limit": "1"} if form == "lines" else {"step": str(step)}
        return self.hub.get(f"{root}query_range", query=expr, **window, **more)


def _is_data(values: Iterable[Sequence[Any]]) -> bool:
    return any(not math.isnan(float(value)) for _, value in values)
