"""The generator of the growth benches: what so many hosts would push, as samples and as lines; and one who asks."""

from __future__ import annotations

import ctypes
import json
import os
import random
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

from configs import names
from tests.bench import remote_write
from tools.hubclient import HubClient
from tools.net import without_proxy

SERIES = 4000  # of each host; the estimate of docs/growing.md
LINES = 15  # of each host, a second: 200 MB a day
EVERY = 15  # seconds between two samples
PATIENCE = 30  # seconds for one push
AVOIDED = 10  # seconds for which an address that did not take a push is tried last
_PROBE = {"__name__": "load_probe", "env": "test", "host": "load-probe", "job": "load"}
_OPENER = without_proxy()


_NEW_NETWORK = 0x40000000  # CLONE_NEWNET of sched.h


def enter(network: str) -> None:
    """The connections of this thread begin in another network namespace, a file such as /proc/1/ns/net. Needs root."""
    if not network:
        return
    with open(network) as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), _NEW_NETWORK):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), network)


class Load:
    """The generator: pushes for `hosts` hosts until it is stopped.

    They come from the network namespace `network`, if one is given. With several addresses the hosts are spread over
    them. As an agent does, a host goes on to the next address where one does not take its push.
    """

    def __init__(self, addresses: Sequence[str], hosts: int, network: str = "") -> None:
        self.addresses, self.hosts, self.network = addresses, hosts, network
        self.slowest, self.failed, self.refused = 0.0, 0, 0
        self.taken = [0] * hosts  # pushes of each host that an address took
        self._away: dict[str, float] = {}  # until when an address is the last to be tried
        self._stop = threading.Event()
        many = len(addresses)
        series = [_host_series(number) for number in range(hosts)]
        self._threads = [threading.Thread(target=self._lines, daemon=True)]
        for first in range(many):
            args = (first, series[first::many])
            self._threads.append(threading.Thread(target=self._metrics, args=args, daemon=True))

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def forget(self) -> None:
        """Counts begin again: what came before was the warm-up."""
        self.slowest, self.failed, self.refused = 0.0, 0, 0

    def _is_taken(self, first: int, push: Callable[[str], None]) -> bool:
        """One push, at the first address that takes it. `refused` are those that one did not take, `failed` none."""
        order = [*self.addresses[first:], *self.addresses[:first]]
        for address in sorted(order, key=lambda one: self._away.get(one, 0.0) > time.time()):
            try:
                push(address)
            except (urllib.error.URLError, OSError):
                self.refused += 1
                self._away[address] = time.time() + AVOIDED
            else:
                return True
        self.failed += 1
        return False

    def _metrics(self, first: int, series: Sequence[Sequence[remote_write.Series]]) -> None:
        enter(self.network)
        while not self._stop.is_set():
            begun = time.time()
            for number, one in enumerate(series):  # one host after another, spread over the interval as agents are
                if self._is_taken(first, partial(_push_samples, one, time.time())):
                    self.taken[first + number * len(self.addresses)] += 1
            took = time.time() - begun
            self.slowest = max(self.slowest, took)
            self._stop.wait(max(0.0, EVERY - took))

    def _lines(self) -> None:
        enter(self.network)
        while not self._stop.is_set():
            begun = time.time()
            streams = [_stream(number) for number in range(self.hosts)]
            body = json.dumps({"streams": streams}).encode()
            self._is_taken(0, partial(_push_lines, body))
            self._stop.wait(max(0.0, 1 - (time.time() - begun)))


class Asker:
    """Sends a query each second, and notes how long its answer takes."""

    def __init__(self, hub: HubClient, query: str) -> None:
        self.hub, self.query, self.unanswered = hub, query, 0
        self.took: list[float] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def forget(self) -> None:
        self.took, self.unanswered = [], 0

    def _ask(self) -> None:
        while not self._stop.wait(1):
            begun = time.time()
            try:
                self.hub.metrics(self.query)
            except Exception:  # whatever it was, a person has no answer
                self.unanswered += 1
            else:
                self.took.append(time.time() - begun)

    @contextmanager
    def asking(self) -> Iterator[Asker]:
        self._thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            self._thread.join(60)


def _push_lines(body: bytes, address: str) -> None:
    request = urllib.request.Request(address + names.LOGS_PUSH, body, {"Content-Type": "application/json"})
    _OPENER.open(request, timeout=PATIENCE).close()


def _push_samples(series: Sequence[remote_write.Series], at: float, address: str) -> None:
    remote_write.push(address + names.METRICS_PUSH, series, [at], PATIENCE)


def takes(address: str, network: str = "") -> bool:
    """Whether a hub takes a sample at this address, from that network namespace."""
    probe = partial(_push_samples, [remote_write.Series(_PROBE, 1)], time.time(), address)
    try:
        with ThreadPoolExecutor(1, initializer=enter, initargs=(network,)) as thread:
            thread.submit(probe).result()
    except (urllib.error.URLError, OSError):
        return False
    return True


def _host_series(number: int) -> list[remote_write.Series]:
    """The series of one host: names and labels as long as those of its exporters."""
    host = {"env": "test", "host": f"load-{number}"}
    return [
        remote_write.Series(
            {
                "__name__": f"load_container_usage_{one % 80}_total",
                **host,
                "job": "load",
                "instance": f"fleetwatch-load-{number}:8080",
                "container": f"shop-service-{one // 80}",
            },
            random.random() * 1e9,
        )
        for one in range(SERIES)
    ]


def _stream(number: int) -> dict[str, object]:
    now = time.time_ns()
    text = f"level=info request={random.getrandbits(64):x} path=/orders/{random.randrange(10**6)} took=12ms" + " x" * 20
    lines = [[str(now + at), text + str(at)] for at in range(LINES)]
    return {"stream": {"env": "test", "host": f"load-{number}", "job": "docker", "container": "shop"}, "values": lines}
