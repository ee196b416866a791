"""The hub of a stack or one of its nodes, for the time of a move: its Docker Engine, and queries inside of its
containers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from urllib.parse import quote

from configs import metrics_store, names
from configs.images import resolve
from configs.settings import Settings
from tools.errors import ToolError
from tools.hub_docker import HubDocker
from tools.stack import Stack

DAY, HOUR = 86400, 3600
GROW = "fleetwatch.grow"  # label of what a move makes, with the prefix
SEEN = 600  # seconds until new blocks are found
URL = f"http://127.0.0.1:{names.PROMETHEUS_PORT}"


class Move(HubDocker):
    """`volume`: that of the Prometheus of before; `source`: the name of the container that reads it."""

    def __init__(self, stack: Stack, settings: Settings, host: str = "hub") -> None:
        super().__init__(stack, host)
        self.prometheus = resolve(settings.images)["prometheus"]
        self.volume = f"{self.prefix}-{metrics_store.PROMETHEUS}"
        self.mark = ("--label", f"fleetwatch.stack={self.prefix}", "--label", f"{GROW}={self.prefix}")
        self.source = f"{self.prefix}_grow"

    def container(self, role: str) -> str:
        return names.container(self.prefix, role)

    def query(self, container: str, expression: str, at: float) -> float:
        """The value of a query with one result; 0 without a result."""
        # Of raw samples alone: a count of down-sampled ones is not that of the samples. Prometheus ignores the word.
        url = f"{URL}/api/v1/query?query={quote(expression)}&time={at:.0f}&max_source_resolution=0s"
        return self._value(container, url)

    def samples(self, container: str, end: float) -> float:
        """Samples of `up` in the day before `end`."""
        return self.query(container, f"sum(count_over_time(up[{DAY}s]))", end)

    def lines(self, container: str, address: str, end: float) -> float:
        """Log lines of the hour before `end` that the Loki at this address has, queried from inside of a container."""
        expression = f'sum(count_over_time({{host=~".+"}}[{HOUR}s]))'
        return self._value(container, f"http://{address}/loki/api/v1/query?query={quote(expression)}&time={end:.0f}")

    def get(self, url: str, patience: int, *more: str) -> str:
        """What something on the hub's network answers within so many seconds; `more`: options of wget. ToolError if it
        does not."""
        return self.docker("exec", self.container(metrics_store.QUERY), *_get(patience), *more, url)

    def answers(self, url: str, patience: int, *more: str) -> bool:
        """Whether it answers."""
        try:
            self.get(url, patience, *more)
        except ToolError:
            return False
        return True

    def _value(self, container: str, url: str) -> float:
        answer = json.loads(self.docker("exec", container, *_get(90), url))
        result = answer["data"]["result"]
        return float(result[0]["value"][1]) if result else 0.0

    def require(self, container: str, days: Mapping[float, float], again: str) -> None:
        """Wait until a container answers with at least these samples of the days that end at these times. ToolError
        after SEEN seconds; `again`: what to do then."""
        require(container, "samples of `up` of the day", lambda at: self.samples(container, at), days, again)


def _get(patience: int) -> Sequence[str]:
    """A GET inside of a container, but for the address."""
    return ("timeout", str(patience), "wget", "-q", "-O", "-")


def require(where: str, what: str, ask: Callable[[float], float], wanted: Mapping[float, float], again: str) -> None:
    """Wait until `ask` answers with at least the wanted number for each of these times. ToolError after SEEN seconds;
    what cannot be read is not there yet."""
    end, short, reason = time.monotonic() + SEEN, dict(wanted), ""
    while short:
        there: dict[float, float] = {}
        for at in short:
            try:
                there[at] = ask(at)
            except ToolError as problem:
                there[at], reason = 0.0, f" ({problem})"
        short = {at: count for at, count in short.items() if there[at] < count}
        if short and time.monotonic() > end:
            at = next(iter(short))
            raise ToolError(
                f"{where} has {there[at]:.0f} of {short[at]:.0f} {what} before "
                f"{datetime.fromtimestamp(at, timezone.utc):%Y-%m-%d %H:%M} UTC{reason}. {again}"
            )
        if short:
            time.sleep(5)
