"""Hosts: what the node exporter says about every machine: numbers, and a row per host."""

from __future__ import annotations

from configs.dashboards import colours, hosts_graphs
from configs.dashboards.hosts_graphs import BY, CPU, DISKS, MEMORY, OF, WORST_DISK
from configs.dashboards.model import (
    ANY_IS_BAD,
    SHARE_USED,
    Column,
    Dashboard,
    Query,
    Row,
    Stat,
    Table,
    declared,
    env_and_host,
    link,
)
from configs.settings import Settings

KNOWN = f"count {BY} (count_over_time(up{{{OF}}}[$__range]))"
CORES = f'count {BY} (node_cpu_seconds_total{{{OF},mode="idle"}})'
READ_ONLY = f"node_filesystem_readonly{{{DISKS}}}"
FULLEST = f"max {BY} ({WORST_DISK})"
YEAR = 31536000
# A disk that does not fill is given a year: an empty cell would say that nothing is known.
LEFT = f"node_filesystem_avail_bytes{{{DISKS}}} / clamp_min(-deriv(node_filesystem_avail_bytes{{{DISKS}}}[6h]), 1e-9)"
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
        Stat(
            title="Disks turned read-only",
            about="File systems that could be written within the last day and cannot now. Linux does so after errors.",
            unit="none",
            query=Query(expr=f"count({READ_ONLY} == 1 and min_over_time({READ_ONLY}[1d:10m]) == 0) or vector(0)"),
            steps=ANY_IS_BAD,
        ),
    ),
)


def until_full(settings: Settings) -> Column:
    """In seconds; red where DiskFullSoon would fire, if the disk is half full."""
    return Column(
        title="Until full",
        expr=f"min {BY} (clamp_max({LEFT}, {YEAR}))",
        unit="s",
        steps=colours.down_to(colours.limits(settings).disk_full_in, 7),
        words={YEAR: ("a year or more", "green")},
    )


def used(settings: Settings) -> tuple[Column, ...]:
    """What every table of hosts has of them."""
    limits = colours.limits(settings)
    return (
        Column(title="CPU used", expr=CPU, unit="percentunit", steps=SHARE_USED),
        Column(title="Memory used", expr=MEMORY, unit="percentunit", steps=colours.up_to(limits.memory_used)),
        Column(title="Fullest disk", expr=FULLEST, unit="percentunit", steps=colours.up_to(limits.disk_used)),
        until_full(settings),
    )


def last_sample(settings: Settings) -> Column:
    """In seconds, by the hub's clock."""
    return Column(title="Last sample", expr=AGE, unit="s", steps=colours.age(settings))


def _columns(settings: Settings) -> tuple[Column, ...]:
    limits = colours.limits(settings)
    return (
        *used(settings),
        Column(
            title="Load per core",
            expr=f"max {BY} (node_load1{{{OF}}}) / {CORES}",
            unit="short",
            steps=colours.up_to(limits.load_per_core, 0.5),
        ),
        Column(
            title="Clock off",
            expr=f"max {BY} (abs(node_timex_offset_seconds{{{OF}}}))",
            unit="s",
            steps=colours.up_to(limits.clock_skew, 0.5),
        ),
        Column(
            title="Up for",
            expr=f"max {BY} (node_time_seconds{{{OF}}} - node_boot_time_seconds{{{OF}}})",
            unit="s",
        ),
        last_sample(settings),
    )


_LINKS = {
    "Host": ("Containers of this host", link("containers", "var-host=${__data.fields.Host}")),
    "Last sample": ("Logs of this host", link("logs", "var-host=${__data.fields.Host}")),
}


def _each(settings: Settings) -> Row:
    """A host without databases has an empty cell for them, and so no link."""
    here = "var-host=${__data.fields.Host}"
    columns, links = _columns(settings), _LINKS
    if any(edge.postgres for edge in settings.edges.values()):
        columns = (*columns, DATABASES)
        links = {**links, "Databases": ("Databases of this host", link("postgres", here))}
    return Row(
        height=8,
        panels=(
            Table(
                title="Each host",
                about="The state of now. A host leads to its containers, its last sample to its logs. Until full: at "
                "the pace of the last six hours. Clock off: as the host's kernel says; a last sample of less than 0 s "
                "comes from a clock that is ahead of the hub's.",
                labels={"env": "Environment", "host": "Host"},
                columns=columns,
                links=links,
                sort="CPU used",
            ),
        ),
    )


def board(settings: Settings) -> Dashboard:
    """A column of databases is there when the stack file names some."""
    return Dashboard(
        name="hosts",
        title="Hosts",
        about="Every machine: CPU, memory, disks, network.",
        variables=env_and_host('node_uname_info{job="node"}'),
        rows=(_numbers, _each(settings), *hosts_graphs.ROWS),
    )
