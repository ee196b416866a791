"""What the next run of an interrupted move to or from three nodes has to know: labels of an empty volume on the hub.

There any machine that manages the stack finds it, and it outlives the containers.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

from tools.grow_counts import Counts
from tools.hub_move import DAY, Move

LABEL = "fleetwatch.grow.record"


@dataclass(frozen=True)
class Record:
    """`to`: the kind of storage that the hub moves to; `counts` of before; `written`: whether the bucket has had all
    that the leaving nodes had, or of a move to three nodes the log lines of the hub's disk; `at`: since when, in
    seconds."""

    to: str
    counts: Counts
    written: bool = False
    at: float = 0.0

    @property
    def fresh(self) -> bool:
        """Whether it was written within a day: older ones are of nodes that may have run again."""
        return time.time() - self.at < DAY


def _volume(move: Move) -> str:
    return f"{move.prefix}-grow"


def read(move: Move, to: str) -> Record | None:
    """That of a move to this kind; None: there is none."""
    found = move.inspected("volume", "inspect", "-f", f'{{{{index .Labels "{LABEL}"}}}}', _volume(move))
    if found is None or not found.strip():
        return None
    plain = json.loads(found)
    record = Record(plain["to"], Counts.of(plain), plain["written"], plain["at"])
    return record if record.to == to else None


def write(move: Move, to: str, counts: Counts, written: bool = False) -> Record:
    """Replaces the record on the hub."""
    remove(move)
    made = Record(to, counts, written, time.time())
    plain = {**counts.plain(), "to": to, "written": written, "at": made.at}
    move.docker("volume", "create", *move.mark, "--label", f"{LABEL}={json.dumps(plain)}", _volume(move))
    return made


def remove(move: Move) -> None:
    """The move is complete, or another one begins."""
    move.try_docker("volume", "rm", _volume(move))
