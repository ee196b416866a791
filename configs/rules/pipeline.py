"""Alerts about the monitoring pipeline: silent hosts, failed scrapes, late and lost data."""

from __future__ import annotations

from configs.rules import agents, cluster, config_reload, exporters
from configs.rules.counters import COUNT, nonzero_rounded
from configs.rules.fleet import EXPECTED
from configs.rules.model import SILENT_FOR, Alert, Group, alternation, host_silent, merge_thresholds, muted
from configs.rules.recording import NEWEST
from configs.rules.sources import TARGET
from configs.services import CORE_JOBS, DIRECT
from configs.settings import Settings
from configs.settings.thresholds import Thresholds
from configs.units import prometheus_duration, show_duration


def group(settings: Settings) -> Group:
    """Covers every host of the stack file, including hosts that never sent a sample."""
    watched = {name: settings.edges[name] for name, host in settings.hosts.items() if not host.abandoned}
    return Group(
        name="pipeline",
        rules=(
            _watchdog(settings),
            *(_host_silent(settings, host) for host, edge in watched.items() if not muted(edge.alerts, "HostSilent")),
            *([] if muted(settings.edges["hub"].alerts, "ForeignHost") else [_foreign_host(settings)]),
            _target_down(settings),
            config_reload.alert(settings),
            _remote_write_behind(settings),
            _agent_buffer(settings),
            _samples_dropped(settings),
            _samples_lost(settings),
            LINES_LOST,
            _streams_many(settings),
        ),
    )


def _watchdog(settings: Settings) -> Alert:
    return Alert(
        name="Watchdog",
        expr="vector(1)",
        wait="0s",
        severity="none",
        summary="Alerting works",
        description="This alert always fires. If its receiver stops getting it, alerting is broken.",
        board="hub",
        per="hub",
        labels={"env": settings.env, "host": "hub"},
    )


def _target_down(settings: Settings) -> Alert:
    """A target that answers, and whose answer is rejected, is ScrapeRejected. RabbitmqDown is about the server that is
    the target itself."""
    others = [*CORE_JOBS, *(["ask"] if settings.hub.ask is not None else [])]
    others += [module.JOB for module in DIRECT if module.JOB in exporters.jobs(settings)]

    def down(matchers: str, _: Thresholds) -> str:
        selector = f'job!~"{"|".join(others)}"{matchers}'
        return f"up{{{selector}}} == 0 unless on ({TARGET}) scrape_samples_scraped{{{selector}}} > 0"

    return Alert(
        name="TargetDown",
        expr=down,
        wait="2m",
        summary="Job {{ $labels.job }} on {{ $labels.host }} is down: {{ $labels.instance }} cannot be scraped",
        description="The exporter or app is down or does not respond, or the agent on {{ $labels.host }} cannot reach "
        "it.",
        board="hub",
    )


LINES_LOST = Alert(
    name="LogLinesLost",
    expr=lambda matchers, _: nonzero_rounded(
        "sum by (env, host) (increase("
        f'{{__name__=~"promtail_dropped_entries_total|loki_write_dropped_entries_total"{matchers}}}[15m]))'
    ),
    wait="0s",
    summary=COUNT + " log lines of {{ $labels.host }} were lost in 15 minutes",
    description="The hub rejected them, or the log agent dropped them. The log of the agent has the reason.",
    board="hub",
)


def _host_silent(settings: Settings, host: str) -> Alert:
    """One alert per host of the stack file, because a pushed `up` disappears with its host. Inactive while a backlog
    arrives after an outage of the hub: the newest sample advances then, and RemoteWriteBehind fires instead."""
    edge, keys = settings.edges[host], ("host_silent", "host_first_sample")
    thresholds = merge_thresholds(settings.hub.alerts.thresholds, edge.alerts, keys)
    silent = host_silent(settings, host)
    of_host = f'env="{settings.env}",host="{host}"'
    newest = f"{NEWEST}{{{of_host}}}"
    # Of a host that never sent: it may still boot. The series tells since when it is in the stack file.
    expected = f"{EXPECTED}{{{of_host}}} offset {prometheus_duration(thresholds.host_first_sample)}"
    never = f"absent({newest}) and on (env, host) {expected}"
    advances = f"changes({newest}[{prometheus_duration(min(silent, 180))}]) > 0"
    return Alert(
        name="HostSilent",
        expr=cluster.unless_alone(
            settings, f"(time() - {newest} > {silent} or ({never})) unless on (env, host) {advances}"
        ),
        keys=keys,
        wait=prometheus_duration(SILENT_FOR),
        severity="critical",
        summary=f"Host {host} sends no data",
        description=f"The hub has received no metrics from {host} for {show_duration(silent + SILENT_FOR)}, or none at "
        f"all within {show_duration(thresholds.host_first_sample)} since it is in the stack file. "
        "Check that the host and its agent are running and can reach the hub.",
        board="fleet",
        labels={"host": host},
    )


def _foreign_host(settings: Settings) -> Alert:
    """The series of a removed host become stale after five minutes. A renamed host uses its former name until it is
    reached."""
    known = {*settings.hosts, *(host.renamed_from for host in settings.hosts.values() if host.renamed_from)}
    return Alert(
        name="ForeignHost",
        expr=f'count by (env, host) (up{{host!~"{alternation(sorted(known))}"}})',
        wait="10m",
        empty="every host that sends data is in the stack file",
        summary='The hub receives data from host "{{ $labels.host }}", which is not in the stack file',
        description="An unknown agent can push to the hub: a host that was removed from the stack file but is still "
        "running, or a host that uses another name.",
        board="hub",
        per="hub",
    )


def _remote_write_behind(settings: Settings) -> Alert:
    """The age of the newest sample in seconds, while newer samples keep arriving. The limit is at least three scrape
    intervals of the slowest agent."""
    slowest = 3 * max(edge.scrape.agents for edge in settings.edges.values())

    def behind(matchers: str, limits: Thresholds) -> str:
        newest = f'{NEWEST}{{host=~".+"{matchers}}}'
        return f"time() - {newest} > {max(limits.remote_write_behind, slowest)} and changes({newest}[3m]) > 0"

    return Alert(
        name="RemoteWriteBehind",
        expr=behind,
        keys=("remote_write_behind",),
        summary="Metrics of {{ $labels.host }} arrive {{ $value | humanizeDuration }} late",
        description="After an outage of the hub this is the backlog, which shrinks. Otherwise the network or the hub "
        "is too slow for the data of {{ $labels.host }}.",
        board="hub",
    )


def _agent_buffer(settings: Settings) -> Alert:
    """How many seconds the agent can buffer, if that is less than the outage budget.

    There are two limits: the free disk space at the write rate of the last hour, and what the agent keeps on disk at
    the most (configs/rules/agents.py).
    """
    budget = settings.hub.outage_budget
    docker_disk = 'mountpoint=~"/|/var|/var/lib|/var/lib/docker"'  # one of these holds Docker's data

    def kept(matchers: str, _: Thresholds) -> str:
        rate = f'{agents.WRITTEN}{{host=~".+"{matchers}}}'
        buffer = f'{agents.BUFFER}{{host=~".+"{matchers}}}'
        free = f'min by (env, host) (node_filesystem_avail_bytes{{job="node",{docker_disk}{matchers}}})'
        return f"({buffer} / {rate} < {budget}) or ({free} / {rate} < {budget})"

    return Alert(
        name="AgentBufferFilling",
        expr=kept,
        wait="30m",
        summary="The agent on {{ $labels.host }} can buffer about {{ $value | humanizeDuration }} of metrics, less "
        f"than the outage budget of {show_duration(budget)}",
        description="A longer outage of the hub would lose metrics. Free disk space, scrape less, or shorten "
        "hub.outage_budget.",
        board="hub",
    )


def _samples_dropped(settings: Settings) -> Alert:
    def lost(matchers: str, _: Thresholds) -> str:
        rejected, dropped = (find(settings, matchers, "15m") for find in (agents.rejected, agents.dropped))
        return f"({nonzero_rounded(rejected)}) or ({nonzero_rounded(dropped)})"

    return Alert(
        name="SamplesDropped",
        expr=lost,
        wait="0s",
        empty="a Prometheus agent exposes this counter after the first dropped sample",
        summary=COUNT + " samples of {{ $labels.host }} were rejected or dropped in 15 minutes",
        description="They are lost. The log of the agent has the reason: samples too old for the hub, an invalid "
        "label, a request that is too large, or a full queue of vmagent.",
        board="hub",
    )


def _samples_lost(settings: Settings) -> Alert:
    """Seconds of the last hour during which the newest sample was older than a minute, for agents that send again.

    The query looks at the past, so a backlog that arrived late closes the gap. Of a gap longer than Prometheus'
    look-back of five minutes only the first four minutes count. The minute is extended to two scrape intervals of a
    slow agent.
    """
    max_age = max(60, *(2 * edge.scrape.agents for edge in settings.edges.values()))

    def gap(matchers: str, _: Thresholds) -> str:
        age = f'time() - timestamp(up{{job="agent"{matchers}}})'
        return f"count_over_time(({age} > {max_age})[1h:15s]) * 15 > 0 and {age} < {max_age}"

    return Alert(
        name="SamplesLost",
        expr=gap,
        wait="0s",
        summary="Metrics of {{ $labels.host }} have a permanent gap of {{ $value | humanizeDuration }}",
        description="Within the last hour the hub received no samples from the agent on {{ $labels.host }} for that "
        "long: the agent was down, or the hub was down for longer than the outage budget.",
        board="hub",
    )


def _streams_many(settings: Settings) -> Alert:
    def share(matchers: str, limits: Thresholds) -> str:
        streams = f'sum by (env, host) (loki_ingester_memory_streams{{job="loki"{matchers}}})'
        return f"{streams} / {settings.hub.loki.max_streams} > {limits.streams_used}"

    return Alert(
        name="StreamsMany",
        expr=share,
        keys=("streams_used",),
        summary="Loki uses {{ $value | humanizePercentage }} of its limit of log streams",
        description="At the limit Loki rejects lines of new streams. The usual cause is a label with very many values.",
        board="hub",
        per="hub",
    )
