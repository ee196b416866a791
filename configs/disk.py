"""How much disk the retention of a stack file needs, estimated from what its hosts send.

Series per scrape are those of this project's own stack with nine containers on a host (2026-11-21: Prometheus 3.15,
Promtail, and the offline builds). So are the bytes per sample: 0.99 in chunks of 120 samples, and a tenth for the
index; Prometheus' documentation says 1 to 2, more the more the values vary. What was not measured says so. Log volume
is a guess that the sentence names, so that everyone can hold it against their own.
"""

from __future__ import annotations

import math

from configs.services import SERIES_OF_APP, service_jobs
from configs.services.context import Context
from configs.settings import Settings
from configs.units import show_duration, show_size

BYTES_PER_SAMPLE = 1.1
LOG_BYTES_PER_DAY = 20 * 1024**2  # of one host, compressed: about 200 MB as written
SHARE = 0.8  # of a disk that may be filled; Prometheus' documentation says 80-85 %
GB = 1024**3


def samples_per_second(settings: Settings) -> float:
    """What the hub takes in."""
    rates: list[float] = []
    for name, edge in settings.edges.items():
        rates += [job.series / job.interval for job in service_jobs(Context(settings=settings, name=name))]
        rates += [SERIES_OF_APP / app.interval for app in edge.apps.values()]
    return sum(rates)


def metrics_bytes(settings: Settings) -> int:
    """Of all metrics over their retention."""
    return int(samples_per_second(settings) * settings.hub.retention.metrics * BYTES_PER_SAMPLE)


def logs_bytes(settings: Settings) -> int:
    """Of all logs over their retention."""
    return int(len(settings.edges) * LOG_BYTES_PER_DAY * settings.hub.retention.logs / 86400)


def needed_gb(settings: Settings) -> int:
    """The smallest volume that holds what the stack file asks for, in GB. A `metrics_size` that is given bounds the
    metrics: then the oldest may go earlier."""
    metrics = metrics_bytes(settings)
    if _is_given(settings):
        metrics = min(metrics, settings.hub.retention.metrics_size)
    return math.ceil((metrics + logs_bytes(settings)) / SHARE / GB)


def metrics_size(settings: Settings) -> int:
    """Bytes from which on Prometheus drops its oldest blocks: as given, else what the volume leaves beside logs."""
    if settings.hub.droplet is None or _is_given(settings):
        return settings.hub.retention.metrics_size
    left = int(settings.hub.droplet.volume * GB * SHARE) - logs_bytes(settings)
    return max(GB, left // 1024**2 * 1024**2)


def problems(settings: Settings) -> list[str]:
    """What is wrong with the volume's size, if anything."""
    if settings.hub.droplet is None:
        return []
    volume, retention = settings.hub.droplet.volume, settings.hub.retention
    if _is_given(settings) and retention.metrics_size > volume * GB * SHARE:
        return [
            f"hub.retention.metrics_size: expected at most {int(volume * SHARE)}GB (80 % of hub.droplet.volume), "
            f"got {show_size(retention.metrics_size)}"
        ]
    if volume >= needed_gb(settings):
        return []
    hosts = len(settings.edges)
    times = f"{show_duration(retention.metrics)} of metrics and {show_duration(retention.logs)} of logs"
    return [
        f"hub.droplet.volume: expected at least {needed_gb(settings)} (GB) for {times} of {hosts} "
        f"host{'s' if hosts > 1 else ''} ({_shares(settings)}), got {volume}; enlarge it, shorten hub.retention, or "
        "let the oldest metrics go earlier: hub.retention.metrics_size"
    ]


def sentence(settings: Settings) -> str:
    """One line for a preview."""
    room = f" of {settings.hub.droplet.volume} GB" if settings.hub.droplet is not None else ""
    return f"Retention will need about {needed_gb(settings)} GB{room}: {_shares(settings)}"


def _shares(settings: Settings) -> str:
    size = settings.hub.retention.metrics_size
    bound = f", {show_size(size)} kept" if _is_given(settings) and size < metrics_bytes(settings) else ""
    return (
        f"metrics ~{metrics_bytes(settings) / GB:.1f} GB ({samples_per_second(settings):.0f} samples/s{bound}), logs "
        f"~{logs_bytes(settings) / GB:.1f} GB (20 MB compressed a day and host), a fifth of the disk kept free"
    )


def _is_given(settings: Settings) -> bool:
    return "metrics_size" in settings.hub.retention.model_fields_set
