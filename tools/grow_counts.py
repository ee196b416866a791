"""How many samples and log lines a hub answers with, counted before and after a move between a bucket and three nodes.

All blocks and chunks are in one bucket before and after it. What only a disk has is of the last days at most.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from configs import names
from configs.metrics_store import QUERY
from configs.settings import Settings
from tools.hub_move import DAY, HOUR, Move, require

DAYS, HOURS = 31, 25  # that are counted
SETTLED = 60  # seconds after which what was pushed is on every node that takes it


@dataclass(frozen=True)
class Counts:
    """Samples by the end of their day, and lines by the end of their hour, in seconds."""

    samples: Mapping[float, float]
    lines: Mapping[float, float]

    def plain(self) -> dict[str, Any]:
        """In a form for JSON."""
        return {"samples": sorted(self.samples.items()), "lines": sorted(self.lines.items())}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Counts:
        """From that form."""
        return cls(dict(map(tuple, plain["samples"])), dict(map(tuple, plain["lines"])))

    @property
    def sentence(self) -> str:
        """What was counted."""
        return (
            f"{sum(self.samples.values()):.0f} samples of `up` in {len(self.samples)} days and "
            f"{sum(self.lines.values()):.0f} lines in {len(self.lines)} hours"
        )


def counted(move: Move, settings: Settings) -> Counts:
    """What this host's Query and Loki answer with, but for what may expire meanwhile."""
    query, at = move.container(QUERY), float(int(time.time()) - SETTLED)
    days = range(min(DAYS, settings.hub.storage.keep.raw // DAY - 1))
    hours = range(min(HOURS, settings.hub.retention.logs // HOUR - 1))
    samples = {end: move.samples(query, end) for end in (at - day * DAY for day in days)}
    lines = {end: move.lines(query, loki(move), end) for end in (at - hour * HOUR for hour in hours)}
    return Counts(_some(samples), _some(lines))


def loki(move: Move) -> str:
    """The address of this host's Loki on its network."""
    return names.address(move.prefix, "loki", names.LOKI_PORT)


def require_samples(move: Move, counts: Counts, again: str) -> None:
    """ToolError unless this host's Query answers with as many samples; `again`: what to do then."""
    query = move.container(QUERY)
    require(move.host, "samples of `up` of the day", lambda at: move.samples(query, at), counts.samples, again)


def require_lines(move: Move, address: str, counts: Counts, again: str) -> None:
    """ToolError unless the Loki at this address on this host's network answers with as many lines."""
    query = move.container(QUERY)
    require(move.host, "log lines of the hour", lambda at: move.lines(query, address, at), counts.lines, again)


def _some(counts: Mapping[float, float]) -> dict[float, float]:
    return {at: count for at, count in counts.items() if count}
