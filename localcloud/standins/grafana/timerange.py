"""A dashboard's time range in the format of Grafana's URLs: `now`, `now-6h`, or milliseconds."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400, "M": 30 * 86400, "y": 365 * 86400}
NICE = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400)


class BadRange(ValueError):
    """An invalid time range. The page shows the text to the user."""


@dataclass(frozen=True)
class TimeRange:
    """Seconds since the epoch, and the texts from which they were parsed (links keep `now-1h` relative)."""

    start: float
    end: float
    raw_from: str
    raw_to: str

    @property
    def seconds(self) -> float:
        return self.end - self.start

    def step(self, pixels: int, least: float) -> int:
        """A round step with about one point per three pixels, at least the scrape interval (`least`, in seconds)."""
        wanted = max(self.seconds / max(pixels / 3, 1), least)
        return next((nice for nice in NICE if nice >= wanted), int(wanted // 86400 + 1) * 86400)


def _moment(text: str, now: float) -> float:
    match = re.fullmatch(r"now(?:([+-])(\d{1,6})([smhdwMy]))?", text)
    if match:
        sign, amount, unit = match.groups()
        return now + (1 if sign == "+" else -1) * int(amount or 0) * SECONDS[unit or "s"]
    if re.fullmatch(r"\d{10,14}", text):
        return int(text) / 1000
    raise BadRange(f"time range: expected now, now-<number><s|m|h|d|w|M|y> or milliseconds, got {text!r}")


def parse_range(raw_from: str, raw_to: str, now: float | None = None) -> TimeRange:
    """The time range. Raises BadRange."""
    now = time.time() if now is None else now
    start, end = _moment(raw_from, now), _moment(raw_to, now)
    if end - start < 1:
        raise BadRange(f"time range: {raw_from!r} is not before {raw_to!r}")
    return TimeRange(start, end, raw_from, raw_to)


def parse_duration(text: str, default: float) -> float:
    """Seconds of `15s` or `1m`: a data source's scrape interval or a panel's minimum interval."""
    match = re.fullmatch(r">?(\d+)(ms|[smhdwy])", text.strip())
    if not match:
        return default
    return int(match.group(1)) * (0.001 if match.group(2) == "ms" else SECONDS[match.group(2)])
