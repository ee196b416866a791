"""Two years of samples with known answers in a bucket, and Thanos' own parts over them, as the hub runs them."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from configs import names
from configs.metrics_store import RECEIVE
from configs.services import bucket as places
from configs.services.context import Context
from configs.services.spec import ServiceSpec
from configs.services.thanos import CONFIG, OBJSTORE, REPLICA, compact, query, receive, store
from configs.settings import Settings, load
from tests.fixtures.full import SOURCE
from tests.integration import backup
from tests.integration.rig import Rig, docker, eventually, free_ports
from tools import grow
from tools.hubclient import HubClient

DAY = 86400
YEARS = 2 * 365 * DAY
NEW = 6 * 3600  # seconds before the end with samples as dense as real ones
SPARSE, DENSE = 150, 15  # seconds between two samples: two in five minutes for the old ones
SPAN = 486 * 3600  # of a block: the longest of Prometheus' own ranges below 21 days
# Folders of blocks: copied by a move, uploaded by Receive, and those of the latter that Receive still has on its disk.
MOVED, RECENT, DISK = "moved", "recent", "disk"
HERE = "here.yml"  # the place of what stands for Receive's disk
LABELS = 'env="test",host="hub"'
CADVISOR = f'job="cadvisor",{LABELS},container="web",compose_project="shop"'
MONTH, OUTAGE, RESTART = 30 * DAY, 1500, 10 * DAY

Value = Callable[[int], float]


def season(at: float) -> float:
    """Between -1 and 1, once a month."""
    return math.sin(2 * math.pi * at / MONTH)


def restarted(at: int) -> int:
    """When the container started that runs at this time; never at the edge of five minutes."""
    return (at - 137) // RESTART * RESTART + 137


def probed(at: int) -> float:
    return 0.0 if at % OUTAGE < OUTAGE // 10 else 1.0


def _counter(rate: float) -> Value:
    """Counts so many a second, and is 0 again every 40 days."""
    return lambda at: rate * (at % (40 * DAY))


def _swinging(mean: float, by: float) -> Value:
    return lambda at: mean + by * season(at)


SERIES: dict[str, Value] = {
    f'up{{job="agent",{LABELS}}}': lambda at: 1,
    f'node_cpu_seconds_total{{job="node",{LABELS},cpu="0",mode="idle"}}': _counter(0.75),
    f'node_memory_MemAvailable_bytes{{job="node",{LABELS}}}': _swinging(500, 200),
    f'node_memory_MemTotal_bytes{{job="node",{LABELS}}}': lambda at: 1000,
    f'node_vmstat_oom_kill{{job="node",{LABELS}}}': lambda at: at // DAY,
    f"container_cpu_usage_seconds_total{{{CADVISOR}}}": _counter(0.5),
    f"container_memory_working_set_bytes{{{CADVISOR}}}": _swinging(1000, 400),
    f"container_start_time_seconds{{{CADVISOR}}}": restarted,
    f'probe_success{{job="probe",{LABELS},probe="site"}}': probed,
    f'http_requests_total{{job="shop",{LABELS},status="200"}}': _counter(9),
    f'http_requests_total{{job="shop",{LABELS},status="503"}}': _counter(1),
    **{
        f'http_request_duration_seconds_bucket{{job="shop",{LABELS},le="{le}"}}': _counter(rate)
        for le, rate in (("0.1", 5), ("1", 10), ("+Inf", 10))
    },
}


def write(folder: Path, end: int, uncompacted: int) -> None:
    """The samples of two years as OpenMetrics, one file for each block. In the last `uncompacted` seconds, and up to
    two days before, blocks are as short as Receive's: Compact would merge two whole days, and thin them out."""
    begun, recent = end - YEARS, (end - uncompacted) // (2 * DAY) * 2 * DAY
    while begun < end:
        span, limit = (SPAN, recent) if begun < recent else (receive.BLOCK, end)
        until = min((begun // span + 1) * span, limit)
        times = [*range(begun, min(until, end - NEW), SPARSE), *range(max(begun, end - NEW), until, DENSE)]
        with (folder / (MOVED if begun < recent else RECENT) / f"{begun}.txt").open("w") as file:
            for series, value in SERIES.items():
                file.writelines(f"{series} {value(at)} {at}\n" for at in times)
            file.write("# EOF\n")
        begun = until


@dataclass(frozen=True)
class Range:
    """What Grafana puts in for a time range, at 1000 pixels: seconds of the range, and between two points."""

    seconds: int
    step: int
    ago: int = 0  # how long before the end of the samples the range ends

    def filled(self, expr: str) -> str:
        values = {
            "__range": f"{self.seconds}s",
            "__interval": f"{self.step}s",
            "__rate_interval": f"{max(self.step + 15, 60)}s",
        }
        return re.sub(r"\$\{?([A-Za-z_]\w*)\}?", lambda match: values.get(match[1], ".*"), expr)


class Years:
    """A bucket with the blocks; Query over it. `end`: the time of the newest sample."""

    def __init__(self, rig: Rig, images: dict[str, str], end: int) -> None:
        self.rig, self.images, self.end = rig, images, end
        self.network = rig.network("hub")
        self.bucket = backup.Bucket(rig, images["s3"], rig.home, size="600m")
        self.settings = settings(rig, self.bucket)
        self.context = Context(settings=self.settings, name="hub")
        self._files()
        (port,) = free_ports(1)
        self.port = port
        self.client = HubClient(f"http://127.0.0.1:{port}", timeout=60)

    def _files(self) -> None:
        host, bucket = self.bucket.url.removeprefix("http://"), backup.BUCKET
        place = places.Place(host, secure=False, bucket=bucket, region=places.SPACES_REGION)
        for folder in ("config", "secrets", "blocks"):
            (self.rig.home / folder).mkdir()
        (self.rig.home / "config" / OBJSTORE).write_text(places.objstore(place))
        (self.rig.home / "config" / HERE).write_text("type: FILESYSTEM\nconfig: {directory: /blocks/here}\n")
        key = f"aws_access_key_id = {self.bucket.key}\naws_secret_access_key = {self.bucket.secret}\n"
        (self.rig.home / "secrets" / places.CREDENTIALS).write_text(f"[default]\n{key}")

    @property
    def options(self) -> tuple[str, ...]:
        """Options of every container of Thanos."""
        home = self.rig.home
        return (
            "--network", self.network, "--user", "0:0", "-e", places.ENVIRONMENT[0], "-v",
            f"{home}/config:{CONFIG}:ro", "-v", f"{home}/secrets:{names.SECRETS}:ro", "-v", f"{home}/blocks:/blocks",
        )  # fmt: skip

    def once(self, key: str, shell: str) -> str:
        """A shell command in an image, to its end."""
        label = ("--label", f"fleetwatch.test={self.rig.prefix}")
        return docker("run", "--rm", *label, *self.options, "--entrypoint", "sh", self.images[key], "-ec", shell)

    def seed(self) -> None:
        """Make the blocks, and upload them as `make grow` and Receive do."""
        blocks = self.rig.home / "blocks"
        for folder in (MOVED, RECENT):
            (blocks / folder).mkdir()
        write(blocks, self.end, compact.until(self.settings))
        make = "promtool tsdb create-blocks-from -q openmetrics --max-block-duration=487h"
        for folder in (MOVED, RECENT):
            each = f'mkdir made; for one in *.txt; do {make} "$one" made; done; rm *.txt'
            self.once("prometheus", f"cd /blocks/{folder}; {each}")
        # As compacted blocks of a hub's disk, which Thanos' own program leaves out by default.
        self.once("prometheus", f'sed -i \'s/"level": *1/"level": 3/\' /blocks/{MOVED}/made/*/meta.json')
        self.once("thanos", grow.upload(f"/blocks/{MOVED}", grow.LABELS))
        oldest = self.end - receive.retention(self.settings) - receive.BLOCK
        for block in (blocks / RECENT / "made").iterdir():
            if json.loads((block / "meta.json").read_text())["minTime"] >= oldest * 1000:
                shutil.copytree(block, blocks / DISK / "made" / block.name)
        for folder, place in ((RECENT, OBJSTORE), (DISK, HERE)):
            own = grow.upload(f"/blocks/{folder}", {**grow.LABELS, REPLICA: self.rig.prefix})
            self.once("thanos", own.replace(OBJSTORE, place))

    def compacted(self) -> None:
        """Compact, once: blocks of five minutes and an hour; raw ones older than `keep.raw` are deleted."""
        (spec,) = compact.specs(self.context)
        words = [word for word in spec.command if word != "--wait"]
        fresh = "--consistency-delay=0s"  # the blocks are as new as their upload
        self.once("thanos", f"thanos {' '.join(words)} {fresh}")
        location = f"--objstore.config-file={CONFIG}/{OBJSTORE}"
        self.once("thanos", f"thanos tools bucket cleanup --delete-delay=0s {fresh} {location}")

    def blocks(self) -> str:
        """Thanos' table of the bucket's blocks."""
        location = f"--objstore.config-file={CONFIG}/{OBJSTORE}"
        return self.once("thanos", f"thanos tools bucket inspect --output=csv {location} 2> /dev/null")

    def start(self) -> None:
        (stores,), (queries,) = store.specs(self.context), query.specs(self.context)
        self._part(stores, ())
        # Receive answers what is on its disk, as raw samples; a Store over a folder stands for it.
        here = tuple(word.replace(OBJSTORE, HERE) for word in stores.command)
        self._part(dataclasses.replace(stores, role=RECEIVE, command=here), ())
        self._part(queries, ("-p", f"127.0.0.1:{self.port}:{names.PROMETHEUS_PORT}"))
        eventually("the bucket is read", lambda: self.client.metrics("node_vmstat_oom_kill", self.end - 60))

    def _part(self, spec: ServiceSpec, options: tuple[str, ...]) -> None:
        name = self.rig.container(spec.role)
        self.rig.run(self.images["thanos"], *spec.command, options=("--name", name, *options, *self.options))

    def graph(self, expr: str, span: Range) -> list[tuple[int, float]]:
        """The points of an expression with one series; none without a series."""
        end = (self.end - span.ago) // span.step * span.step
        found = self.client.metric_range(span.filled(expr), end - span.seconds, end, span.step)
        assert len(found) <= 1, found
        return [(int(at), float(value)) for one in found for at, value in one["values"]]

    def stat(self, expr: str, span: Range) -> float:
        """The value of an expression at the end of the samples."""
        (one,) = self.client.metrics(span.filled(expr), self.end)
        return float(one["value"][1])

    def values(self, expr: str, ago: int = 0, raw: bool = False) -> dict[str, float]:
        """The values of an expression by their labels, so many seconds before the end; `raw`: of raw samples alone."""
        resolution = {"max_source_resolution": "0s"} if raw else {}
        found = self.client.get("/api/v1/query", query=expr, time=str(self.end - ago), **resolution)["data"]["result"]
        return {str(sorted(one["metric"].items())): float(one["value"][1]) for one in found}


def settings(rig: Rig, bucket: backup.Bucket) -> Settings:
    """Those of a hub with this bucket, and what the samples' panels need."""
    s3 = {"endpoint": bucket.url, "bucket": backup.BUCKET, "access_key": bucket.key, "secret_key": bucket.secret}
    shop = {"target": "shop:8000", "http": {}}
    hub: dict[str, Any] = {"local": {}, "storage": {"kind": "bucket", "bucket": {"s3": s3}}}
    edge = {"networks": ["shop"], "apps": {"shop": shop}, "probes": {"site": {"http": "https://example.com"}}}
    return load({"prefix": rig.prefix, "env": "test", "hub": hub, "hosts": {"hub": edge}}, SOURCE)
