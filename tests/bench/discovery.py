"""The assistant's discovery over 400,000 series: its requests, bytes and time, and its memory.

A real Prometheus on loopback gets the series of a hundred hosts by remote write. Loki is not there: its requests are of
labels alone, whose number does not depend on lines.
"""

from __future__ import annotations

import contextlib
import resource
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from ask.client import Hub
from ask.service import inventory
from ask.service.discovery import PATIENCE
from ask.world import World, discover
from tests.ask import offline, rig
from tests.bench import page, remote_write
from tests.bench.assistant import Run
from tools.paths import cache_dir
from tools.progress import step

TITLE = "The assistant's discovery"
PLAYED = "none: a Prometheus on loopback, no Loki"
HOSTS = 100
# Of each host by job: names of metrics, and series. More series than names are those of containers, disks, tables.
NAMES = {"node": 600, "cadvisor": 70, "postgres": 300, "shop": 50}
SHARE = {"node": 1200, "cadvisor": 2100, "postgres": 550, "shop": 150}
SERIES = HOSTS * sum(SHARE.values())
ROUNDS = 3


@dataclass
class Counted(httpx.BaseTransport):
    """Sends requests, and counts them and the bytes of their answers."""

    requests: int = 0
    bytes: int = 0
    _inner: httpx.HTTPTransport = field(default_factory=httpx.HTTPTransport)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        answer = self._inner.handle_request(request)
        body = answer.read()
        self.bytes += len(body)
        return httpx.Response(answer.status_code, content=body)


def _series() -> Iterator[remote_write.Series]:
    for host in range(HOSTS):
        for job, count in SHARE.items():
            for one in range(count):
                yield remote_write.Series(
                    {
                        "__name__": f"{job}_figure_{one % NAMES[job]}_total",
                        "env": "test",
                        "host": f"host-{host}",
                        "job": job,
                        "instance": f"{job}-{host}:9100",
                        "container": f"shop-service-{one // NAMES[job]}",
                    },
                    float(one),
                )


def _discovered(address: str, counted: Counted) -> World:
    """As the service does it, but for its database."""
    hub = Hub(address, "http://127.0.0.1:1")
    hub.transport(counted)
    now = time.time()
    with hub.within(PATIENCE):
        found = discover(hub, offline.engine().catalogue, now)
        if "prometheus" in found.away:
            raise RuntimeError(found.away["prometheus"])
        inventory.pairs(hub, found, now)
    hub.close()
    return found


def measured(watch: page.Watch) -> Run:
    """Start the Prometheus, fill it, discover, remove it."""
    run, times, world, counted = Run(), [], World(), Counted()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=cache_dir("ask-runs"))))
        with step(f"a Prometheus with {SERIES} series"):
            address = stack.enter_context(rig.prometheus(folder, "--web.enable-remote-write-receiver"))
            remote_write.push(f"{address}/api/v1/write", _series(), [time.time()])
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for _ in range(ROUNDS):
            counted, began = Counted(), time.perf_counter()
            world = _discovered(address, counted)
            times.append(time.perf_counter() - began)
        watch.look()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    run.raw = {"seconds": times, "requests": counted.requests, "bytes": counted.bytes, "MB": grown}
    how = f"the longest of {ROUNDS}; {SERIES} series, {len(world.metrics)} names, {HOSTS} hosts"
    run.figures += [
        page.Figure("discovery", f"{max(times):.2f} s", how, f"under {PATIENCE:.0f} s", max(times) < PATIENCE),
        page.Figure("its requests", f"{counted.requests}", "none for a metric; one for each label and each job"),
        page.Figure("its answers", f"{counted.bytes / 1e6:.1f} MB", "bodies of all answers of one discovery"),
        page.Figure("memory it adds", f"{grown:.0f} MB", "of the process that discovers, at its highest"),
    ]
    return run
