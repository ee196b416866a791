"""Containers: what cAdvisor says about every container that Docker runs on the chosen hosts."""

from __future__ import annotations

from configs.dashboards import colours
from configs.dashboards.model import (
    ANY_IS_BAD,
    ANY_IS_WORTH_A_LOOK,
    Column,
    Dashboard,
    Graph,
    Query,
    Row,
    Stat,
    Table,
    Variable,
    env_and_host,
    link,
)
from configs.settings import Settings

WITHIN = 'job="cadvisor",env=~"$env",host=~"$host",compose_project=~"$project"'
OF = WITHIN + ',container=~"$container"'
BY = "by (env, host, container)"
NAME = "{{host}} {{container}}"
CPU = f"sum {BY} (rate(container_cpu_usage_seconds_total{{{OF}}}[$__rate_interval]))"
MEMORY = f"max {BY} (container_memory_working_set_bytes{{{OF}}})"
# No limit is given as 0: such containers have no share of it.
WITHOUT_LIMIT = (
    "a container without a limit has no share of one; those with one are seen in "
    "test_every_panel_and_every_rule_has_data_or_says_why_not"
)
OF_LIMIT = f"{MEMORY} / max {BY} (container_spec_memory_limit_bytes{{{OF}}} > 0)"
RECEIVED = f"sum {BY} (rate(container_network_receive_bytes_total{{{OF}}}[$__rate_interval]))"
SENT = f"sum {BY} (rate(container_network_transmit_bytes_total{{{OF}}}[$__rate_interval]))"
STARTED = f"max {BY} (container_start_time_seconds{{{OF}}})"

_numbers = Row(
    height=4,
    panels=(
        Stat(
            title="Containers running",
            about="Containers that cAdvisor sees now.",
            unit="none",
            query=Query(expr=f"count(count {BY} (container_last_seen{{{OF}}}))"),
        ),
        Stat(
            title="Memory used",
            about="Memory that the chosen containers hold, without file cache that can be given back.",
            unit="bytes",
            query=Query(expr=f"sum({MEMORY})"),
        ),
        Stat(
            title="Starts",
            about="How often a known container began anew in the chosen time range: a restart or a replacement.",
            unit="none",
            query=Query(expr=f"sum(changes(container_start_time_seconds{{{OF}}}[$__range])) or vector(0)"),
            steps=ANY_IS_WORTH_A_LOOK,
        ),
        Stat(
            title="Killed for lack of memory",
            about="Kills in the chosen time range because a container went over its memory limit.",
            unit="none",
            query=Query(expr=f"ceil(sum(increase(container_oom_events_total{{{OF}}}[$__range])))"),
            steps=ANY_IS_BAD,
        ),
    ),
)


def _each(settings: Settings) -> Row:
    steps = colours.up_to(colours.limits(settings).container_memory)
    return Row(
        height=10,
        panels=(
            Table(
                title="Each container",
                about="The state of now. A container leads to its logs, a host to its own page.",
                labels={"env": "Environment", "host": "Host", "container": "Container"},
                columns=(
                    Column(title="CPU cores", expr=CPU, unit="short"),
                    Column(title="Memory", expr=MEMORY, unit="bytes"),
                    Column(title="Of its limit", expr=OF_LIMIT, unit="percentunit", steps=steps, empty=WITHOUT_LIMIT),
                    Column(title="Received", expr=RECEIVED, unit="binBps"),
                    Column(title="Sent", expr=SENT, unit="binBps"),
                    Column(title="Running for", expr=f"time() - {STARTED}", unit="s"),
                ),
                links={
                    "Container": (
                        "Logs of this container",
                        link("logs", "var-host=${__data.fields.Host}", "var-container=${__data.fields.Container}"),
                    ),
                    "Host": ("This host", link("hosts", "var-host=${__data.fields.Host}")),
                },
                sort="Memory",
            ),
        ),
    )


_use = Row(
    heading="CPU and memory",
    panels=(
        Graph(
            title="CPU by container",
            about="Cores kept busy, stacked.",
            unit="short",
            stack=True,
            queries=(Query(expr=CPU, legend=NAME),),
        ),
        Graph(
            title="Memory by container",
            about="Memory held, stacked, without file cache that can be given back.",
            unit="bytes",
            stack=True,
            queries=(Query(expr=MEMORY, legend=NAME),),
        ),
    ),
)

_limits = Row(
    heading="Limits",
    panels=(
        Graph(
            title="Memory as a share of the limit",
            about="At 1 the kernel kills. Containers without a limit are not shown.",
            nothing="no container has a memory limit",
            unit="percentunit",
            queries=(Query(expr=OF_LIMIT, legend=NAME, empty=WITHOUT_LIMIT),),
        ),
        Graph(
            title="Held back by the CPU limit",
            about="Share of time slices in which a container had used up its CPU limit. Only containers that have one.",
            nothing="no container has a CPU limit",
            unit="percentunit",
            queries=(
                Query(
                    expr=f"sum {BY} (rate(container_cpu_cfs_throttled_periods_total{{{OF}}}[$__rate_interval]))"
                    f" / (sum {BY} (rate(container_cpu_cfs_periods_total{{{OF}}}[$__rate_interval])) > 0)",
                    legend=NAME,
                    empty=WITHOUT_LIMIT,
                ),
            ),
        ),
    ),
)

_rest = Row(
    heading="Network and starts",
    panels=(
        Graph(
            title="Received",
            about="Bytes per second into each container. One that uses the host's network is not told apart.",
            unit="binBps",
            queries=(Query(expr=RECEIVED, legend=NAME),),
        ),
        Graph(
            title="Sent",
            about="Bytes per second out of each container.",
            unit="binBps",
            queries=(Query(expr=SENT, legend=NAME),),
        ),
        Graph(
            title="Starts",
            about="A bar wherever a container began anew.",
            unit="none",
            bars=True,
            queries=(
                Query(expr=f"sum {BY} (changes(container_start_time_seconds{{{OF}}}[$__rate_interval]))", legend=NAME),
            ),
        ),
    ),
)


def board(settings: Settings) -> Dashboard:
    """The same for every stack but for colours."""
    return Dashboard(
        name="containers",
        title="Containers",
        about="Every container: CPU, memory, limits, network, starts.",
        variables=(
            *env_and_host('container_last_seen{job="cadvisor"}'),
            Variable(
                name="project",
                title="Compose project",
                selector='container_last_seen{job="cadvisor",env=~"$env",host=~"$host"}',
                label="compose_project",
                everything=".*",  # most containers belong to none
            ),
            Variable(
                name="container",
                title="Container",
                selector=f'container_last_seen{{{WITHIN},container!=""}}',
                label="container",
            ),
        ),
        rows=(_numbers, _each(settings), _use, _limits, _rest),
    )
