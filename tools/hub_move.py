"""The hub of a stack, for the time of a move: its Docker Engine, and queries inside of its containers."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import datetime, timezone
from urllib.parse import quote

from configs import metrics_store, names
from configs.images import resolve
from configs.settings import Settings
from tools.errors import ToolError
from tools.hub_docker import HubDocker
from tools.stack import Stack

DAY = 86400
SEEN = 600  # seconds until new blocks are found
URL = f"http://127.0.0.1:{names.PROMETHEUS_PORT}"


class Move(HubDocker):
    """`volume`: that of the Prometheus of before; `source`: the name of the container that reads it."""

    def __init__(self, stack: Stack, settings: Settings) -> None:
        super().__init__(stack)
        self.prometheus = resolve(settings.images)["prometheus"]
        self.volume = f"{self.prefix}-{metrics_store.PROMETHEUS}"
        self.mark = ("--label", f"fleetwatch.stack={self.prefix}", "--label", f"fleetwatch.grow={self.prefix}")
        self.source = f"{self.prefix}_grow"

    def container(self, role: str) -> str:
        return names.container(self.prefix, role)

    def query(self, container: str, expression: str, at: float) -> float:
        """The value of a query with one result; 0 without a result."""
        # Of raw samples alone: a count of down-sampled ones is not that of the samples. Prometheus ignores the word.
        url = f"{URL}/api/v1/query?query={quote(expression)}&time={at:.0f}&max_source_resolution=0s"
        answer = json.loads(self.docker("exec", container, "timeout", "90", "wget", "-q", "-O", "-", url))
        result = answer["data"]["result"]
        return float(result[0]["value"][1]) if result else 0.0

    def samples(self, container: str, end: float) -> float:
        """Samples of `up` in the day before `end`."""
        return self.query(container, f"sum(count_over_time(up[{DAY}s]))", end)

    def require(self, container: str, days: Mapping[float, float], again: str) -> None:
        """Wait until a container answers with at least these samples of the days that end at these times. ToolError
        after SEEN seconds; `again`: what to do then."""
        end = time.monotonic() + SEEN
        while True:
            there = {at: self.samples(container, at) for at in days}
            short = [at for at, count in days.items() if there[at] < count]
            if not short:
                return
            if time.monotonic() > end:
                at = short[0]
                raise ToolError(
                    f"{container} has {there[at]:.0f} of {days[at]:.0f} samples of the day before "
                    f"{datetime.fromtimestamp(at, timezone.utc):%Y-%m-%d %H:%M} UTC. {again}"
                )
            time.sleep(5)
