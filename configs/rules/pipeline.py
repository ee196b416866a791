"""What must be seen when the monitoring itself is not well: silent hosts, failing scrapes, data lost on its way."""

from __future__ import annotations

from configs import names
from configs.rules.counting import COUNT, grown, grown_or_new, whole
from configs.rules.model import Alert, Group, either, muted, over
from configs.rules.records import NEWEST
from configs.services import HUB_JOBS
from configs.settings import Settings
from configs.settings.thresholds import Thresholds
from configs.units import prometheus_duration, show_duration

SEGMENT = 128 * 1024**2  # bytes of a segment of Prometheus' write-ahead log


def group(settings: Settings) -> Group:
    """Every host that the stack file names is watched, whether or not it ever sent anything."""
    watched = {name: settings.edges[name] for name, host in settings.hosts.items() if not host.abandoned}
    return Group(
        name="pipeline",
        rules=(
            _watchdog(settings),
            *(_host_silent(settings, host) for host, edge in watched.items() if not muted(edge.alerts, "HostSilent")),
            *([] if muted(settings.edges["hub"].alerts, "ForeignHost") else [_foreign_host(settings)]),
            TARGET_DOWN,
            _config_not_read(settings),
            _remote_write_behind(settings),
            _agent_buffer(settings),
            SAMPLES_DROPPED,
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
        advice="This alert fires always. When its receiver hears nothing any more, alerting is broken.",
        board="hub",
        per="hub",
        labels={"env": settings.env, "host": "hub"},
    )


def _target_down(matchers: str, _: Thresholds) -> str:
    return f'up{{job!~"{"|".join(HUB_JOBS)}"{matchers}}} == 0'


TARGET_DOWN = Alert(
    name="TargetDown",
    expr=_target_down,
    wait="2m",
    summary="Job {{ $labels.job }} on {{ $labels.host }} cannot be scraped: {{ $labels.instance }} gives no metrics",
    advice="This exporter or app is down or hangs, or the agent on {{ $labels.host }} does not reach it.",
    board="hub",
)


LINES_LOST = Alert(
    name="LogLinesLost",
    expr=lambda matchers, _: whole(
        "sum by (env, host) (increase("
        f'{{__name__=~"promtail_dropped_entries_total|loki_write_dropped_entries_total"{matchers}}}[15m]))'
    ),
    wait="0s",
    summary=COUNT + " log lines of {{ $labels.host }} were lost",
    advice="They were refused by the hub or given up in the last 15 minutes; the log agent's own log says why.",
    board="hub",
)


def _config_not_read(settings: Settings) -> Alert:
    def refused(matchers: str, _: Thresholds) -> str:
        return f'{{__name__=~"(prometheus|alertmanager|caddy)_config_last_reload_successful"{matchers}}} == 0'

    log = f"docker logs {names.container(settings.prefix, '{{ $labels.job }}')}"
    return Alert(
        name="ConfigNotRead",
        expr=refused,
        wait="1m",
        summary="{{ $labels.job }} on {{ $labels.host }} did not take its new configuration",
        advice=f"It goes on with the one before. Its own log says what it refused ({log}).",
        board="hub",
    )


def _host_silent(settings: Settings, host: str) -> Alert:
    """Judged against the stack file: a pushed `up` vanishes with its host. Not while a backlog arrives after an outage
    of the hub: the newest sample moves then, and RemoteWriteBehind says so."""
    edge, keys = settings.edges[host], ("host_silent",)
    asked = over(settings.hub.alerts.thresholds, edge.alerts, keys).host_silent
    silent = max(asked, 3 * edge.scrape.agents)  # where the agent is asked rarely, a pause is no silence
    newest = f'{NEWEST}{{env="{settings.env}",host="{host}"}}'
    moves = f"changes({newest}[{prometheus_duration(min(silent, 180))}]) > 0"
    return Alert(
        name="HostSilent",
        expr=f"(time() - {newest} > {silent} or absent({newest})) unless on (env, host) {moves}",
        keys=keys,
        wait="2m",
        severity="critical",
        summary=f"Host {host} sends nothing",
        advice=f"The stack file names {host}, but no metric of it came for {show_duration(silent + 120)}: host down, "
        "agent down, or no way here.",
        board="fleet",
        labels={"host": host},
    )


def _foreign_host(settings: Settings) -> Alert:
    """The other way round. A host that was taken out leaves the plain query after five minutes."""
    return Alert(
        name="ForeignHost",
        expr=f'count by (env, host) (up{{host!~"{either(settings.hosts)}"}})',
        wait="10m",
        empty="a host that the stack file does not name is what it looks for; "
        "tests/rendered/test_rules.py::test_it_fires_in_these_words_and_is_silent_otherwise has one",
        summary='The hub gets data of a host "{{ $labels.host }}" that the stack file does not name',
        advice="Somebody's agent has the way and the right to push here: a host that was taken out of the stack file "
        "without being removed, or one that calls itself by another name.",
        board="hub",
        per="hub",
    )


def _remote_write_behind(settings: Settings) -> Alert:
    """Seconds by which the newest sample at the hub is old, while newer ones keep coming. Where agents are asked
    rarely, a sample is that old without being late."""
    slowest = 3 * max(edge.scrape.agents for edge in settings.edges.values())

    def behind(matchers: str, limits: Thresholds) -> str:
        newest = f'{NEWEST}{{host=~".+"{matchers}}}'
        return f"time() - {newest} > {max(limits.remote_write_behind, slowest)} and changes({newest}[3m]) > 0"

    return Alert(
        name="RemoteWriteBehind",
        expr=behind,
        keys=("remote_write_behind",),
        summary="Metrics of {{ $labels.host }} arrive {{ $value | humanizeDuration }} late",
        advice="After an outage of the hub that is the backlog, which shrinks. Otherwise the way is too narrow, or the "
        "hub too slow for what {{ $labels.host }} sends.",
        board="hub",
    )


def _agent_buffer(settings: Settings) -> Alert:
    """For how long the agent could wait for the hub, in seconds, where that is less than the outage budget.

    Two limits. The disk: what is free on it at the pace of the last hour. And the way in which the WAL is truncated
    (configs/services/agent.py): a budget is kept whole while two thirds of one write no more than two segments.
    """
    budget = settings.hub.outage_budget
    disk = 'mountpoint=~"/|/var|/var/lib|/var/lib/docker"'  # Docker's own folder is below one of these

    def kept(matchers: str, _: Thresholds) -> str:
        wal = f'prometheus_tsdb_wal_record_parts_bytes_written_total{{job="agent"{matchers}}}'
        pace = f"(sum by (env, host) (rate({wal}[1h])) > 0)"
        free = f'min by (env, host) (node_filesystem_avail_bytes{{job="node",{disk}{matchers}}})'
        return f"({3 * SEGMENT} / {pace} < {budget}) or ({free} / {pace} < {budget})"

    return Alert(
        name="AgentBufferFilling",
        expr=kept,
        wait="30m",
        summary="The agent on {{ $labels.host }} can keep about {{ $value | humanizeDuration }} of metrics while the "
        f"hub is away, not {show_duration(budget)}",
        advice="It scrapes more than its write-ahead log or the disk below it holds for the outage budget. Free the "
        "disk, scrape less often or less, or shorten hub.outage_budget to what is true.",
        board="hub",
    )


def _samples_dropped(matchers: str, _: Thresholds) -> str:
    of = f'job="agent"{matchers}'
    refused = f"sum by (env, host) ({grown('prometheus_remote_storage_samples_failed_total', of, '15m')})"
    reason = f'{of},reason!="dropped_series"'  # left out by configuration, which is no loss
    given_up = f"sum by (env, host) ({grown_or_new('prometheus_remote_storage_samples_dropped_total', reason, '15m')})"
    return f"({whole(refused)}) or ({whole(given_up)})"


SAMPLES_DROPPED = Alert(
    name="SamplesDropped",
    expr=_samples_dropped,
    wait="0s",
    empty="an agent has the counter of what it gave up from the first sample on; "
    "tests/rendered/test_rules.py::test_it_fires_in_these_words_and_is_silent_otherwise has both",
    summary=COUNT + " samples of {{ $labels.host }} were refused by the hub or given up",
    advice="In the last 15 minutes, for good. The agent's own log says why: too old for the hub, a wrong label, a body "
    "that is too large.",
    board="hub",
)


def _samples_lost(settings: Settings) -> Alert:
    """Seconds of the last hour at which an agent's newest sample was older than a minute, though it sends again now.

    Asked about the past, so a backlog that arrived late counts as there. A longer gap than Prometheus' look-back of
    five minutes is seen too, with its first four minutes. Where agents are asked rarely, a minute is no gap yet.
    """
    patience = max(60, *(2 * edge.scrape.agents for edge in settings.edges.values()))

    def gap(matchers: str, _: Thresholds) -> str:
        age = f'time() - timestamp(up{{job="agent"{matchers}}})'
        return f"count_over_time(({age} > {patience})[1h:15s]) * 15 > 0 and {age} < {patience}"

    return Alert(
        name="SamplesLost",
        expr=gap,
        wait="0s",
        summary="Metrics of {{ $labels.host }} have a gap of {{ $value | humanizeDuration }} that nothing will fill",
        advice="Within the last hour the hub never got samples of the agent on {{ $labels.host }} for that long: the "
        "agent was down, or the hub was away for longer than the outage budget.",
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
        summary="{{ $value | humanizePercentage }} of the log streams that Loki takes are in use",
        advice="From all of them on, lines of new streams are refused. Usually a label with very many values.",
        board="hub",
        per="hub",
    )
