"""What `make grow` shows before it does anything: what is copied, how long it takes, what a month costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

from configs import cost, disk
from configs.settings import Settings
from configs.settings.storage import Storage
from configs.units import show_duration, show_size
from tools.bucket_blocks import Block
from tools.errors import ToolError
from tools.hub_move import DAY

SPEED = 20 * 1024**2  # bytes per second between a hub and its bucket: not measured at a provider
MB = 1024**2


@dataclass(frozen=True)
class Coming:
    """What is copied: raw blocks with samples that Prometheus keeps, from `begin` in seconds on; the time from which
    there are blocks of any resolution, and the bytes that are free on the disk."""

    blocks: Sequence[Block]
    begin: float
    oldest: float
    free: int

    @property
    def size(self) -> int:
        return sum(block.size for block in self.blocks)


def _with(settings: Settings, storage: Storage) -> Settings:
    """The settings with another `hub.storage`."""
    return replace(settings, hub=settings.hub.model_copy(update={"storage": storage}))


def _in_bucket(settings: Settings) -> Storage:
    return Storage(kind="bucket", bucket=settings.hub.storage.bucket, keep=settings.hub.storage.keep)


def to_bucket(settings: Settings, size: int | None) -> str:
    """For TO=bucket. `size`: bytes of the metrics on the hub's disk; None: not known."""
    known = f", {_size(size)} of metrics, in about {_time(size)}" if size is not None else ""
    full = _size(disk.bucket_bytes(settings))
    return (
        f"The hub's metrics and logs go to its bucket{known}. The bucket will have about {full} once everything is as "
        "old as it is kept.\n"
        "1. `make up`: Thanos takes the place of Prometheus; edges queue what they collect meanwhile.\n"
        "2. The metrics of before are copied into the bucket, and compared. Dashboards lack them until then.\n"
        "3. The volume of before stays until `make grow FORGET=1`.\n" + _bill(_with(settings, Storage()), settings)
    )


def require_space(settings: Settings, found: Coming) -> None:
    """ToolError if Prometheus' limit or its disk is too small: it would delete the oldest blocks at once."""
    limit = disk.metrics_size(settings)
    if found.size > limit:
        raise ToolError(
            f"hub.retention.metrics_size: expected at least {_size(found.size)}, the raw samples of the bucket that "
            f"hub.retention.metrics keeps; it is {show_size(limit)}. Raise it, or keep less with hub.retention.metrics"
        )
    if found.size > found.free:
        raise ToolError(
            f"The hub's disk has {_size(found.free)} free, expected at least {_size(found.size)} for the raw "
            "samples of the bucket; enlarge it, or keep less with hub.retention.metrics"
        )


def to_single(settings: Settings, found: Coming) -> str:
    """For TO=single."""
    return (
        f"The hub's metrics go back to its disk: {len(found.blocks)} blocks, {_size(found.size)}, from "
        f"{_day(found.begin)} on, in about {_time(found.size)}; {_size(found.free)} are free. "
        f"{_lost(settings, found)}\n"
        f"Log lines before {settings.hub.storage.logs_until} stay in the bucket and are read there.\n"
        "1. `make up`: Prometheus takes the place of Thanos; edges queue what they collect meanwhile.\n"
        "2. The metrics are copied, and compared. Dashboards lack them until then.\n"
        "3. The volumes of Thanos stay until `make grow FORGET=1`, the bucket until you delete it.\n"
        + _bill(_with(settings, _in_bucket(settings)), _with(settings, Storage()))
    )


def to_cluster(settings: Settings, outputs: Mapping[str, Any], size: int) -> str:
    """For TO=cluster. `outputs`: of the last update. `size`: bytes of log lines on the hub's disk that the bucket has
    not."""
    nodes = ", ".join(f"{node} ({host})" for host, node in settings.hub.nodes.items())
    full = _size(disk.bucket_bytes(settings))
    lines = f" {_size(size)} of log lines on the hub's disk are copied into it first, in about {_time(size)}, through "
    return (
        f"The hub becomes three nodes: {nodes}. The bucket stays the same; it will have about {full} of metrics and "
        f"logs once everything is as old as it is kept, each log line three times."
        f"{lines + 'this machine.' if size else ''}\n"
        "1. `make up`: the first node restarts, then the others are made, in about 10 min. Hosts queue what they "
        "collect until a second node takes it.\n"
        "2. The first node writes the log lines of its disk into the bucket. Its newest metrics stay on its disk until "
        "they are uploaded, within three hours.\n"
        f"3. Samples and log lines of before are counted on each node.\n{_own_record(settings)}"
        + _new_bill(settings, outputs)
    )


def _own_record(settings: Settings) -> str:
    """What the user has to do during a move to three nodes, as one line; empty: nothing."""
    if not _has_own_record(settings):
        return ""
    return (
        f"The DNS record of {settings.hub.domain} is yours: give it a short TTL now, and let it name the load balancer "
        'as soon as step 1 has made that. `make pulumi ARGS="stack output entry"` prints its address once step 1 has '
        "ended, DigitalOcean's control panel has it earlier. Until then the hub cannot be reached from the internet, "
        "hosts there queue, the new nodes get no certificate, and this run ends with what is missing; the next run "
        "continues it.\n"
    )


def record_left(settings: Settings, entry: str) -> str:
    """A sentence about what may be missing after the update, with a space; empty: nothing. `entry`: the address of the
    load balancer."""
    if not _has_own_record(settings):
        return ""
    return (
        f"The DNS record of {settings.hub.domain} has to name the load balancer ({entry}); until it does, the hub "
        "cannot be reached from the internet and the new nodes get no certificate. "
    )


def _has_own_record(settings: Settings) -> bool:
    """Whether the user makes the DNS record of a hub on droplets."""
    return settings.hub.droplet is not None and settings.hub.public and settings.hub.dns_zone is None


def from_cluster(settings: Settings, outputs: Mapping[str, Any], size: int | None) -> str:
    """For TO=bucket of three nodes. `outputs`: of the last update. `size`: bytes of metrics on the disks of the nodes
    that leave; None: not known."""
    known = f" at most {_size(size)} of metrics in about {_time(size)}," if size else ""
    return (
        f"The hub becomes one host again. The bucket stays the same.\n"
        f"1. The other nodes write what they alone have into the bucket,{known} and stop. Hosts queue what they "
        "collect from then on until step 3.\n"
        "2. Samples and log lines are counted without these nodes. If one is missing, they run again.\n"
        "3. `make up`: the hub takes data alone. The other nodes are removed with their disks, and what the nodes "
        "share, such as a database. Users and dashboards that were made by hand in Grafana while there were three "
        "nodes are lost.\n"
        "4. The same is counted once more.\n" + _new_bill(settings, outputs)
    )


def _new_bill(settings: Settings, outputs: Mapping[str, Any]) -> str:
    """What a month cost by the last update, and will cost."""
    old: float | None = outputs.get("monthly_usd")
    if old is None or not settings.in_cloud:
        return "What it costs is not known: neither the hub nor the bucket is at DigitalOcean."
    new = cost.monthly(settings)
    return f"At DigitalOcean a month costs {old:.2f} USD before and {new.total:.2f} USD after (prices of {new.as_of})."


def _lost(settings: Settings, found: Coming) -> str:
    if found.oldest >= found.begin - DAY:
        return "Every sample in the bucket is copied."
    days = round((found.begin - found.oldest) / DAY)
    return (
        f"The {days} days before that, back to {_day(found.oldest)}, are lost to the dashboards: the bucket has them "
        f"down-sampled alone, or hub.retention.metrics ({show_duration(settings.hub.retention.metrics)}) is shorter."
    )


def _bill(before: Settings, after: Settings) -> str:
    if not before.in_cloud and not after.in_cloud:
        return "What it costs is not known: neither the hub nor the bucket is at DigitalOcean."
    old, new = cost.monthly(before), cost.monthly(after)
    return (
        f"At DigitalOcean a month costs {old.total:.2f} USD before and {new.total:.2f} USD after (prices of "
        f"{new.as_of}); both are paid while the bucket and the disk have the data."
    )


def _size(size: int) -> str:
    return f"{size / disk.GB:.1f} GB" if size >= disk.GB else f"{max(1, round(size / MB))} MB"


def _time(size: int) -> str:
    """With 20 MB a second."""
    return f"{max(1, round(size / SPEED / 60))} min at {SPEED // MB} MB/s"


def _day(at: float) -> str:
    return f"{datetime.fromtimestamp(at, timezone.utc):%Y-%m-%d}"
