"""What a hub needs for 10, 50 and 100 hosts' worth of series and lines, with its data on its disk and in a bucket.

A generator on this machine pushes what these hosts would push, over loopback, to a hub of the tests: SERIES series of
each host every EVERY seconds by remote write 1.0, and LINES lines of each a second. Values stand still and labels never
change. The bucket is a real S3 server over a folder. The limits of the hub's parts are raised, so that none ends a run.
"""

from __future__ import annotations

import json
import random
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

from configs import names
from configs.metrics_store import THANOS
from tests.bench import page, remote_write, usage
from tests.integration.backup import Bucket
from tests.integration.rig import Rig, docker, rig
from tools import images, setup
from tools.net import without_proxy
from tools.progress import say, step

TITLE = "A growing hub"
LEVELS = (10, 50, 100)  # hosts
SERIES = 4000  # of each host; the estimate of docs/growing.md
LINES = 15  # of each host, a second: 200 MB a day
EVERY = 15  # seconds between two samples
WARM, OVER = 90, 60  # seconds: before, and of measuring
LATE = EVERY  # seconds that a push of everything may take; beyond that the hub no longer keeps up
ROOM = {"memory": "8GB", "cpus": 2.0}
METRICS = {"single": ("prometheus",), "bucket": THANOS}
_OPENER = without_proxy()


@dataclass
class Level:
    """What was seen with a number of hosts. `lag`: seconds of the slowest push of all series; `failed` pushes."""

    kind: str
    hosts: int
    lag: float
    failed: int
    disk: int  # bytes that the stores grew by in an hour, extrapolated
    found: list[usage.Usage]


@dataclass
class Run:
    """What one run collects."""

    figures: list[page.Figure] = field(default_factory=list)
    tables: list[page.Table] = field(default_factory=list)
    raw: dict[str, object] = field(default_factory=dict)


class Load:
    """The generator: pushes for `hosts` hosts until it is stopped."""

    def __init__(self, address: str, hosts: int) -> None:
        self.address, self.hosts = address, hosts
        self.slowest, self.failed = 0.0, 0
        self._stop = threading.Event()
        self._series = [_host_series(number) for number in range(hosts)]
        self._threads = [threading.Thread(target=one, daemon=True) for one in (self._metrics, self._lines)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def forget(self) -> None:
        """Counts begin again: what came before was the warm-up."""
        self.slowest, self.failed = 0.0, 0

    def _metrics(self) -> None:
        while not self._stop.is_set():
            begun = time.time()
            for one in self._series:  # one host after another, spread over the interval as agents are
                try:
                    remote_write.push(self.address + names.METRICS_PUSH, one, [time.time()])
                except (urllib.error.URLError, OSError):
                    self.failed += 1
            took = time.time() - begun
            self.slowest = max(self.slowest, took)
            self._stop.wait(max(0.0, EVERY - took))

    def _lines(self) -> None:
        while not self._stop.is_set():
            begun = time.time()
            streams = [_stream(number) for number in range(self.hosts)]
            body = json.dumps({"streams": streams}).encode()
            request = urllib.request.Request(self.address + names.LOGS_PUSH, body, {"Content-Type": "application/json"})
            try:
                _OPENER.open(request, timeout=30).close()
            except (urllib.error.URLError, OSError):
                self.failed += 1
            self._stop.wait(max(0.0, 1 - (time.time() - begun)))


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


def _sizes(stack: Rig, kind: str, bucket: Bucket | None) -> int:
    """Bytes of the stores: volumes of metrics and logs, and the bucket."""
    volumes = [f"{stack.prefix}-{role}" for role in (*METRICS[kind], "loki")]
    if bucket is not None:
        volumes.append(f"{stack.prefix}-s3")
    places = [docker("volume", "inspect", "-f", "{{.Mountpoint}}", name, check=False).strip() for name in volumes]
    return sum(_folder(place) for place in places if place)


def _folder(place: str) -> int:
    done = subprocess.run(["du", "-sb", place], capture_output=True, text=True, check=False)
    return int(done.stdout.split()[0]) if done.stdout else 0


def _level(stack: Rig, kind: str, hosts: int, bucket: Bucket | None) -> Level:
    """The hub with this number of hosts, warm."""
    roles = [*METRICS[kind], "loki", "caddy"]
    load = Load(f"http://127.0.0.1:{stack.ports['push']}", hosts)
    load.start()
    try:
        with step(f"{kind}: {hosts} hosts, {hosts * SERIES} series, {hosts * LINES} lines a second"):
            time.sleep(WARM)
            load.forget()
            before = _sizes(stack, kind, bucket)
            found = usage.measure([stack.container(role) for role in roles], OVER)
            grown = (_sizes(stack, kind, bucket) - before) * 3600 // OVER
    finally:
        load.stop()
    named = [usage.Usage(role, one.memory, one.cpu) for role, one in zip(roles, found, strict=True)]
    return Level(kind, hosts, load.slowest, load.failed, grown, named)


@contextmanager
def _hub(kind: str, chain: setup.ToolChain) -> Iterator[tuple[Rig, Bucket | None]]:
    refs = {image.key: image.ref for image in chain.images}
    roles = {role.replace("-", "_"): ROOM for role in (*METRICS[kind], "loki", "caddy")}
    with rig(f"grow-{kind}", {"hub": {"limits": roles, "loki": {"max_streams": 5000}}}) as stack:
        bucket = None
        if kind == "bucket":
            bucket = Bucket(stack, refs["s3"], stack.home, size="")
            bucket.prepare()
            stack.change({"hub": {"storage": {"kind": "bucket"}}})
        stack.up()
        yield stack, bucket


def _levels(watch: page.Watch, kind: str, chain: setup.ToolChain) -> list[Level]:
    found = []
    with step(f"a hub of kind {kind}"), _hub(kind, chain) as (stack, bucket):
        watch.own = stack.prefix
        for hosts in LEVELS:
            found.append(_level(stack, kind, hosts, bucket))
            watch.look()
            last = found[-1]
            if last.lag > LATE or last.failed:
                say(f"  {kind} ends at {hosts} hosts: a push of all took {last.lag:.0f} s, {last.failed} failed")
                break
    return found


def _table(kind: str, levels: list[Level]) -> page.Table:
    columns = ["container", *(f"{one.hosts} hosts" for one in levels)]
    lines = []
    for number, one in enumerate(levels[0].found):
        cells = [level.found[number] for level in levels]
        lines.append([one.container, *(f"{cell.memory / 1024**2:.0f} MB, {cell.cpu:.0f} %" for cell in cells)])
    sums = [(sum(one.memory for one in level.found), sum(one.cpu for one in level.found)) for level in levels]
    lines.append(["in all", *(f"{memory / 1024**2:.0f} MB, {cpu:.0f} %" for memory, cpu in sums)])
    lines.append(["slowest push of all series", *(f"{level.lag:.1f} s" for level in levels)])
    lines.append(["pushes that failed", *(str(level.failed) for level in levels)])
    lines.append(["disk, in an hour (extrapolated)", *(f"{level.disk / 1024**2:.0f} MB" for level in levels)])
    return page.Table(f"`kind: {kind}`: memory (highest reading) and CPU of one core", columns, lines)


def measured(watch: page.Watch) -> Run:
    """Both kinds, about twenty minutes."""
    chain = setup.set_up([*images.PARTS, "s3", "thanos"])
    run = Run()
    for kind in METRICS:
        levels = _levels(watch, kind, chain)
        run.tables.append(_table(kind, levels))
        run.raw[kind] = [asdict(one) for one in levels]
        last = levels[-1]
        keeps_up = last.lag <= LATE and not last.failed
        how = f"{SERIES} series each {EVERY} s and {LINES} lines a second of each; values that stand still"
        run.figures.append(
            page.Figure(f"`{kind}`, hosts", f"{last.hosts}{'' if keeps_up else ': no longer keeps up'}", how)
        )
    return run
