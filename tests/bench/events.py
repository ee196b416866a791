"""What an engine run did when, from the engine's own log of events, and which of it was waiting for the cloud.

The log's times are whole seconds: enough for shares of runs of a minute. `followed` notes when each of its lines is
written, for single steps.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LEFT = ("same", "read", "refresh")
_OURS = ("fleetwatch:", "pulumi:")  # components and providers: nothing goes on in them
_PAUSE = 0.02  # seconds between two readings of a log that is followed
_SPOKEN_OF = 0.2  # seconds
_GATE = re.compile(r"(?:^|-)gate-(.+)$")


@dataclass(frozen=True)
class Step:
    """One resource that was made, changed or removed; times in seconds, since 1970 or since the run's start."""

    type: str
    name: str
    begun: float
    ended: float

    @property
    def seconds(self) -> float:
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
    """Every step of the run that has ended, by the log's own times."""
    events = map(json.loads, log.read_text().splitlines())
    return _steps((int(event["timestamp"]), event) for event in events)


def followed(log: Path, run: Callable[[], object]) -> list[Step]:
    """Every step of a run that writes this log, by when its lines came: to a few hundredths of a second."""
    came: list[tuple[float, Mapping[str, Any]]] = []
    begun, end = time.monotonic(), threading.Event()

    def follow() -> None:
        place, last = 0, False
        while not last:
            last = end.wait(_PAUSE)
            at = time.monotonic() - begun
            text = log.read_bytes()[place:] if log.exists() else b""
            whole = text[: text.rfind(b"\n") + 1]
            place += len(whole)
            came.extend((at, json.loads(line)) for line in whole.splitlines())

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        run()
    finally:
        end.set()
        thread.join()
    return _steps(came)


def _steps(events: Iterable[tuple[float, Mapping[str, Any]]]) -> list[Step]:
    begun: dict[tuple[str, str], float] = {}
    found = []
    for at, event in events:
        for kind in ("resourcePreEvent", "resOutputsEvent", "resOpFailedEvent"):
            about = (event.get(kind) or {}).get("metadata")
            if about is None or about["op"] in _LEFT or about["type"].startswith(_OURS):
                continue
            key = (about["urn"], about["op"])
            if kind == "resourcePreEvent":
                begun[key] = at
            elif key in begun:
                found.append(Step(about["type"], about["urn"].split("::")[-1], begun.pop(key), at))
    return found


def gates(made: Collection[Step], host: str = "") -> list[Step]:
    """The gates among the steps, which wait for data at the hub: all, or this host's."""
    return [one for one in made if (found := _GATE.search(one.name)) and host in ("", found[1])]


def timeline(made: Collection[Step]) -> str:
    """What was under way from when to when, in the order of the starts; nothing of what took no time to speak of."""
    named = sorted((one for one in made if one.seconds >= _SPOKEN_OF), key=lambda one: one.begun)
    return ", ".join(f"{one.name} {one.begun:.1f} to {one.ended:.1f} s" for one in named)


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
    return {second for one in made for second in range(int(one.begun), int(one.ended))}
