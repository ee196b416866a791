"""Log lines of the seeded fleet: a day of lines per source, with levels as structured metadata."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.ask.seed import AT, CONTAINERS, ENV

LEVELS = ("info", "info", "info", "warn", "info", "error", "info", "debug", "info", "info", "fatal")
TEXTS = {
    "info": "request done in {n} ms",
    "warn": "slow request, {n} ms",
    "error": "connection refused by upstream {n}",
    "debug": "cache lookup {n}",
    "fatal": "cannot continue after timeout {n}",
}


def batches() -> Iterator[list[dict[str, Any]]]:
    """Streams as Loki's push API takes them, one batch per source."""
    number = 0
    for host, names in CONTAINERS.items():
        for name in names:
            number += 1
            labels = {
                "env": ENV, "host": host, "job": "docker", "container": name,
                "compose_project": name.split("-")[0], "compose_service": name,
            }  # fmt: skip
            yield [{"stream": labels, "values": _lines(number)}]
    yield [{"stream": {"env": ENV, "host": "hub", "job": "fleetwatch-audit"}, "values": _sign_ins()}]


def _lines(number: int) -> list[list[object]]:
    """A line each few minutes, more often for later sources."""
    step = 1200 // number
    found: list[list[object]] = []
    for k, t in enumerate(range(AT - 86400 + number, AT, step)):
        level = LEVELS[(k * 7 + number) % len(LEVELS)]
        found.append([str(t * 10**9), TEXTS[level].format(n=k), {"level": level}])
    return found


def _sign_ins() -> list[list[object]]:
    lines = [
        (7200, {"uname": "", "method": "POST", "path": "/login", "status": "401", "remote_addr": "192.0.2.7"}),
        (7000, {"uname": "ops", "method": "POST", "path": "/login", "status": "200", "remote_addr": "192.0.2.7"}),
        (3000, {"uname": "", "method": "POST", "path": "/login", "status": "401", "remote_addr": "192.0.2.9"}),
    ]
    return [[str((AT - ago) * 10**9), json.dumps(line), {"level": "info"}] for ago, line in lines]
