"""A hub in a bucket becomes three nodes and one again, with the real programs: nothing is lost, and nothing twice."""

from __future__ import annotations

import json
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest

from configs import names
from configs.metrics_store import QUERY, RECEIVE
from configs.settings import Settings
from tests.bench.remote_write import Series, snappy, stamps
from tests.bench.remote_write import _field as field
from tests.integration.nodes import HOSTS, LOKI, Fleet, address, settings
from tests.integration.rig import eventually
from tools import agent_targets, grow_cluster, grow_counts, hub_docker

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("nodes-move")]

METRICS = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf",
           "X-Prometheus-Remote-Write-Version": "0.1.0"}  # fmt: skip
REPEATED = 4  # reads: one takes the lines of those two nodes that answer first
STREAM = {"host": "web", "job": "numbers", "env": "test"}


class Writer(threading.Thread):
    """Numbers, one each second, each sent to one node after the other until one takes it, as an agent does."""

    def __init__(self, fleet: Fleet, lines: bool) -> None:
        super().__init__(daemon=True)
        self.fleet, self.lines = fleet, lines
        self.begun, self.sent, self.at = int(time.time()), 0, 0
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.is_set() or self.sent < self.due():
            if self.sent >= self.due():
                time.sleep(0.2)
            elif self._push(min(self.due(), self.sent + 100)):
                self.sent = self._next
            else:
                self.at += 1
                time.sleep(0.5)

    def due(self) -> int:
        return int(time.time() - self.begun) if not self.ended.is_set() else self.last

    def end(self) -> None:
        self.last = int(time.time() - self.begun)
        self.ended.set()
        self.join(120)
        assert not self.is_alive(), "numbers are still queued"

    def _push(self, high: int) -> bool:
        self._next = high
        host, numbers = HOSTS[self.at % len(HOSTS)], range(self.sent, high)
        if self.lines:
            values = [[str((self.begun + n) * 10**9), f"n={n}"] for n in numbers]
            body = json.dumps({"streams": [{"stream": STREAM, "values": values}]}).encode()
            url = f"http://{address(host, LOKI)}:{names.LOKI_PORT}{names.LOGS_PUSH}"
            return self.fleet.get(url, body, {"Content-Type": "application/json"}) is not None
        body = b"".join(
            field(1, Series({"__name__": name, **STREAM}, 0).labels + self._samples(numbers))
            for name in ("numbers", "up")
        )
        url = f"http://{address(host, RECEIVE)}:{names.RECEIVE_PORT}/api/v1/receive"
        return self.fleet.get(url, snappy(body), METRICS) is not None

    def _samples(self, numbers: range) -> bytes:
        return b"".join(
            field(2, b"\x09" + struct.pack("<d", number) + stamps([self.begun + number])[0]) for number in numbers
        )


class World:
    def __init__(self, folder: Path) -> None:
        self.fleet = Fleet(folder)
        self.samples, self.lines = Writer(self.fleet, lines=False), Writer(self.fleet, lines=True)

    def check(self, *hosts: str) -> None:
        """Each of these hosts answers with every number that was taken, once."""
        samples, lines = self.samples.sent, self.lines.sent
        for host in hosts * REPEATED:
            for found, taken, what in ((self.numbers(host), samples, "sample"), (self.read(host), lines, "line")):
                lost = [number for number in range(taken) if not found[number]]
                twice = [number for number, count in found.items() if count > 1]
                assert not lost, f"{host}: {len(lost)} of {taken} {what}s lost, from {lost[0]} to {lost[-1]}"
                assert not twice, f"{host}: {what}s twice: {twice[:5]}"

    def numbers(self, host: str) -> Counter[int]:
        window = int(time.time() - self.samples.begun) + 60
        (series,) = self._ask(address(host, QUERY), names.PROMETHEUS_PORT, "api/v1/query", query=f"numbers[{window}s]")
        assert len({at for at, _ in series["values"]}) == len(series["values"])
        return Counter(int(float(value)) for _, value in series["values"])

    def read(self, host: str) -> Counter[int]:
        found = self._ask(
            address(host, LOKI), names.LOKI_PORT, "loki/api/v1/query_range", query='{job="numbers"}', limit="5000",
            start=str(self.lines.begun * 10**9), end=str(time.time_ns()),
        )  # fmt: skip
        return Counter(int(line.removeprefix("n=")) for stream in found for _, line in stream["values"])

    def _ask(self, at: str, port: int, path: str, **query: str) -> list[dict[str, Any]]:
        answer = self.fleet.get(f"http://{at}:{port}/{path}?{urlencode(query)}")
        assert answer is not None, f"{at} does not answer"
        found: list[dict[str, Any]] = json.loads(answer)["data"]["result"]
        return found


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World(tmp_path)
    monkeypatch.setattr(agent_targets, "docker_on", lambda *_: lambda host: ["ssh", host])
    monkeypatch.setattr(
        hub_docker.HubDocker, "sent", lambda self, words, stdin=b"": made.fleet.docker(self.host, words, stdin)
    )
    monkeypatch.setattr(grow_counts, "SETTLED", 5)
    try:
        yield made
    finally:
        made.fleet.close()


def _stack(world: World, monkeypatch: pytest.MonkeyPatch, wanted: Settings) -> Any:
    def up(_stack: Any, moves: bool = False) -> int:
        world.fleet.up(wanted)
        return 0

    monkeypatch.setattr(grow_cluster, "up", up)
    hosts = {host: {"runs": [RECEIVE]} for host in world.fleet.hosts}
    outputs = {"query": "x", "hosts": hosts, "nodes": dict(zip(hosts, "abc", strict=False)) if len(hosts) > 1 else {}}
    return SimpleNamespace(prefix=lambda: "fleetwatch", outputs=lambda: outputs, read_state=dict, quiet=print)


def test_nothing_is_lost_there_and_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet, bucket, cluster = world.fleet, settings("bucket"), settings("cluster")
    tomorrow = (datetime.now(timezone.utc) + timedelta(days=1)).date().isoformat()
    fleet.up(settings("bucket", logs_since=tomorrow))  # lines are on the disk, as after a move into the bucket
    for writer in (world.samples, world.lines):
        writer.start()
    time.sleep(30)
    fleet.get(f"http://{address('hub', LOKI)}:{names.LOKI_PORT}/flush", b"")  # some lines are in chunks on the disk
    eventually("a chunk", lambda: list(fleet.folder.glob("hub/loki/chunks/fake/*/*")))
    time.sleep(10)
    assert grow_cluster.to_cluster(_stack(world, monkeypatch, cluster), cluster, yes=True) == 0
    world.check(*HOSTS)
    stack = _stack(world, monkeypatch, cluster)
    assert grow_cluster.forget(stack, cluster, yes=True) == 0
    assert not list(fleet.folder.glob("hub/loki/chunks"))
    world.check("hub")

    fleet.kill("hub", RECEIVE, LOKI)  # what arrives now is on the other two alone
    time.sleep(45)
    for role in (RECEIVE, LOKI):
        fleet.start("hub", role)
    fleet.await_ready("hub", RECEIVE, LOKI)

    assert grow_cluster.to_bucket(_stack(world, monkeypatch, bucket), bucket, yes=True) == 0
    for writer in (world.samples, world.lines):
        writer.end()
    world.check("hub")
    fleet.compact(bucket)
    world.check("hub")
