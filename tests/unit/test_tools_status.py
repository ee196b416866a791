"""`make status`: what it finds wrong with the data of a host."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tools import status
from tools.hubclient import HubClient

JOBS = {"web-1": {"node": 15.0, "cadvisor": 10.0}}
NAMELESS = (
    "NO NAMES  host web-1: cAdvisor answers but reports no container by name; see the log of the cadvisor "
    "container on that host"
)


class Hub(HubClient):
    """Answers by the beginning of a query: fresh samples and lines, and what a test says of cAdvisor."""

    def __init__(self, up: int, named: bool) -> None:
        super().__init__("http://nowhere")
        self.up, self.named = up, named

    def metrics(self, query: str, at: float | None = None) -> list[dict[str, Any]]:
        if "container_last_seen" in query:
            assert 'container!=""' in query
            return [{"metric": {"host": "web-1"}, "value": [0, "7"]}] if self.named else []
        value = {"max": time.time(), "count": 1, "sum": self.up}[query.split()[0]]
        return [{"metric": {"host": "web-1", "job": job}, "value": [0, str(value)]} for job in JOBS["web-1"]]

    def log_numbers(self, query: str) -> list[dict[str, Any]]:
        rare = "fleetwatch-changes|fleetwatch-certificates|fleetwatch-audit"
        assert f'job!~"{rare}"' in query, "written by the hub about a host, or not each day"
        return [{"metric": {"host": "web-1", "job": "docker"}, "value": [0, "3"]}]

    def logs(
        self, query: str, start: float, end: float, limit: int = 100, forward: bool = False
    ) -> list[dict[str, Any]]:
        return [{"stream": {}, "values": [[str(time.time_ns()), "a line"]]}]


@pytest.mark.parametrize(
    ("up", "named", "wrong"),
    [
        (1, True, []),
        (1, False, [NAMELESS]),
        (0, False, [f"DOWN  host web-1, job {job}: 0 of 1 targets are up" for job in ("node", "cadvisor")]),
    ],
)
def test_status_fails_when_cadvisor_names_no_container(up: int, named: bool, wrong: list[str]) -> None:
    assert [row.wrong for row in status.arrivals(Hub(up, named), JOBS) if row.wrong] == wrong


def test_a_container_without_a_role_has_its_place_and_name(tmp_path: Path) -> None:
    ours = {"Labels": "fleetwatch.host=hub,fleetwatch.role=loki", "Names": "fw-loki", "Image": "loki:3", "Status": "Up"}
    restoring = {"Labels": "fleetwatch.stack=fw", "Names": "fw-loki-restoring", "Image": "restic:1", "Status": "Up 1 s"}
    (tmp_path / "docker").write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(ours)}\n{json.dumps(restoring)}\nEND\n")
    (tmp_path / "docker").chmod(0o755)
    assert status.containers({"this machine": [str(tmp_path / "docker")]}, "fw") == [
        ("hub", "loki", "loki:3", "Up"),
        ("this machine", "fw-loki-restoring", "restic:1", "Up 1 s"),
    ]
