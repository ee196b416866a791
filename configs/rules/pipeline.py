"""What must be seen when the monitoring itself is not well: silent hosts, failing scrapes, data lost on its way."""

from __future__ import annotations

from configs.rules.model import Alert, Group
from configs.settings import Edge, Settings
from configs.settings.thresholds import Thresholds

AGENTS = 'job=~"promtail|alloy"'


def group(settings: Settings) -> Group:
    """Every host that the stack file names is watched, whether or not it ever sent anything."""
    return Group(
        name="pipeline",
        rules=(
            WATCHDOG,
            *(_host_silent(host) for host, edge in settings.hosts.items() if not edge.abandoned and not _muted(edge)),
            TARGET_DOWN,
            CONFIG_NOT_READ,
            _samples_lost(settings),
            LINES_LOST,
        ),
    )


WATCHDOG = Alert(
    name="Watchdog",
    expr="vector(1)",
    wait="0s",
    severity="none",
    summary="Alerting works",
    advice="This alert fires always. When its receiver hears nothing any more, alerting is broken.",
    board="hub",
    per="hub",
)


def _target_down(matchers: str, _: Thresholds) -> str:
    return f'up{{job=~".+"{matchers}}} == 0'


TARGET_DOWN = Alert(
    name="TargetDown",
    expr=_target_down,
    wait="2m",
    summary="{{ $labels.job }} on {{ $labels.host }} cannot be scraped",
    advice="The agent on {{ $labels.host }} gets no metrics from {{ $labels.instance }}.",
    board="hub",
)


def _config_not_read(matchers: str, _: Thresholds) -> str:
    return f'{{__name__=~"(prometheus|alertmanager)_config_last_reload_successful"{matchers}}} == 0'


CONFIG_NOT_READ = Alert(
    name="ConfigNotRead",
    expr=_config_not_read,
    wait="1m",
    summary="{{ $labels.job }} on {{ $labels.host }} did not take its new configuration",
    advice="It goes on with the one before. Its own log says what it refused (docker logs).",
    board="hub",
)


def _lines_lost(matchers: str, _: Thresholds) -> str:
    dropped = f'{{__name__=~"promtail_dropped_entries_total|loki_write_dropped_entries_total"{matchers}}}'
    return f"sum by (env, host) (increase({dropped}[15m])) > 0"


LINES_LOST = Alert(
    name="LogLinesLost",
    expr=_lines_lost,
    wait="0s",
    summary="{{ $value | humanize }} log lines of {{ $labels.host }} were lost",
    advice="They were refused by the hub or given up in the last 15 minutes; the log agent's own log says why.",
    board="hub",
)


def _muted(edge: Edge) -> bool:
    mute = edge.alerts.mute
    return "HostSilent" in mute or "all" in mute


def _host_silent(host: str) -> Alert:
    """Judged against the stack file: a pushed `up` vanishes with its host."""
    return Alert(
        name="HostSilent",
        expr=f'absent(up{{job="agent",host="{host}"}})',
        wait="2m",
        severity="critical",
        summary=f"Host {host} sends nothing",
        advice=f"The stack file names {host}, but no metric of it came for 7 minutes: host down, agent down, or no "
        "way here.",
        labels={"host": host},
    )


def _samples_lost(settings: Settings) -> Alert:
    """Seconds of the last hour at which an agent's newest sample was older than a minute, though it sends again now.

    Asked about the past, so a backlog that arrived late counts as there. A longer gap than Prometheus' look-back of
    five minutes is seen too, with its first four minutes. Where agents are asked rarely, a minute is no gap yet.
    """
    patience = max(60, *(2 * edge.scrape.agents for edge in settings.hosts.values()))

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
