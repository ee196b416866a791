"""Alerts about containers: what cAdvisor says, and the disks that are attached for their data.

A container counts as itself while its name stays, and as replaced while its compose service has another one.
"""

from __future__ import annotations

from configs.rules.hosts import DISKS, NO_DISK, NODE, SYSTEM
from configs.rules.model import Alert, Group, Record, muted
from configs.settings import Settings
from configs.settings.thresholds import Thresholds

NAMED = 'job="cadvisor",container!=""'
ONE = "env, host, container"
SERVICE = "env, host, compose_project, compose_service"
ANSWERS = 'and on (env, host) (up{job="cadvisor"} == 1)'
# Shorter runs are jobs that end: a container is missed that ran this long at a stretch, and was seen to.
LONG = 10  # minutes
RUN = "container:run:seconds"
SHOWN_BY = "tests/rendered/test_rules_containers.py::test_each_situation_is_told_in_these_words_or_not_at_all"


def groups(settings: Settings) -> list[Group]:
    """What looks hours back is asked once a minute, of what was noted once a minute: of the samples themselves it took
    two thirds of all rules' time."""
    each = (RESTARTS, OUT_OF_MEMORY, NEAR_LIMIT, THROTTLED, VOLUME_FULL, WITHOUT_NAME)
    return [
        Group(name="containers", rules=(*_expected(settings), *each)),
        Group(name="containers-gone", rules=(_run(), _gone(settings)), interval="1m"),
    ]


def _expected(settings: Settings) -> list[Alert]:
    """One for each container that the stack file expects. Not while cAdvisor is away: it would miss all of them."""
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
                    advice=f"The stack file expects it there. Its last lines say why (docker logs --tail 50 {name}).",
                    board="containers",
                    per="container",
                    labels={"env": settings.env, "host": host, "container": name},
                )
            )
    return found


def _run() -> Record:
    """For how long each container has run at a stretch; a sample for each minute in which it was seen."""
    run = f"container_last_seen{{{NAMED}}} - container_start_time_seconds{{{NAMED}}}"
    return Record(name=RUN, expr=f"max by ({ONE}, compose_project, compose_service) ({run})")


def _gone(settings: Settings) -> Alert:
    """For those that nobody named: they ran for a while within six hours, and nothing took their place."""
    expected = [(host, name) for host, edge in sorted(settings.edges.items()) for name in sorted(set(edge.expected))]

    def gone(matchers: str, _: Thresholds) -> str:
        of = f'{RUN}{{container!=""{matchers}}}'
        lines = [
            f"max by ({ONE}, compose_project, compose_service) (max_over_time({of}[6h])) > {LONG * 60}",
            f"and on ({ONE}) max by ({ONE}) (count_over_time({of}[6h])) > {LONG}",
            f"unless on ({ONE}) container_last_seen{{{NAMED}}}",
            f'unless on ({SERVICE}) container_last_seen{{{NAMED},compose_service!=""}}',
            *(
                f'unless on ({ONE}) last_over_time(container_last_seen{{{NAMED},host="{host}",container="{name}"}}[6h])'
                for host, name in expected
            ),
            ANSWERS,
        ]
        return "\n".join(lines)

    return Alert(
        name="ContainerDown",
        expr=gone,
        wait="2m",
        summary="Container {{ $labels.container }} on {{ $labels.host }} is gone, it had run for "
        "{{ $value | humanizeDuration }}",
        advice="No other container of its compose service runs there. Its last lines may say why "
        "(docker logs --tail 50 {{ $labels.container }}).",
        board="containers",
        empty=f"not every machine has containers of compose; {SHOWN_BY} has some",
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
    summary="Container {{ $labels.container }} on {{ $labels.host }} began anew {{ $value }} times in 15 minutes",
    advice="It ends soon after each start. Its last lines say why (docker logs --tail 50 {{ $labels.container }}).",
    board="containers",
    per="container",
)


def _out_of_memory(matchers: str, _: Thresholds) -> str:
    """Also one whose first sample has the kill already: it ran out within its first seconds."""
    of = f"{NAMED}{matchers}"
    kills = f"container_oom_events_total{{{of}}}"
    young = f"time() - container_start_time_seconds{{{of}}} < 900"
    return (
        f"round(increase({kills}[15m])) > 0\n"
        f"or ({kills} > 0 unless on ({ONE}) {kills} offset 15m) and on ({ONE}) {young}"
    )


OUT_OF_MEMORY = Alert(
    name="ContainerOutOfMemory",
    expr=_out_of_memory,
    wait="0s",
    summary="Container {{ $labels.container }} on {{ $labels.host }} ran out of memory, processes killed in 15 "
    "minutes: {{ $value }}",
    advice="It reached its memory limit and the kernel ended a process in it. Raise the limit, or find what grows.",
    board="containers",
    per="container",
)


def _near_limit(matchers: str, limits: Thresholds) -> str:
    of = f"{NAMED}{matchers}"  # no limit is given as 0
    limit = f"(container_spec_memory_limit_bytes{{{of}}} > 0)"
    return f"container_memory_working_set_bytes{{{of}}} / {limit} > {limits.container_memory}"


NEAR_LIMIT = Alert(
    name="ContainerMemoryNearLimit",
    expr=_near_limit,
    keys=("container_memory",),
    wait="10m",
    summary="Container {{ $labels.container }} on {{ $labels.host }} uses {{ $value | humanizePercentage }} of its "
    "memory limit",
    advice="At the limit the kernel ends a process in it. File cache that can be given back does not count here.",
    board="containers",
    per="container",
)


def _throttled(matchers: str, limits: Thresholds) -> str:
    """Periods (100 ms) are counted only while something in it wants to run. Under one in a second it is a program that
    wakes up now and then, as an exporter does: being slowed for a moment harms nobody."""
    of = f"{NAMED}{matchers}"
    periods = f"rate(container_cpu_cfs_periods_total{{{of}}}[5m])"
    slowed = f"rate(container_cpu_cfs_throttled_periods_total{{{of}}}[5m])"
    return f"{slowed} / {periods} > {limits.container_throttled} and {periods} > 1"


THROTTLED = Alert(
    name="ContainerThrottled",
    expr=_throttled,
    keys=("container_throttled",),
    wait="15m",
    summary="Container {{ $labels.container }} on {{ $labels.host }} is held back by its CPU limit "
    "{{ $value | humanizePercentage }} of the time in which it wants to run",
    advice="It is slower than it could be. Raise its CPU limit, or find what keeps it busy.",
    board="containers",
    per="container",
)


def _volume_full(matchers: str, limits: Thresholds) -> str:
    """A disk that is not the system's. Docker's own volumes lie on the disk of /var/lib/docker and have no size of
    their own that could be measured at a bearable cost."""
    of = f"{NODE},{DISKS}{matchers}"
    used = f"1 - node_filesystem_avail_bytes{{{of}}} / (node_filesystem_size_bytes{{{of}}} > 0)"
    return f"{used} > {limits.volume_used} unless on (env, host, device) {SYSTEM}"


VOLUME_FULL = Alert(
    name="VolumeFull",
    expr=_volume_full,
    keys=("volume_used",),
    severity="critical",
    summary="Volume {{ $labels.mountpoint }} on {{ $labels.host }} is {{ $value | humanizePercentage }} full",
    advice="When it is full, whatever keeps its data there stops. Make it larger, or find what grows.",
    empty=NO_DISK,
)


def _without_name(matchers: str, _: Thresholds) -> str:
    """cAdvisor itself is a container: where it answers, at least one has a name."""
    nameless = f'count by (env, host) (container_last_seen{{job="cadvisor",cgroup!=""{matchers}}})'
    none = (
        f'max by (env, host) (up{{job="cadvisor"{matchers}}} == 1) unless on (env, host) container_last_seen{{{NAMED}}}'
    )
    return f"{nameless}\nor {none}"


WITHOUT_NAME = Alert(
    name="ContainerWithoutName",
    expr=_without_name,
    wait="10m",
    summary="cAdvisor on {{ $labels.host }} cannot tell which containers run",
    advice="Containers there have no metrics under their names. Usual after an update of Docker that this cAdvisor "
    "does not know yet.",
    board="containers",
    empty=f"every container has a name where all is well; {SHOWN_BY} has one without",
)
