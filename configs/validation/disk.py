"""Whether the hub's volume is large enough for its retention."""

from __future__ import annotations

from collections.abc import Iterator

from configs import disk
from configs.settings import Settings
from configs.settings.hub import Hub
from configs.settings.places import HubDroplet
from configs.units import show_duration, show_size


def problems(settings: Settings) -> Iterator[str]:
    """Each with its path. How large any other disk is, only its machine knows."""
    if settings.hub.droplet is None:
        return
    path, volume = _smallest(settings.hub)
    retention = settings.hub.retention
    if disk.is_limited(settings) and retention.metrics_size > volume * disk.GB * disk.SHARE:
        yield (
            f"hub.retention.metrics_size: expected at most {int(volume * disk.SHARE)}GB (80 % of {path}), "
            f"got {show_size(retention.metrics_size)}"
        )
    elif volume < disk.needed_gb(settings):
        hosts = len(settings.edges)
        times = f"{show_duration(retention.metrics)} of metrics and {show_duration(retention.logs)} of logs"
        yield (
            f"{path}: expected at least {disk.needed_gb(settings)} (GB) for {times} of {hosts} "
            f"host{'s' if hosts > 1 else ''} ({disk.parts(settings)}), got {volume}; enlarge it, shorten "
            "hub.retention, or limit the metrics by hub.retention.metrics_size"
        )


def _smallest(hub: Hub) -> tuple[str, int]:
    """Path and GB of the hub's volume; of several nodes the smallest."""
    found = {"hub.droplet.volume": hub.place("hub")["droplet"]}
    found |= {f"hub.storage.nodes.{node}.volume": hub.place(host)["droplet"] for host, node in hub.nodes.items()}
    volumes = {path: place.volume for path, place in found.items() if isinstance(place, HubDroplet)}
    return min(volumes.items(), key=lambda item: item[1])
