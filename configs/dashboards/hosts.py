"""The Hosts dashboard: CPU, memory, disks and network of every host, from the node exporter."""

from __future__ import annotations

from configs.dashboards.model import (
    ANY_IS_BAD,
    NOT_SHOWN,
    PER_SECOND,
    SHARE_USED,
    Column,
    Dashboard,
    Graph,
    Lacking,
    Query,
    Row,
    Stat,
    Table,
    env_and_host,
    firing_alerts,
    largest,
    link,
)
from configs.dashboards.panel_thresholds import fleet_thresholds, red_above, red_below, sample_age
from configs.rules import hosts as rules
from configs.settings import Settings

SELECTED = 'job="node",env=~"$env",host=~"$host"'
DISKS = f"{SELECTED},{rules.DISKS}"
INTERFACES = SELECTED + ',device!~"lo|veth.*|br-.*|docker.*|virbr.*|ifb.*"'
BY = "by (env, host)"
WORST_DISK = f"1 - node_filesystem_avail_bytes{{{DISKS}}} / (node_filesystem_size_bytes{{{DISKS}}} > 0)"
# File systems with dynamic inodes report 0.
INODES = f"1 - node_filesystem_files_free{{{DISKS}}} / (node_filesystem_files{{{DISKS}}} > 0)"
CPU = f'1 - avg {BY} (rate(node_cpu_seconds_total{{{SELECTED},mode="idle"}}[$__rate_interval]))'
MEMORY = f"1 - max {BY} (node_memory_MemAvailable_bytes{{{SELECTED}}} / node_memory_MemTotal_bytes{{{SELECTED}}})"
KNOWN = f"count {BY} (count_over_time(up{{{SELECTED}}}[$__range]))"
CORES = f'count {BY} (node_cpu_seconds_total{{{SELECTED},mode="idle"}})'
READ_ONLY = f"node_filesystem_readonly{{{DISKS}}}"
FULLEST = f"max {BY} ({WORST_DISK})"
YEAR = 31536000
# Capped at a year, so that a disk that does not fill is shown instead of an empty cell.
TIME_LEFT = (
    f"node_filesystem_avail_bytes{{{DISKS}}} / clamp_min(-deriv(node_filesystem_avail_bytes{{{DISKS}}}[6h]), 1e-9)"
)
DATABASES = Column(
    title="Databases",
    expr=f'count {BY} (pg_up{{job="postgres",env=~"$env",host=~"$host"}})',
    unit="none",
    empty="the host has no database",
)
AGE = f"time() - max {BY} (timestamp(up{{{SELECTED}}}))"
FIRING_ALERTS = firing_alerts(',host=~"$host"')  # those with `absent()` have no label `env`

_stats = Row(
    height=4,
    panels=(
        Stat(
            title="Hosts up",
            description="Hosts whose node exporter is scraped successfully.",
            unit="none",
            query=Query(expr=f"sum(up{{{SELECTED}}})"),
        ),
        Stat(
            title="Silent hosts",
            description="Hosts that sent samples within the time range and send none now.",
            unit="none",
            query=Query(expr=f"count({KNOWN} unless count {BY} (up{{{SELECTED}}})) or vector(0)"),
            steps=ANY_IS_BAD,
        ),
        Stat(
            title="Firing alerts",
            description="Of the selected hosts, without the watchdog, which always fires.",
            unit="none",
            query=Query(expr=f"count({FIRING_ALERTS}) or vector(0)"),
            steps=ANY_IS_BAD,
        ),
        Stat(
            title="OOM kills",
            description="Processes that the kernel's OOM killer ended in the time range.",
            unit="none",
            query=Query(expr=f"ceil(sum(increase(node_vmstat_oom_kill{{{SELECTED}}}[$__range])))"),
            steps=ANY_IS_BAD,
        ),
        Stat(
            title="Read-only file systems",
            description="File systems that became read-only within the last day. Linux remounts a file system "
            "read-only after I/O errors.",
            unit="none",
            query=Query(expr=f"count({READ_ONLY} == 1 and min_over_time({READ_ONLY}[1d:10m]) == 0) or vector(0)"),
            steps=ANY_IS_BAD,
        ),
    ),
)


def time_until_full_column(settings: Settings) -> Column:
    """In seconds; red at the threshold of DiskFullSoon."""
    return Column(
        title="Time to full",
        expr=f"min {BY} (clamp_max({TIME_LEFT}, {YEAR}))",
        unit="s",
        steps=red_below(fleet_thresholds(settings).disk_full_in, 7),
        mappings={YEAR: ("over a year", "green")},
    )


def utilization_columns(settings: Settings) -> tuple[Column, ...]:
    """The columns that every table of hosts starts with."""
    limits = fleet_thresholds(settings)
    return (
        Column(title="CPU", expr=CPU, unit="percentunit", steps=SHARE_USED),
        Column(title="Memory", expr=MEMORY, unit="percentunit", steps=red_above(limits.memory_used)),
        Column(title="Disk", expr=FULLEST, unit="percentunit", steps=red_above(limits.disk_used)),
        time_until_full_column(settings),
    )


def last_sample_column(settings: Settings) -> Column:
    """The age of the newest sample in seconds, by the hub's clock."""
    return Column(title="Last sample", expr=AGE, unit="s", steps=sample_age(settings))


def _columns(settings: Settings) -> tuple[Column, ...]:
    limits = fleet_thresholds(settings)
    return (
        *utilization_columns(settings),
        Column(
            title="Load per core",
            expr=f"max {BY} (node_load1{{{SELECTED}}}) / {CORES}",
            unit="short",
            steps=red_above(limits.load_per_core, 0.5),
        ),
        Column(
            title="Clock offset",
            expr=f"max {BY} (abs(node_timex_offset_seconds{{{SELECTED}}}))",
            unit="s",
            steps=red_above(limits.clock_skew, 0.5),
        ),
        Column(
            title="Uptime",
            expr=f"max {BY} (node_time_seconds{{{SELECTED}}} - node_boot_time_seconds{{{SELECTED}}})",
            unit="s",
        ),
        last_sample_column(settings),
    )


LINKS = {
    "Host": ("Containers of this host", link("containers", "var-host=${__data.fields.Host}")),
    "Last sample": ("Logs of this host", link("logs", "var-host=${__data.fields.Host}")),
}


def _overview(settings: Settings) -> Row:
    """With a column for databases if the stack file has any; hosts without one have an empty cell without a link."""
    here = "var-host=${__data.fields.Host}"
    columns, links = _columns(settings), LINKS
    if any(edge.postgres for edge in settings.edges.values()):
        columns = (*columns, DATABASES)
        links = {**links, "Databases": ("Databases of this host", link("postgres", here))}
    return Row(
        panels=(
            Table(
                title="Host overview",
                description="Current values. Disk is the fullest file system, time to full a linear forecast from the "
                "last six hours. The clock offset is the kernel's estimate; a last sample with a negative age means "
                "that the host's clock is ahead of the hub's. Links: host to Containers, last sample to Logs.",
                labels={"env": NOT_SHOWN, "host": "Host"},
                columns=columns,
                rows=5,
                links=links,
                sort="CPU",
            ),
        ),
    )


# The node exporter's pressure collector succeeds on a kernel with pressure information, and reports 0 on one without.
NO_PRESSURE = Lacking(
    hosts=f'max(node_scrape_collector_success{{collector="pressure",{SELECTED}}}) == 0',
    reason="the kernel of the host has no pressure information (CONFIG_PSI, or psi=0 at boot)",
)


def _pressure(resource: str, name: str) -> Query:
    return Query(
        expr=f"max {BY} (rate(node_pressure_{resource}_waiting_seconds_total{{{SELECTED}}}[$__rate_interval]))",
        legend="{{host}} " + name,
        lacking=NO_PRESSURE,
    )


_processor = Row(
    title="CPU and memory",
    panels=(
        Graph(
            title="CPU usage",
            description="Busy share of all cores.",
            unit="percentunit",
            axis_max=1,
            queries=(Query(expr=CPU, legend="{{host}}"),),
        ),
        Graph(
            title="Memory usage",
            description="Share of memory that is not available to programs; reclaimable memory is available.",
            unit="percentunit",
            axis_max=1,
            queries=(Query(expr=MEMORY, legend="{{host}}"),),
        ),
        Graph(
            title="Pressure (PSI)",
            description="Share of time in which at least one task waited for CPU, I/O or memory (pressure stall "
            "information).",
            unit="percentunit",
            no_value="no pressure information",
            queries=(
                _pressure("cpu", "CPU"),
                _pressure("io", "I/O"),
                _pressure("memory", "memory"),
            ),
        ),
    ),
)

_disk = Row(
    title="Disk",
    panels=(
        Graph(
            title="Disk space usage",
            description="Usage of each file system, as seen by an unprivileged user.",
            unit="percentunit",
            axis_max=1,
            queries=(
                Query(expr=largest(f"max by (env, host, mountpoint) ({WORST_DISK})"), legend="{{host}} {{mountpoint}}"),
            ),
        ),
        Graph(
            title="Inode usage",
            description="Usage of each file system's inodes. Without a free inode no file can be created, even with "
            "free space.",
            unit="percentunit",
            axis_max=1,
            no_value="dynamic inodes",
            queries=(
                Query(
                    expr=largest(f"max by (env, host, mountpoint) ({INODES})"),
                    legend="{{host}} {{mountpoint}}",
                    empty="file systems such as btrfs allocate inodes dynamically",
                ),
            ),
        ),
        Graph(
            title="Disk I/O",
            description="Bytes read from and written to disks per second.",
            unit="binBps",
            queries=(
                Query(
                    expr=f"sum {BY} (rate(node_disk_read_bytes_total{{{SELECTED}}}[$__rate_interval]))",
                    legend="{{host}} read",
                ),
                Query(
                    expr=f"sum {BY} (rate(node_disk_written_bytes_total{{{SELECTED}}}[$__rate_interval]))",
                    legend="{{host}} written",
                ),
            ),
        ),
    ),
)

_network = Row(
    title="Network",
    panels=(
        Graph(
            title="Network traffic",
            description="Bytes per second on the host's interfaces, without those of containers.",
            unit="binBps",
            queries=(
                Query(
                    expr=f"sum {BY} (rate(node_network_receive_bytes_total{{{INTERFACES}}}[$__rate_interval]))",
                    legend="{{host}} receive",
                ),
                Query(
                    expr=f"sum {BY} (rate(node_network_transmit_bytes_total{{{INTERFACES}}}[$__rate_interval]))",
                    legend="{{host}} transmit",
                ),
            ),
        ),
        Graph(
            title="Network errors and drops",
            description="Packets per second with errors and dropped packets, received and transmitted.",
            unit=PER_SECOND,
            queries=(
                Query(
                    expr=f"sum {BY} (rate(node_network_receive_errs_total{{{INTERFACES}}}[$__rate_interval])"
                    f" + rate(node_network_transmit_errs_total{{{INTERFACES}}}[$__rate_interval]))",
                    legend="{{host}} errors",
                ),
                Query(
                    expr=f"sum {BY} (rate(node_network_receive_drop_total{{{INTERFACES}}}[$__rate_interval])"
                    f" + rate(node_network_transmit_drop_total{{{INTERFACES}}}[$__rate_interval]))",
                    legend="{{host}} drops",
                ),
            ),
        ),
    ),
)


def board(settings: Settings) -> Dashboard:
    """With a column for databases if the stack file has any."""
    return Dashboard(
        name="hosts",
        title="Hosts",
        description="CPU, memory, disks and network of every host.",
        variables=env_and_host('node_uname_info{job="node"}'),
        rows=(_stats, _overview(settings), _processor, _disk, _network),
    )
