"""Alerts about machines: what the node exporter says."""

from __future__ import annotations

from configs.rules.model import Alert, Group
from configs.settings import Settings
from configs.settings.thresholds import Thresholds

NODE = 'job="node"'
# Not disks: memory, images mounted read-only, and what containers see of the same disk.
DISKS = 'fstype!~"tmpfs|ramfs|overlay|squashfs|iso9660|nsfs|autofs|fuse.*"'


def group(settings: Settings) -> Group:
    """The same for every host; thresholds as the stack file says."""
    return Group(name="hosts", rules=(DISK_USED,))


def _disk_used(matchers: str, limits: Thresholds) -> str:
    of = f"{NODE},{DISKS}{matchers}"
    return f"1 - node_filesystem_avail_bytes{{{of}}} / (node_filesystem_size_bytes{{{of}}} > 0) > {limits.disk_used}"


DISK_USED = Alert(
    name="DiskUsed",
    expr=_disk_used,
    keys=("disk_used",),
    summary="{{ $labels.mountpoint }} on {{ $labels.host }} is {{ $value | humanizePercentage }} full",
    advice="Little is left on it; when it is full, databases stop and containers cannot start.",
)
