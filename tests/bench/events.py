"""What an engine run did when, from the engine's own log of events, and which of it was waiting for the cloud.

The log's times are whole seconds: shares of runs of a minute, not of single steps.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

_LEFT = ("same", "read", "refresh")
_OURS = ("fleetwatch:", "pulumi:")  # components and providers: nothing goes on in them


@dataclass(frozen=True)
class Step:
    """One resource that was made, changed or removed; times in seconds since 1970."""

    type: str
    name: str
    begun: int
    ended: int

    @property
    def seconds(self) -> int:
        return self.ended - self.begun


@dataclass(frozen=True)
class Share:
    """Seconds of a run: in all, with something at the cloud under way, and with nothing else under way."""

    whole: float
    cloud: int
    alone: int

    def words(self) -> str:
        if not self.cloud:
            return "0 s of it the cloud was at work"
        shared = f"{self.cloud} s ({self.cloud / self.whole:.0%}) of it the cloud was at work"
        ours = max(0.0, 1 - self.alone / self.whole)
        return f"{shared}, {self.alone} s of these nothing else was: {ours:.0%} did not wait for it"


def steps(log: Path) -> list[Step]:
    """Every step of the run that has ended."""
    begun: dict[tuple[str, str], int] = {}
    found = []
    for line in log.read_text().splitlines():
        event = json.loads(line)
        for kind in ("resourcePreEvent", "resOutputsEvent", "resOpFailedEvent"):
            about = (event.get(kind) or {}).get("metadata")
            if about is None or about["op"] in _LEFT or about["type"].startswith(_OURS):
                continue
            key, at = (about["urn"], about["op"]), int(event["timestamp"])
            if kind == "resourcePreEvent":
                begun[key] = at
            elif key in begun:
                found.append(Step(about["type"], about["urn"].split("::")[-1], begun.pop(key), at))
    return found


def share(whole: float, made: Collection[Step], droplets: Collection[str]) -> Share:
    """How much of a run of `whole` seconds waited for the cloud: its API's resources, and of the hosts that are
    `droplets` the first contact (until SSH answers) and the readiness (until the first boot is done)."""
    booting = {f"{host}-{what}" for host in droplets for what in ("contact", "ready")}

    def waits(one: Step) -> bool:
        return one.type.startswith("digitalocean:") or (one.type == "command:local:Command" and one.name in booting)

    cloud = _seconds(one for one in made if waits(one))
    return Share(whole, len(cloud), len(cloud - _seconds(one for one in made if not waits(one))))


def _seconds(made: Iterable[Step]) -> set[int]:
    """The seconds in which one of these was under way."""
    return {second for one in made for second in range(one.begun, one.ended)}
