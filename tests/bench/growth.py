"""What a hub needs for 10 to 400 hosts' worth of series and lines, with its data on its disk and in a bucket.

A kind ends at the first level at which pushes fall behind. configs/sizing.py has what follows from the figures.

A generator on this machine pushes what these hosts would push, over loopback, to a hub of the tests: SERIES series of
each host every EVERY seconds by remote write 1.0, and LINES lines of each a second. Values stand still and labels never
change. The bucket is a real S3 server over a folder. The limits of the hub's parts are raised, so that none ends a run.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

from configs.metrics_store import THANOS
from tests.bench import page, usage
from tests.bench.load import EVERY, LINES, SERIES, Load
from tests.integration.backup import Bucket
from tests.integration.rig import Rig, docker, rig
from tools import images, setup
from tools.progress import say, step

TITLE = "A growing hub"
LEVELS = (10, 50, 100, 200, 300, 400)  # hosts
PUSHERS = 4  # at once: one alone would end before the hub
WARM, OVER = 90, 60  # seconds: before, and of measuring
LATE = EVERY  # seconds that the push of a quarter may take; beyond that the hub no longer keeps up
ROOM = {"memory": "8GB", "cpus": 2.0}
METRICS = {"single": ("prometheus",), "bucket": THANOS}


@dataclass
class Level:
    """What was seen with a number of hosts. `lag`: seconds of the slowest push of a quarter; `failed`: pushes."""

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
    load = Load([f"http://127.0.0.1:{stack.ports['push']}"] * PUSHERS, hosts)
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
                say(f"  {kind} ends at {hosts} hosts: a push of a quarter took {last.lag:.0f} s, {last.failed} failed")
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
    lines.append(["slowest push of a quarter of the series", *(f"{level.lag:.1f} s" for level in levels)])
    lines.append(["pushes that failed", *(str(level.failed) for level in levels)])
    lines.append(["disk, in an hour (extrapolated)", *(f"{level.disk / 1024**2:.0f} MB" for level in levels)])
    return page.Table(f"`kind: {kind}`: memory (highest reading) and CPU of one core", columns, lines)


def measured(watch: page.Watch) -> Run:
    """Both kinds, about half an hour."""
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
