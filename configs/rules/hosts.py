"""Alerts about machines: what the node exporter says. That a host is silent is pipeline.py's, it says nothing then."""

from __future__ import annotations

from configs.rules.counting import COUNT, grown, whole
from configs.rules.model import Alert, Group
from configs.rules.records import NEWEST
from configs.settings import Settings
from configs.settings.thresholds import Thresholds

NODE = 'job="node"'
SHOWN_BY = "tests/rendered/test_rules.py::test_it_fires_in_these_words_and_is_silent_otherwise"
NO_DISK = f"a machine that is a container itself, as in the rehearsal, has no disk of its own; {SHOWN_BY} has one"
# Not disks: memory, images mounted read-only, and what containers see of the same disk.
DISKS = 'fstype!~"tmpfs|ramfs|overlay|squashfs|iso9660|nsfs|autofs|fuse.*"'

# By its device: whatever else is mounted from it is as full. What is not on it is a volume's business (VolumeFull).
SYSTEM = f'node_filesystem_size_bytes{{{NODE},mountpoint=~"/|/boot(/.*)?|/efi"}}'


def group(settings: Settings) -> Group:
    """The same for every host; thresholds as the stack file says."""
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
    of = f"{NODE},{DISKS}{matchers}"
    used = f"1 - node_filesystem_avail_bytes{{{of}}} / (node_filesystem_size_bytes{{{of}}} > 0)"
    return f"{used} > {limits.disk_used} and on (env, host, device) {SYSTEM}"


DISK_USED = Alert(
    name="DiskUsed",
    expr=_disk_used,
    keys=("disk_used",),
    severity="critical",
    summary="{{ $labels.mountpoint }} on {{ $labels.host }} is {{ $value | humanizePercentage }} full",
    advice="Little is left on it; when it is full, databases stop and containers cannot start.",
    empty=NO_DISK,
)


def _disk_full_soon(matchers: str, limits: Thresholds) -> str:
    """Seconds until it is full, by the straight line through the last six hours (`deriv`, the line of predict_linear).

    Not of a disk that is not half full: one that was just begun grows fast in proportion, and a copy that runs for an
    hour would fill any. Not before there were samples for five hours: a line through a few minutes says nothing.
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
    summary="{{ $labels.mountpoint }} on {{ $labels.host }} will be full in {{ $value | humanizeDuration }}",
    advice="At the pace of the last six hours. Find what grows before databases stop and containers cannot start.",
)


def _inodes_used(matchers: str, limits: Thresholds) -> str:
    of = f"{NODE},{DISKS}{matchers}"  # file systems that make inodes as they go have 0 of them
    return f"1 - node_filesystem_files_free{{{of}}} / (node_filesystem_files{{{of}}} > 0) > {limits.inodes_used}"


INODES_USED = Alert(
    name="InodesUsed",
    expr=_inodes_used,
    keys=("inodes_used",),
    summary="{{ $labels.mountpoint }} on {{ $labels.host }} has used {{ $value | humanizePercentage }} of its inodes",
    advice="With none left no file can be made there, however much space is free. Usually very many small files.",
)


def _read_only(matchers: str, _: Thresholds) -> str:
    """One that could be written within the last day: a mount that is meant to be read-only always was."""
    readonly = f"node_filesystem_readonly{{{NODE},{DISKS}{matchers}}}"
    return f"{readonly} == 1 and min_over_time({readonly}[1d:10m]) == 0"


READ_ONLY = Alert(
    name="ReadOnlyFilesystem",
    expr=_read_only,
    wait="2m",
    severity="critical",
    summary="{{ $labels.mountpoint }} on {{ $labels.host }} has become read-only",
    advice="Linux does this after errors of the disk: nothing can be written any more. The kernel's log says why.",
)


def _memory_used(matchers: str, limits: Thresholds) -> str:
    of = f"{NODE}{matchers}"
    return f"1 - node_memory_MemAvailable_bytes{{{of}}} / node_memory_MemTotal_bytes{{{of}}} > {limits.memory_used}"


MEMORY_USED = Alert(
    name="MemoryUsed",
    expr=_memory_used,
    keys=("memory_used",),
    wait="10m",
    summary="{{ $labels.host }} uses {{ $value | humanizePercentage }} of its memory",
    advice="The kernel will soon end a process to go on. Caches do not count here, they are given back.",
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
    summary='{{ $labels.host }} has a load of {{ $value | printf "%.1f" }} per core',
    advice="More work waits for CPU or disk than is done. The host's dashboard shows which of the two.",
)


def _clock_skew(settings: Settings) -> Alert:
    """Three ways, because none sees everything. Seconds by which it is ahead; behind is less than nothing.

    - The kernel's own estimate, of what the clock lacks; only something that keeps the clock (NTP) makes one.
    - Ahead of the hub: a sample says a time that the hub has not reached yet. Exact but for the way here. What is more
      than ten minutes ahead the hub refuses: that host is silent.
    - Behind the hub: even the freshest sample is old. To tell that from the time between two scrapes and from slow
      sending, what is less than such a time and five seconds is not seen.
    """
    pause = max(edge.scrape.agents for edge in settings.edges.values()) + 5

    def skew(matchers: str, limits: Thresholds) -> str:
        kernel = f"max by (env, host) (-node_timex_offset_seconds{{{NODE}{matchers}}})"
        ahead = f"max by (env, host) (max_over_time(node_time_seconds{{{NODE}{matchers}}}[10m] offset -10m)) - time()"
        agent = f'job="agent"{matchers}'
        queued = (
            f"max by (env, host) (prometheus_remote_storage_queue_highest_timestamp_seconds{{{agent}}}"
            f" - prometheus_remote_storage_queue_highest_sent_timestamp_seconds{{{agent}}}) < {pause}"
        )
        freshest = f'max_over_time(({NEWEST}{{host=~".+"{matchers}}} - time())[5m:15s]) + {pause}'
        least = limits.clock_skew
        return (
            f"({kernel} > {least}) or ({kernel} < -{least}) or ({ahead} > {least})"
            f" or ({freshest} < -{least} and on (env, host) {queued})"
        )

    return Alert(
        name="ClockSkew",
        expr=skew,
        keys=("clock_skew",),
        summary="The clock of {{ $labels.host }} is "
        '{{ $value | humanizeDuration | reReplaceAll "-" "" }} {{ if gt $value 0.0 }}ahead{{ else }}behind{{ end }}',
        advice="Times in logs and metrics of {{ $labels.host }} do not match those of others; tokens and certificates "
        "may be refused. Something has to keep its clock, such as chrony or systemd-timesyncd.",
    )


def _network_errors(matchers: str, limits: Thresholds) -> str:
    """With at least one a second in ten: a single error on a quiet line is no share of anything."""
    of = f'{{{NODE},device!="lo"{matchers}}}[5m]'

    def both(what: str) -> str:
        return f"(rate(node_network_receive_{what}_total{of}) + rate(node_network_transmit_{what}_total{of}))"

    return f"{both('errs')} / ({both('packets')} > 0) > {limits.network_errors} and {both('errs')} > 0.1"


NETWORK_ERRORS = Alert(
    name="NetworkErrors",
    expr=_network_errors,
    keys=("network_errors",),
    wait="10m",
    summary="{{ $labels.device }} on {{ $labels.host }} has errors in {{ $value | humanizePercentage }} of its packets",
    advice="A bad cable, port or driver, or a virtual network card whose host is overloaded.",
)

OUT_OF_MEMORY = Alert(
    name="OutOfMemory",
    expr=lambda matchers, _: whole(grown("node_vmstat_oom_kill", f"{NODE}{matchers}", "15m")),
    wait="0s",
    summary="The kernel of {{ $labels.host }} ended processes for lack of memory: " + COUNT + " within 15 minutes",
    advice="Of the whole machine or of a container that reached its limit; the kernel's log names the process.",
)


def _restarted(matchers: str, _: Thresholds) -> str:
    """Only a host that the hub has known for longer: a new one starts too. Both times are by the host's own clock."""
    of = f"{{{NODE}{matchers}}}"
    return (
        f"node_time_seconds{of} - node_boot_time_seconds{of} < 900"
        f" and on (env, host) count_over_time(up{of}[1d:10m] offset 20m)"
    )


RESTARTED = Alert(
    name="HostRestarted",
    expr=_restarted,
    wait="0s",
    severity="info",
    summary="{{ $labels.host }} was started {{ $value | humanizeDuration }} ago",
    advice="If nobody did that, ask its journal and the provider. While it was down nothing was collected.",
)
