"""The Containers dashboard: CPU, memory, limits, network and restarts of every container, from cAdvisor."""

from __future__ import annotations

from configs.dashboards import resolution
from configs.dashboards.model import (
    ANY_IS_BAD,
    ANY_IS_WORTH_A_LOOK,
    NOT_SHOWN,
    Column,
    Dashboard,
    Graph,
    Lacking,
    Query,
    Row,
    Stat,
    Table,
    Variable,
    env_and_host,
    largest,
    link,
)
from configs.dashboards.panel_thresholds import fleet_thresholds, red_above
from configs.settings import Settings

IN_PROJECT = 'job="cadvisor",env=~"$env",host=~"$host",compose_project=~"$project"'
SELECTED = IN_PROJECT + ',container=~"$container"'
BY = "by (env, host, container)"
NAME = "{{host}} {{container}}"
CPU = f"sum {BY} (rate(container_cpu_usage_seconds_total{{{SELECTED}}}[$__rate_interval]))"
MEMORY = f"max {BY} (container_memory_working_set_bytes{{{SELECTED}}})"
# cAdvisor reports 0 for a container without a limit.
WITHOUT_LIMIT = "the container has no limit"
OF_LIMIT = f"{MEMORY} / max {BY} (container_spec_memory_limit_bytes{{{SELECTED}}} > 0)"
THROTTLED = (
    f"sum {BY} (rate(container_cpu_cfs_throttled_periods_total{{{SELECTED}}}[$__rate_interval]))"
    f" / (sum {BY} (rate(container_cpu_cfs_periods_total{{{SELECTED}}}[$__rate_interval])) > 0)"
)
RECEIVED = f"sum {BY} (rate(container_network_receive_bytes_total{{{SELECTED}}}[$__rate_interval]))"
SENT = f"sum {BY} (rate(container_network_transmit_bytes_total{{{SELECTED}}}[$__rate_interval]))"
_COUNTED = "container_network_receive_bytes_total"
NO_NETWORK = Lacking(
    hosts=f"count(last_over_time(container_last_seen{{{SELECTED}}}[1h]))"
    f" unless on () count(last_over_time({_COUNTED}{{{SELECTED}}}[1h]))"
    f' and on () count({_COUNTED}{{job="cadvisor",env=~"$env",host=~"$host"}})',
    reason="the container is on the host's network, or on none: cAdvisor counts no traffic",
)
STARTED = f"max {BY} (container_start_time_seconds{{{SELECTED}}})"


def _starts(settings: Settings, window: str) -> str:
    return resolution.changes(settings, f"container_start_time_seconds{{{SELECTED}}}", window)


def _stats(settings: Settings) -> Row:
    return Row(
        height=4,
        panels=(
            Stat(
                title="Running containers",
                description="Containers that cAdvisor reports now.",
                unit="none",
                query=Query(expr=f"count(count {BY} (container_last_seen{{{SELECTED}}}))"),
            ),
            Stat(
                title="Memory usage",
                description="Working set of the selected containers, without reclaimable file cache.",
                unit="bytes",
                query=Query(expr=f"sum({MEMORY})"),
            ),
            Stat(
                title="Container starts",
                description="Restarts and replacements of containers in the time range.",
                unit="none",
                query=Query(expr=f"sum({_starts(settings, '$__range')}) or vector(0)"),
                steps=ANY_IS_WORTH_A_LOOK,
            ),
            Stat(
                title="OOM kills",
                description="Processes killed in the time range because their container exceeded its memory limit.",
                unit="none",
                query=Query(expr=f"ceil(sum(increase(container_oom_events_total{{{SELECTED}}}[$__range])))"),
                steps=ANY_IS_BAD,
            ),
        ),
    )


def _overview(settings: Settings) -> Row:
    steps = red_above(fleet_thresholds(settings).container_memory)
    return Row(
        panels=(
            Table(
                title="Container overview",
                description="Current values. Of limit is memory divided by the memory limit. Links: container to Logs, "
                "host to Hosts.",
                labels={"env": NOT_SHOWN, "host": "Host", "container": "Container"},
                rows=9,
                columns=(
                    Column(title="CPU (cores)", expr=CPU, unit="short"),
                    Column(title="Memory", expr=MEMORY, unit="bytes"),
                    Column(
                        title="Of limit",
                        expr=OF_LIMIT,
                        unit="percentunit",
                        steps=steps,
                        empty=WITHOUT_LIMIT,
                    ),
                    Column(title="Receive", expr=RECEIVED, unit="binBps", lacking=NO_NETWORK),
                    Column(title="Transmit", expr=SENT, unit="binBps", lacking=NO_NETWORK),
                    Column(title="Uptime", expr=f"time() - {STARTED}", unit="s"),
                ),
                links={
                    "Container": (
                        "Logs of this container",
                        link("logs", "var-host=${__data.fields.Host}", "var-container=${__data.fields.Container}"),
                    ),
                    "Host": ("Host details", link("hosts", "var-host=${__data.fields.Host}")),
                },
                sort="Memory",
            ),
        ),
    )


_utilization = Row(
    title="CPU and memory",
    panels=(
        Graph(
            title="CPU usage by container",
            description="Cores in use, stacked.",
            unit="short",
            stack=True,
            queries=(Query(expr=largest(CPU), legend=NAME),),
        ),
        Graph(
            title="Memory usage by container",
            description="Working set, stacked, without reclaimable file cache.",
            unit="bytes",
            stack=True,
            queries=(Query(expr=largest(MEMORY), legend=NAME),),
        ),
    ),
)

_limits = Row(
    title="Limits",
    panels=(
        Graph(
            title="Memory usage of limit",
            description="Working set divided by the memory limit; at 1 the kernel kills a process. Containers without "
            "a limit are not shown.",
            no_value="no container with a memory limit",
            unit="percentunit",
            queries=(Query(expr=largest(OF_LIMIT), legend=NAME, empty=WITHOUT_LIMIT),),
        ),
        Graph(
            title="CPU throttling",
            description="Share of CPU scheduling periods in which the CPU limit throttled the container. Containers "
            "without a limit are not shown.",
            no_value="no container with a CPU limit",
            unit="percentunit",
            queries=(
                Query(
                    expr=largest(THROTTLED),
                    legend=NAME,
                    empty=WITHOUT_LIMIT,
                ),
            ),
        ),
    ),
)


def _network(settings: Settings) -> Row:
    return Row(
        title="Network and restarts",
        panels=(
            Graph(
                title="Network receive",
                description="Bytes per second into each container. There are no values for containers on the host's "
                "network.",
                unit="binBps",
                no_value="No network",
                queries=(Query(expr=largest(RECEIVED), legend=NAME, lacking=NO_NETWORK),),
            ),
            Graph(
                title="Network transmit",
                description="Bytes per second out of each container.",
                unit="binBps",
                no_value="No network",
                queries=(Query(expr=largest(SENT), legend=NAME, lacking=NO_NETWORK),),
            ),
            Graph(
                title="Container starts by container",
                description="Restarts and replacements of each container.",
                unit="none",
                bars=True,
                queries=(
                    Query(
                        expr=largest(f"sum {BY} ({_starts(settings, '$__rate_interval')})"),
                        legend=NAME,
                    ),
                ),
            ),
        ),
    )


def board(settings: Settings) -> Dashboard:
    """Depends on the settings for thresholds, and for how changes are counted."""
    return Dashboard(
        name="containers",
        title="Containers",
        description="CPU, memory, limits, network and restarts of every container.",
        variables=(
            *env_and_host('container_last_seen{job="cadvisor"}'),
            Variable(
                name="project",
                title="Compose project",
                selector='container_last_seen{job="cadvisor",env=~"$env",host=~"$host"}',
                label="compose_project",
                all_value=".*",  # most containers belong to none
            ),
            Variable(
                name="container",
                title="Container",
                selector=f'container_last_seen{{{IN_PROJECT},container!=""}}',
                label="container",
            ),
        ),
        rows=(_stats(settings), _overview(settings), _utilization, _limits, _network(settings)),
    )
