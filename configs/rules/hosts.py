"""Alerts about hosts, from the node exporter. Silent hosts are in pipeline.py."""

from __future__ import annotations

from configs.rules import agents
from configs.rules.counters import COUNT, increase_of, nonzero_rounded
from configs.rules.model import Alert, Group
from configs.rules.recording import NEWEST
from configs.settings import Settings
from configs.settings.thresholds import Thresholds

NODE = 'job="node"'
NO_DISK = "the host is a container and has no disk"
# Excludes memory, read-only images, and the views that containers have of the same disk.
DISKS = 'fstype!~"tmpfs|ramfs|overlay|squashfs|iso9660|nsfs|autofs|fuse.*"'

# Joined by device, because other mounts of the system disk are equally full. VolumeFull covers other devices.
SYSTEM = f'node_filesystem_size_bytes{{{NODE},mountpoint=~"/|/boot(/.*)?|/efi"}}'


def group(settings: Settings) -> Group:
    """The same rules for every host, with the thresholds of the stack file."""
    return Group(
        name="hosts",
        rules=(
            DISK_USED,
            DISK_FULL_SOON,
            INODES_USED,
            READ_ONLY,
            MEMORY_USED,
            LOAD_HIGH,
            _clock_skew(settings),
            NETWORK_ERRORS,
            OUT_OF_MEMORY,
            RESTARTED,
        ),
    )


def _disk_used(matchers: str, limits: Thresholds) -> str:
    selector = f"{NODE},{DISKS}{matchers}"
    used = f"1 - node_filesystem_avail_bytes{{{selector}}} / (node_filesystem_size_bytes{{{selector}}} > 0)"
    return f"{used} > {limits.disk_used} and on (env, host, device) {SYSTEM}"


DISK_USED = Alert(
    name="DiskUsed",
    expr=_disk_used,
    keys=("disk_used",),
    severity="critical",
    summary="File system {{ $labels.mountpoint }} on {{ $labels.host }} is {{ $value | humanizePercentage }} full",
    description="When it is full, databases stop and containers cannot start. Free space, or enlarge the disk.",
    empty=NO_DISK,
)


def _disk_full_soon(matchers: str, limits: Thresholds) -> str:
    """Seconds until the disk is full, by linear regression over the last six hours (`deriv`, as in predict_linear).

    Only for disks that are more than half full, because a copy of an hour would fill any disk at its rate. Only with
    samples of five hours, because a regression over minutes is meaningless.
    """
    free = f"node_filesystem_avail_bytes{{{NODE},{DISKS}{matchers}}}"
    size = f"node_filesystem_size_bytes{{{NODE},{DISKS}{matchers}}}"
    pace = f"(-deriv({free}[6h]) > 0)"
    return f"({free} / {pace} < {limits.disk_full_in}) and {free} / ({size} > 0) < 0.5 and {free} offset 5h"


DISK_FULL_SOON = Alert(
    name="DiskFullSoon",
    expr=_disk_full_soon,
    keys=("disk_full_in",),
    wait="30m",
    summary="File system {{ $labels.mountpoint }} on {{ $labels.host }} will be full in {{ $value | humanizeDuration "
    "}}",
    description="Linear forecast from the last six hours. Find what grows before databases stop and containers cannot "
    "start.",
)


def _inodes_used(matchers: str, limits: Thresholds) -> str:
    selector = f"{NODE},{DISKS}{matchers}"  # file systems with dynamic inodes report 0
    used = f"1 - node_filesystem_files_free{{{selector}}} / (node_filesystem_files{{{selector}}} > 0)"
    return f"{used} > {limits.inodes_used}"


INODES_USED = Alert(
    name="InodesUsed",
    expr=_inodes_used,
    keys=("inodes_used",),
    summary="File system {{ $labels.mountpoint }} on {{ $labels.host }} uses {{ $value | humanizePercentage }} of its "
    "inodes",
    description="Without free inodes no file can be created, even with free space. The usual cause is very many small "
    "files.",
)


def _read_only(matchers: str, _: Thresholds) -> str:
    """File systems that were writable within the last day, which excludes intended read-only mounts, and those for
    which the alert is active already: it lasts as long as its cause."""
    readonly = f"node_filesystem_readonly{{{NODE},{DISKS}{matchers}}}"
    active = f'last_over_time(ALERTS{{alertname="ReadOnlyFilesystem"{matchers}}}[1d])'
    return (
        f"{readonly} == 1 and (min_over_time({readonly}[1d:10m]) == 0"
        f" or {readonly} and on (env, host, device, mountpoint) {active})"
    )


READ_ONLY = Alert(
    name="ReadOnlyFilesystem",
    expr=_read_only,
    wait="2m",
    severity="critical",
    summary="File system {{ $labels.mountpoint }} on {{ $labels.host }} became read-only",
    description="Linux does this after I/O errors; nothing can be written. Check the kernel log.",
)


def _memory_used(matchers: str, limits: Thresholds) -> str:
    selector = f"{NODE}{matchers}"
    used = f"1 - node_memory_MemAvailable_bytes{{{selector}}} / node_memory_MemTotal_bytes{{{selector}}}"
    return f"{used} > {limits.memory_used}"


MEMORY_USED = Alert(
    name="MemoryUsed",
    expr=_memory_used,
    keys=("memory_used",),
    wait="10m",
    summary="Host {{ $labels.host }} uses {{ $value | humanizePercentage }} of its memory",
    description="The kernel may kill a process soon. Reclaimable caches are not counted. Find the largest processes.",
)


def _load_high(matchers: str, limits: Thresholds) -> str:
    load = f"node_load5{{{NODE}{matchers}}}"
    cores = f'count by (env, host) (node_cpu_seconds_total{{{NODE},mode="idle"{matchers}}})'
    return f"sum by (env, host) ({load}) / {cores} > {limits.load_per_core}"


LOAD_HIGH = Alert(
    name="LoadHigh",
    expr=_load_high,
    keys=("load_per_core",),
    wait="15m",
    summary='Host {{ $labels.host }} has a load of {{ $value | printf "%.1f" }} per core',
    description="More tasks are waiting for CPU or disk than the host can run. The dashboard shows which resource is "
    "short.",
)


def _clock_skew(settings: Settings) -> Alert:
    """Seconds by which the clock is ahead; negative if it is behind. Three sources, because none covers all cases.

    - The kernel's estimate; it exists only if a time service (NTP) is running.
    - Ahead of the hub: a sample has a timestamp in the hub's future. Precise except for the network delay. The hub
      rejects samples that are more than ten minutes ahead: such a host is silent.
    - Behind the hub: even the newest sample is old. A skew below the scrape interval plus five seconds is not detected,
      because it looks like the time between two scrapes or slow sending.
    """
    pause = max(edge.scrape.agents for edge in settings.edges.values()) + 5

    def skew(matchers: str, limits: Thresholds) -> str:
        kernel = f"max by (env, host) (-node_timex_offset_seconds{{{NODE}{matchers}}})"
        ahead = f"max by (env, host) (max_over_time(node_time_seconds{{{NODE}{matchers}}}[10m] offset -10m)) - time()"
        queued = agents.nothing_queued(settings, matchers, pause)
        freshest = f'max_over_time(({NEWEST}{{host=~".+"{matchers}}} - time())[5m:15s]) + {pause}'
        least = limits.clock_skew
        return (
            f"({kernel} > {least}) or ({kernel} < -{least}) or ({ahead} > {least})"
            f" or ({freshest} < -{least} and on (env, host) ({queued}))"
        )

    return Alert(
        name="ClockSkew",
        expr=skew,
        keys=("clock_skew",),
        summary="The clock of {{ $labels.host }} is "
        '{{ $value | humanizeDuration | reReplaceAll "-" "" }} {{ if gt $value 0.0 }}ahead{{ else }}behind{{ end }}',
        description="Timestamps in the logs and metrics of {{ $labels.host }} are wrong; tokens and certificates may "
        "be rejected. Check that a time service such as chrony or systemd-timesyncd is running.",
    )


def _network_errors(matchers: str, limits: Thresholds) -> str:
    """Only with more than 0.1 errors per second, so that a single error on an idle interface does not fire."""
    selector = f'{{{NODE},device!="lo"{matchers}}}[5m]'

    def both(what: str) -> str:
        return (
            f"(rate(node_network_receive_{what}_total{selector}) + rate(node_network_transmit_{what}_total{selector}))"
        )

    return f"{both('errs')} / ({both('packets')} > 0) > {limits.network_errors} and {both('errs')} > 0.1"


NETWORK_ERRORS = Alert(
    name="NetworkErrors",
    expr=_network_errors,
    keys=("network_errors",),
    wait="10m",
    summary="Interface {{ $labels.device }} on {{ $labels.host }} has errors in {{ $value | humanizePercentage }} of "
    "its packets",
    description="Usual causes are a faulty cable, port or driver, or an overloaded virtualization host.",
)

OUT_OF_MEMORY = Alert(
    name="OutOfMemory",
    expr=lambda matchers, _: nonzero_rounded(increase_of("node_vmstat_oom_kill", f"{NODE}{matchers}", "15m")),
    wait="0s",
    summary="Host {{ $labels.host }} ran out of memory: " + COUNT + " OOM kills in 15 minutes",
    description="The whole host or a container ran out of memory. The kernel log names the killed processes.",
)


def _restarted(matchers: str, _: Thresholds) -> str:
    """Only hosts with older samples, which excludes new hosts. Both times are by the host's clock."""
    selector = f"{{{NODE}{matchers}}}"
    return (
        f"node_time_seconds{selector} - node_boot_time_seconds{selector} < 900"
        f" and on (env, host) count_over_time(up{selector}[1d:10m] offset 20m)"
    )


RESTARTED = Alert(
    name="HostRestarted",
    expr=_restarted,
    wait="0s",
    severity="info",
    summary="Host {{ $labels.host }} booted {{ $value | humanizeDuration }} ago",
    description="If this was not planned, check its journal and the provider. No data was collected while it was down.",
)
