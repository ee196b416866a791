"""Containers that have not run long enough for a rate to be calculated from their samples."""

from __future__ import annotations

import json

from configs.dashboards.model import PROMETHEUS
from tools.doctor.querier import Querier
from tools.doctor.variables import RANGE, Case

SHORT = 60  # seconds: a rate needs two scrapes
REASON = f"the container ran for less than {SHORT} s"


def short_lived(querier: Querier, case: Case) -> bool:
    """Whether the case names a container of a host that ran for less than SHORT, up to now or to its end."""
    if "host" not in case or "container" not in case:
        return False
    return bool(querier.labels(PROMETHEUS, "instant", query(case["host"], case["container"])))


def query(host: str, container: str) -> str:
    """PromQL with a result for such a container alone."""
    selector = f'{{job="cadvisor",host={json.dumps(host)},container={json.dumps(container)}}}'
    seen, started = (
        f"max(max_over_time({name}{selector}[{RANGE}s]))"
        for name in ("container_last_seen", "container_start_time_seconds")
    )
    return f"{seen} - {started} < {SHORT}"
