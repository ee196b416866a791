"""How much disk the retention of a stack file needs, estimated from what its hosts send.

Series per scrape are those of this project's own stack with nine containers on a host (2026-11-21: Prometheus 3.15,
Promtail, and the offline builds). So are the bytes per sample: 0.99 in chunks of 120 samples, and a tenth for the
index; Prometheus' documentation gives 1 to 2, more the more the values vary. Numbers that were not measured are marked.
Log volume is an assumption that the message names, so that everyone can compare it with their own.
"""

from __future__ import annotations

import math

from configs.metrics_store import in_bucket
from configs.services import SERIES_OF_APP
from configs.services.thanos import receive
from configs.settings import Settings
from configs.units import show_size

BYTES_PER_SAMPLE = 1.1
LOG_BYTES_PER_DAY = 20 * 1024**2  # of one host, compressed: about 200 MB as written
SHARE = 0.8  # of a disk that may be filled; Prometheus' documentation says 80-85 %
GB = 1024**3
LOGS_LOCAL = 86400  # seconds of logs on the disk of a hub with a bucket: not measured
# Of the bytes of the same time as it arrived: one block of each resolution, one hour's not measured.
SHARE_5M, SHARE_1H = 0.34, 0.05


def samples_per_second(settings: Settings) -> float:
    """What the hub takes in. Of a host with `metrics.sample_rate` at least that."""
    total = 0.0
    for name, edge in settings.edges.items():
        rates = [job.series / job.interval for job in settings.jobs[name]]
        rates += [SERIES_OF_APP * max(1, len(app.targets)) / app.interval for app in edge.apps.values()]
        given = edge.metrics.sample_rate if "sample_rate" in edge.metrics.model_fields_set else 0
        total += max(sum(rates), given)
    return total


def metrics_bytes(settings: Settings) -> int:
    """Of all metrics on the hub's disk: over their retention, or until they are in the bucket."""
    hub = settings.hub
    kept = hub.retention.metrics if not in_bucket(settings) else receive.local(settings)
    return int(samples_per_second(settings) * kept * BYTES_PER_SAMPLE)


def logs_bytes(settings: Settings) -> int:
    """Of all logs on the hub's disk: over their retention, or until they are in the bucket."""
    return _logs_bytes(settings, settings.hub.retention.logs if not in_bucket(settings) else LOGS_LOCAL)


def _logs_bytes(settings: Settings, kept: int) -> int:
    return int(len(settings.edges) * LOG_BYTES_PER_DAY * kept / 86400)


def bucket_bytes(settings: Settings) -> int:
    """Of metrics and logs in the bucket, once everything is as old as it is kept."""
    keep = settings.hub.storage.keep
    seconds = keep.raw + SHARE_5M * keep.five_minutes + SHARE_1H * keep.one_hour
    metrics = samples_per_second(settings) * BYTES_PER_SAMPLE * seconds
    # The nodes of a cluster cut the lines of a stream into chunks each for itself, and nothing merges those.
    copies = max(1, len(settings.hub.nodes))
    return int(metrics) + copies * _logs_bytes(settings, settings.hub.retention.logs)


def needed_gb(settings: Settings) -> int:
    """The smallest volume that holds what the stack file wants, in GB. A `metrics_size` that is given bounds the
    metrics: then the oldest may go earlier."""
    metrics = metrics_bytes(settings)
    if is_limited(settings):
        metrics = min(metrics, settings.hub.retention.metrics_size)
    return math.ceil((metrics + logs_bytes(settings)) / SHARE / GB)


def metrics_size(settings: Settings) -> int:
    """Bytes from which on Prometheus drops its oldest blocks: as given, else what the volume leaves beside logs."""
    if settings.hub.droplet is None or is_limited(settings):
        return settings.hub.retention.metrics_size
    left = int(settings.hub.droplet.volume * GB * SHARE) - logs_bytes(settings)
    return max(GB, left // 1024**2 * 1024**2)


def summary(settings: Settings) -> str:
    """One line for a preview."""
    volume = f" of {settings.hub.droplet.volume} GB" if settings.hub.droplet is not None else ""
    stored = f"; its bucket about {bucket_bytes(settings) / GB:.0f} GB" if in_bucket(settings) else ""
    return f"Retention will need about {needed_gb(settings)} GB{volume}: {parts(settings)}{stored}"


def parts(settings: Settings) -> str:
    """What the estimate consists of."""
    size = settings.hub.retention.metrics_size
    bound = f", {show_size(size)} kept" if is_limited(settings) and size < metrics_bytes(settings) else ""
    return (
        f"metrics ~{metrics_bytes(settings) / GB:.1f} GB ({samples_per_second(settings):.0f} samples/s{bound}), logs "
        f"~{logs_bytes(settings) / GB:.1f} GB (20 MB compressed a day and host), a fifth of the disk kept free"
    )


def is_limited(settings: Settings) -> bool:
    """Whether the stack file limits how much disk the metrics may take."""
    return "metrics_size" in settings.hub.retention.model_fields_set
