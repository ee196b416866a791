"""Alerts about containers, from cAdvisor, and about attached volumes.

A container is identified by its name. It is replaced if another container of its Compose service is running, or of the
service that its labels name.
"""

from __future__ import annotations

from configs.rules.hosts import DISKS, NO_DISK, NODE, SYSTEM
from configs.rules.model import Alert, Group, Record, muted
from configs.settings import Settings
from configs.settings.thresholds import Thresholds

NAMED = 'job="cadvisor",container!=""'
CONTAINER = "env, host, container"
SERVICE = "env, host, compose_project, compose_service"
OF_SERVICE = "compose_project, compose_service, service"
SERVICE_BY_LABELS = "env, host, service"
CADVISOR_UP = 'and on (env, host) (up{job="cadvisor"} == 1)'
# Containers with shorter runs are treated as jobs: their end is no alert.
MIN_RUN = 10  # minutes
RUN_TIME = "container:run:seconds"


def groups(settings: Settings) -> list[Group]:
    """Rules that look hours back run once a minute, on a recording rule with one sample per minute: on the raw samples
    they took two thirds of the evaluation time of all rules."""
    each = (RESTARTS, OUT_OF_MEMORY, NEAR_LIMIT, THROTTLED, VOLUME_FULL, WITHOUT_NAME)
    return [
        Group(name="containers", rules=(*_expected(settings), *each)),
        Group(name="containers-gone", rules=(_run(), _gone(settings)), interval="1m"),
    ]


def _expected(settings: Settings) -> list[Alert]:
    """One alert per container under `expected`, inactive while cAdvisor is down."""
    found = []
    for host, edge in sorted(settings.edges.items()):
        if settings.hosts[host].abandoned or muted(edge.alerts, "ContainerDown"):
            continue
        for name in sorted(set(edge.expected)):
            if name in edge.alerts.containers and muted(edge.alerts.containers[name], "ContainerDown"):
                continue
            gone = f'absent(container_last_seen{{job="cadvisor",host="{host}",container="{name}"}})'
            found.append(
                Alert(
                    name="ContainerDown",
                    expr=f'{gone} and on () (up{{job="cadvisor",host="{host}"}} == 1)',
                    wait="30s",
                    severity="critical",
                    summary=f"Container {name} on {host} is not running",
                    description="The stack file lists it under `expected`. "
                    f"Check why it stopped: docker logs --tail 50 {name}.",
                    board="containers",
                    per="container",
                    labels={"env": settings.env, "host": host, "container": name},
                )
            )
    return found


def _run() -> Record:
    """The current run time of each container."""
    run = f"container_last_seen{{{NAMED}}} - container_start_time_seconds{{{NAMED}}}"
    return Record(name=RUN_TIME, expr=f"max by ({CONTAINER}, {OF_SERVICE}) ({run})")


def _gone(settings: Settings) -> Alert:
    """For containers that are not under `expected`: they ran for a while within six hours and were not replaced."""
    expected = [(host, name) for host, edge in sorted(settings.edges.items()) for name in sorted(set(edge.expected))]

    def gone(matchers: str, _: Thresholds) -> str:
        selector = f'{RUN_TIME}{{container!=""{matchers}}}'
        lines = [
            f"max by ({CONTAINER}, {OF_SERVICE}) (max_over_time({selector}[6h])) > {MIN_RUN * 60}",
            f"and on ({CONTAINER}) max by ({CONTAINER}) (count_over_time({selector}[6h])) > {MIN_RUN}",
            f"unless on ({CONTAINER}) container_last_seen{{{NAMED}}}",
            f'unless on ({SERVICE}) container_last_seen{{{NAMED},compose_service!=""}}',
            f'unless on ({SERVICE_BY_LABELS}) container_last_seen{{{NAMED},service!=""}}',
            *(
                f"unless on ({CONTAINER}) "
                f'last_over_time(container_last_seen{{{NAMED},host="{host}",container="{name}"}}[6h])'
                for host, name in expected
            ),
            CADVISOR_UP,
        ]
        return "\n".join(lines)

    return Alert(
        name="ContainerDown",
        expr=gone,
        wait="2m",
        summary="Container {{ $labels.container }} on {{ $labels.host }} disappeared after running for {{ $value | "
        "humanizeDuration }}",
        description="No other container of its service is running. Check why it stopped: docker logs --tail "
        "50 {{ $labels.container }}.",
        board="containers",
        empty="the host has no containers of Compose, or none with the labels of a service",
        per="container",
    )


def _restarts(matchers: str, limits: Thresholds) -> str:
    starts = max(1, limits.container_restarts)
    return f"changes(container_start_time_seconds{{{NAMED}{matchers}}}[15m]) >= {starts}"


RESTARTS = Alert(
    name="ContainerRestarts",
    expr=_restarts,
    keys=("container_restarts",),
    wait="0s",
    summary="Container {{ $labels.container }} on {{ $labels.host }} restarted {{ $value }} times in 15 minutes",
    description="It exits soon after each start. Check why: docker logs --tail 50 {{ $labels.container }}.",
    board="containers",
    per="container",
)


def _out_of_memory(matchers: str, _: Thresholds) -> str:
    """Includes containers whose first sample already counts a kill."""
    selector = f"{NAMED}{matchers}"
    kills = f"container_oom_events_total{{{selector}}}"
    young = f"time() - container_start_time_seconds{{{selector}}} < 900"
    return (
        f"round(increase({kills}[15m])) > 0\n"
        f"or ({kills} > 0 unless on ({CONTAINER}) {kills} offset 15m) and on ({CONTAINER}) {young}"
    )


OUT_OF_MEMORY = Alert(
    name="ContainerOutOfMemory",
    expr=_out_of_memory,
    wait="0s",
    summary="Container {{ $labels.container }} on {{ $labels.host }} ran out of memory: {{ $value }} OOM kills in 15 "
    "minutes",
    description="It exceeded its memory limit and the kernel killed a process in it. Raise the limit, or find what "
    "grows.",
    board="containers",
    per="container",
)


def _near_limit(matchers: str, limits: Thresholds) -> str:
    selector = f"{NAMED}{matchers}"  # 0 means no limit
    limit = f"(container_spec_memory_limit_bytes{{{selector}}} > 0)"
    return f"container_memory_working_set_bytes{{{selector}}} / {limit} > {limits.container_memory}"


NEAR_LIMIT = Alert(
    name="ContainerMemoryNearLimit",
    expr=_near_limit,
    keys=("container_memory",),
    wait="10m",
    summary="Container {{ $labels.container }} on {{ $labels.host }} uses {{ $value | humanizePercentage }} of its "
    "memory limit",
    description="At the limit the kernel kills a process in it. Reclaimable file cache is not counted. Raise the "
    "limit, or find what grows.",
    board="containers",
    per="container",
)


def _throttled(matchers: str, limits: Thresholds) -> str:
    """Periods (100 ms) are counted only while a task is runnable. Less than one per second is a mostly idle program,
    such as an exporter, for which throttling does no harm."""
    selector = f"{NAMED}{matchers}"
    periods = f"rate(container_cpu_cfs_periods_total{{{selector}}}[5m])"
    throttled = f"rate(container_cpu_cfs_throttled_periods_total{{{selector}}}[5m])"
    return f"{throttled} / {periods} > {limits.container_throttled} and {periods} > 1"


THROTTLED = Alert(
    name="ContainerThrottled",
    expr=_throttled,
    keys=("container_throttled",),
    wait="15m",
    summary="Container {{ $labels.container }} on {{ $labels.host }} is throttled by its CPU limit in {{ $value | "
    "humanizePercentage }} of its CPU periods",
    description="It runs slower than it could. Raise its CPU limit, or find what uses the CPU.",
    board="containers",
    per="container",
)


def _volume_full(matchers: str, limits: Thresholds) -> str:
    """File systems that are not on the system disk. Docker volumes share the disk of /var/lib/docker; measuring each
    would cost too much."""
    selector = f"{NODE},{DISKS}{matchers}"
    used = f"1 - node_filesystem_avail_bytes{{{selector}}} / (node_filesystem_size_bytes{{{selector}}} > 0)"
    return f"{used} > {limits.volume_used} unless on (env, host, device) {SYSTEM}"


VOLUME_FULL = Alert(
    name="VolumeFull",
    expr=_volume_full,
    keys=("volume_used",),
    severity="critical",
    summary="Volume {{ $labels.mountpoint }} on {{ $labels.host }} is {{ $value | humanizePercentage }} full",
    description="Services that store data there fail when it is full. Enlarge the volume, or delete data.",
    empty=NO_DISK,
)


def _without_name(matchers: str, _: Thresholds) -> str:
    """cAdvisor itself is a container: while it is up, at least one container has a name."""
    nameless = f'count by (env, host) (container_last_seen{{job="cadvisor",cgroup!=""{matchers}}})'
    none = (
        f'max by (env, host) (up{{job="cadvisor"{matchers}}} == 1) unless on (env, host) container_last_seen{{{NAMED}}}'
    )
    return f"{nameless}\nor {none}"


WITHOUT_NAME = Alert(
    name="ContainerWithoutName",
    expr=_without_name,
    wait="10m",
    summary="cAdvisor on {{ $labels.host }} does not identify containers",
    description="Container metrics and alerts of this host are missing. Usually Docker was updated to a version that "
    "this cAdvisor does not support.",
    board="containers",
    empty="every container has a name on a healthy host",
)
