"""Hosts: what the node exporter says about every machine. One row per host first, then the resources over time."""

from __future__ import annotations

from configs.dashboards.model import (
    ANY_IS_BAD,
    SHARE_USED,
    Column,
    Dashboard,
    Graph,
    Query,
    Row,
    Stat,
    Table,
    declared,
    env_and_host,
    link,
)
from configs.rules import hosts as rules

OF = 'job="node",env=~"$env",host=~"$host"'
DISKS = f"{OF},{rules.DISKS}"
CARDS = OF + ',device!~"lo|veth.*|br-.*|docker.*|virbr.*|ifb.*"'
BY = "by (env, host)"
WORST_DISK = f"1 - node_filesystem_avail_bytes{{{DISKS}}} / (node_filesystem_size_bytes{{{DISKS}}} > 0)"
KNOWN = f"count {BY} (count_over_time(up{{{OF}}}[$__range]))"
CORES = f'count {BY} (node_cpu_seconds_total{{{OF},mode="idle"}})'
CPU = f'1 - avg {BY} (rate(node_cpu_seconds_total{{{OF},mode="idle"}}[$__rate_interval]))'
MEMORY = f"1 - max {BY} (node_memory_MemAvailable_bytes{{{OF}}} / node_memory_MemTotal_bytes{{{OF}}})"
FULLEST = f"max {BY} ({WORST_DISK})"
YEAR = 31536000
# A disk that does not fill is given a year: an empty cell would say that nothing is known.
LEFT = f"node_filesystem_avail_bytes{{{DISKS}}} / clamp_min(-deriv(node_filesystem_avail_bytes{{{DISKS}}}[6h]), 1e-9)"
UNTIL_FULL = Column(
    title="Until full",
    expr=f"min {BY} (clamp_max({LEFT}, {YEAR}))",
    unit="s",
    steps=((None, "red"), (86400, "yellow"), (604800, "green")),
    words={YEAR: ("a year or more", "green")},
)
DATABASES = Column(
    title="Databases",
    expr=f'count {BY} (pg_up{{job="postgres",env=~"$env",host=~"$host"}})',
    unit="none",
    empty=declared("a host without a database has none to count"),
)
AGE = f"time() - max {BY} (timestamp(up{{{OF}}}))"

_numbers = Row(
    height=4,
    panels=(
        Stat(
            title="Hosts reporting",
            about="Hosts whose node exporter answers its agent now.",
            unit="none",
            query=Query(expr=f"sum(up{{{OF}}})"),
        ),
        Stat(
            title="Hosts gone silent",
            about="Hosts that sent something in the chosen time range and send nothing now.",
            unit="none",
            query=Query(expr=f"count({KNOWN} unless count {BY} (up{{{OF}}})) or vector(0)"),
            steps=ANY_IS_BAD,
        ),
        Stat(
            title="Alerts about these hosts",
            about="Firing alerts that carry the label of a chosen host.",
            unit="none",
            query=Query(expr='count(ALERTS{alertstate="firing",host=~"$host"}) or vector(0)'),  # absent(): no env
            steps=ANY_IS_BAD,
        ),
        Stat(
            title="Killed for lack of memory",
            about="Processes that the kernel killed in the chosen time range because memory ran out.",
            unit="none",
            query=Query(expr=f"ceil(sum(increase(node_vmstat_oom_kill{{{OF}}}[$__range])))"),
            steps=ANY_IS_BAD,
        ),
    ),
)

_COLUMNS: tuple[Column, ...] = (
    Column(title="CPU used", expr=CPU, unit="percentunit", steps=SHARE_USED),
    Column(
        title="Load per core",
        expr=f"max {BY} (node_load1{{{OF}}}) / {CORES}",
        steps=((None, "green"), (1, "yellow"), (2, "red")),
    ),
    Column(title="Memory used", expr=MEMORY, unit="percentunit", steps=SHARE_USED),
    Column(title="Fullest disk", expr=FULLEST, unit="percentunit", steps=SHARE_USED),
    UNTIL_FULL,
    Column(
        title="Up for",
        expr=f"max {BY} (node_time_seconds{{{OF}}} - node_boot_time_seconds{{{OF}}})",
        unit="s",
    ),
    Column(
        title="Last sample",
        expr=AGE,
        unit="s",
        steps=((None, "green"), (60, "yellow"), (180, "red")),
    ),
)
_LINKS = {
    "Host": ("Containers of this host", link("containers", "var-host=${__data.fields.Host}")),
    "Last sample": ("Logs of this host", link("logs", "var-host=${__data.fields.Host}")),
}


def _each(databases: bool) -> Row:
    """A host without databases has an empty cell for them, and so no link."""
    here = "var-host=${__data.fields.Host}"
    columns, links = _COLUMNS, _LINKS
    if databases:
        columns = (*columns, DATABASES)
        links = {**links, "Databases": ("Databases of this host", link("postgres", here))}
    return Row(
        height=8,
        panels=(
            Table(
                title="Each host",
                about="The state of now. A host leads to its containers, its last sample to its logs. Until full: at "
                "the pace of the last six hours.",
                labels={"env": "Environment", "host": "Host"},
                columns=columns,
                links=links,
                sort="CPU used",
            ),
        ),
    )


_processor = Row(
    heading="CPU and memory",
    panels=(
        Graph(
            title="CPU used",
            about="Share of all cores that is not idle.",
            unit="percentunit",
            top=1,
            queries=(Query(expr=CPU, legend="{{host}}"),),
        ),
        Graph(
            title="Memory used",
            about="Share of memory that programs hold; what the kernel can give back at once does not count.",
            unit="percentunit",
            top=1,
            queries=(Query(expr=MEMORY, legend="{{host}}"),),
        ),
        Graph(
            title="Waiting for CPU, disk or memory",
            about="Share of time in which some process could not go on for lack of it (the kernel's pressure figures).",
            unit="percentunit",
            queries=(
                Query(
                    expr=f"rate(node_pressure_cpu_waiting_seconds_total{{{OF}}}[$__rate_interval])",
                    legend="{{host}} CPU",
                ),
                Query(
                    expr=f"rate(node_pressure_io_waiting_seconds_total{{{OF}}}[$__rate_interval])",
                    legend="{{host}} disk",
                ),
                Query(
                    expr=f"rate(node_pressure_memory_waiting_seconds_total{{{OF}}}[$__rate_interval])",
                    legend="{{host}} memory",
                ),
            ),
        ),
    ),
)

_disk = Row(
    heading="Disk",
    panels=(
        Graph(
            title="Disk space used",
            about="Share of each file system that is in use, as an ordinary user sees it.",
            unit="percentunit",
            top=1,
            queries=(Query(expr=f"max by (env, host, mountpoint) ({WORST_DISK})", legend="{{host}} {{mountpoint}}"),),
        ),
        Graph(
            title="Disk reads and writes",
            about="Bytes per second between the machine and its disks.",
            unit="binBps",
            queries=(
                Query(
                    expr=f"sum {BY} (rate(node_disk_read_bytes_total{{{OF}}}[$__rate_interval]))",
                    legend="{{host}} read",
                ),
                Query(
                    expr=f"sum {BY} (rate(node_disk_written_bytes_total{{{OF}}}[$__rate_interval]))",
                    legend="{{host}} written",
                ),
            ),
        ),
    ),
)

_network = Row(
    heading="Network",
    panels=(
        Graph(
            title="Network traffic",
            about="Bytes per second through the machine's own interfaces, without those of containers.",
            unit="binBps",
            queries=(
                Query(
                    expr=f"sum {BY} (rate(node_network_receive_bytes_total{{{CARDS}}}[$__rate_interval]))",
                    legend="{{host}} in",
                ),
                Query(
                    expr=f"sum {BY} (rate(node_network_transmit_bytes_total{{{CARDS}}}[$__rate_interval]))",
                    legend="{{host}} out",
                ),
            ),
        ),
        Graph(
            title="Network errors and drops",
            about="Packets per second that were damaged or thrown away, in and out.",
            unit="pps",
            queries=(
                Query(
                    expr=f"sum {BY} (rate(node_network_receive_errs_total{{{CARDS}}}[$__rate_interval])"
                    f" + rate(node_network_transmit_errs_total{{{CARDS}}}[$__rate_interval]))",
                    legend="{{host}} errors",
                ),
                Query(
                    expr=f"sum {BY} (rate(node_network_receive_drop_total{{{CARDS}}}[$__rate_interval])"
                    f" + rate(node_network_transmit_drop_total{{{CARDS}}}[$__rate_interval]))",
                    legend="{{host}} drops",
                ),
            ),
        ),
    ),
)


def board(databases: bool) -> Dashboard:
    """`databases`: whether any host has some."""
    return Dashboard(
        name="hosts",
        title="Hosts",
        about="Every machine: CPU, memory, disks, network.",
        variables=env_and_host('node_uname_info{job="node"}'),
        rows=(_numbers, _each(databases), _processor, _disk, _network),
    )
