"""Each host of the stack file: how old its newest data is, which targets are down, how much it sends, how its clock is.

All ages are by the hub's clock, so it does not matter where the doctor runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from configs.names import CHANGES_JOB
from configs.services import scrape_jobs
from configs.settings import Settings
from tools.agent_targets import Errors, Unreadable
from tools.doctor.querier import Querier
from tools.hubclient import HubClient

TargetErrors = Callable[[Sequence[str]], Mapping[str, Errors | Unreadable]]
FRESH = 60  # seconds; three intervals where that is more
LINES_EXPECTED = 24 * 3600  # seconds in which an edge writes at least one line of its own
LOOK_BACK = 24 * 3600
STREAMS = 3600  # seconds in which streams are counted
ON_ITS_WAY = 5  # seconds from a scrape to the hub's disk: the agent sends after 2 s at the latest, the rest is reserve
CLOCK = 2  # seconds of difference, beyond what cannot be known, that are worth a sentence


@dataclass(kw_only=True)
class HostReport:
    """Ages in seconds, None where nothing came. `clock`: host minus hub lies between these two, in seconds."""

    host: str
    sample_age: float | None = None
    line_age: float | None = None
    series: dict[str, int] = field(default_factory=dict)
    streams: int = 0
    down: list[str] = field(default_factory=list)
    clock: tuple[float, float] | None = None
    offset: float | None = None  # the kernel's estimate of its clock's error; None: not synchronised by NTP
    wrong: list[str] = field(default_factory=list)


def examine(querier: Querier, settings: Settings, target_errors: TargetErrors = lambda _hosts: {}) -> list[HostReport]:
    """One report per host of the stack file that is not abandoned. `target_errors`: the scrape errors by host, from the
    agents of hosts with targets that are down."""
    names = [name for name, host in settings.hosts.items() if not host.abandoned]
    hub, now = querier.hub, hub_time(querier.hub)
    stamps = _stamps(hub, now)
    up = {_target(one): float(one["value"][1]) for one in hub.metrics("up", now)}
    sizes = hub.metrics("sum by (host, job) (scrape_samples_post_metric_relabeling)")
    offsets = hub.metrics("node_timex_offset_seconds and on (host) node_timex_sync_status == 1")
    streams = _streams(hub, now)
    lines = dict(zip(names, querier.each(lambda name: _newest_line(hub, name, now), names), strict=True))
    querier.requests += 8 + len(names)
    down = {target for target, value in up.items() if target[0] in names and not value}
    errors = target_errors(sorted({host for host, _, _ in down})) if down else {}
    reports = []
    for name in names:
        report = HostReport(host=name, line_age=lines[name], streams=streams.get(name, 0))
        report.series = {
            one["metric"]["job"]: int(float(one["value"][1])) for one in sizes if one["metric"].get("host") == name
        }
        report.offset = next((float(o["value"][1]) for o in offsets if o["metric"].get("host") == name), None)
        intervals = scrape_jobs(settings, name)
        ages = {target: now - stamp for target, stamp in stamps.items() if target[0] == name}
        report.sample_age = max(0.0, min(ages.values())) if ages else _long_ago(querier, name)
        report.clock = clock({target: age for target, age in ages.items() if target[1] in intervals}, intervals)
        report.down = [_down(job, instance, errors.get(name)) for host, job, instance in sorted(down) if host == name]
        report.wrong = _wrong(settings, report, ages, intervals)
        reports.append(report)
    return reports


def _down(job: str, instance: str, errors: Errors | Unreadable | None) -> str:
    """`job shop at shop:8000 (http://shop:8000/metrics: connection refused)`."""
    where = f"job {job} at {instance}"
    if isinstance(errors, Unreadable):
        return f"{where} (the agent does not answer: {errors})"
    reason = (errors or {}).get((job, instance))
    return f"{where} ({reason})" if reason else where


Target = tuple[str, str, str]  # host, job, instance


def clock(ages: Mapping[Target, float], intervals: Mapping[str, int]) -> tuple[float, float] | None:
    """Between which two figures a host's clock is ahead of the hub's (negative: behind), in seconds.

    A sample carries the time of the host. It cannot be from the future, and a job's newest one is not older than its
    interval and the network delay to the hub. Each target narrows it down; what remains is the precision.
    """
    if not ages:
        return None
    known = [(-age, -age + intervals[target[1]] + ON_ITS_WAY) for target, age in ages.items()]
    return max(low for low, _ in known), min(high for _, high in known)


def _wrong(
    settings: Settings, report: HostReport, ages: Mapping[Target, float], intervals: Mapping[str, int]
) -> list[str]:
    host, prefix, agent = report.host, settings.prefix, settings.edges[report.host].logs.agent
    limit = max(FRESH, 3 * min(intervals.values()))
    sentences = []
    if report.sample_age is None or report.sample_age > limit:
        when = "in a day" if report.sample_age is None else f"for {report.sample_age:.0f} s"
        sentences.append(
            f"{host}: no metrics {when}. Is the host on, and does its agent run and reach the hub? On the host: "
            f"`docker logs {prefix}-agent`"
        )
    else:
        fresh = {target[1] for target, age in ages.items() if age <= max(FRESH, 3 * intervals.get(target[1], 0))}
        sentences += [
            f"{host}: no sample of job {job}. `make up` configures the job; then `docker logs {prefix}-agent` on the "
            "host shows the reason"
            for job in intervals
            if job not in fresh
        ]
        sentences += [
            f"{host}: target down: {target}. On the host: `docker ps -a`, and the log of that container"
            for target in report.down
        ]
    if report.line_age is None or report.line_age > LINES_EXPECTED:
        sentences.append(
            f"{host}: no log line in a day, and every edge writes some. On the host: `docker logs {prefix}-{agent}`"
        )
    return [*sentences, *_clock_wrong(report)]


def _clock_wrong(report: HostReport) -> list[str]:
    if report.clock is None or report.sample_age is None:
        return []
    low, high = report.clock
    if low > CLOCK:
        return [
            f"{report.host}: its clock is ahead of the hub's by at least {low:.0f} s. On both: `timedatectl`, and "
            "start a time service (`systemctl enable --now systemd-timesyncd`)"
        ]
    if high < -CLOCK:
        return [
            f"{report.host}: its clock is behind the hub's by at least {-high:.0f} s, or its data come that late. On "
            "both: `timedatectl`; on the hub's dashboard: whether remote write is behind"
        ]
    return []


def _target(series: Mapping[str, Any]) -> Target:
    labels = series["metric"]
    return labels.get("host", ""), labels.get("job", ""), labels.get("instance", "")


def _stamps(hub: HubClient, now: float) -> dict[Target, float]:
    """Times of the newest samples of every target. Those of a clock that is ahead are from later than now: a query of
    now does not find them. Prometheus looks back five minutes, and takes nothing from later than in ten."""
    found: dict[Target, float] = {}
    for at in (now, now + 300, now + 600):
        for one in hub.metrics("timestamp(up)", at):
            found[_target(one)] = max(float(one["value"][1]), found.get(_target(one), 0.0))
    return found


def hub_time(hub: HubClient) -> float:
    """What the hub's Prometheus takes for now."""
    return float(hub.get("/api/v1/query", query="time()")["data"]["result"][1])


def _long_ago(querier: Querier, host: str) -> float | None:
    """Of a host that is silent now: the age of its last sample, to the minute, within a day."""
    querier.requests += 1
    last = querier.hub.metrics(f'max(max_over_time(timestamp(up{{host="{host}"}})[{LOOK_BACK}s:1m]))')
    return querier.now - float(last[0]["value"][1]) if last else None


def _newest_line(hub: HubClient, host: str, now: float) -> float | None:
    # The hub's own mark of a change is no line that the host sent.
    streams = hub.logs(f'{{host="{host}",job!="{CHANGES_JOB}"}}', now - LOOK_BACK, now + 60, limit=1)
    stamps = [int(value[0]) / 1e9 for stream in streams for value in stream["values"]]
    return max(0.0, now - max(stamps)) if stamps else None


def _streams(hub: HubClient, now: float) -> dict[str, int]:
    window = {"start": str(int((now - STREAMS) * 1e9)), "end": str(int(now * 1e9))}
    found: dict[str, int] = {}
    for one in hub.get("/loki/api/v1/series", **{"match[]": '{host=~".+"}'}, **window)["data"]:
        found[one.get("host", "")] = found.get(one.get("host", ""), 0) + 1
    return found
