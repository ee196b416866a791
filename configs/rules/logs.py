"""Alerts about logs: error rates, evaluated by Loki's ruler, and hosts that stopped sending lines.

The second uses the log agents' counters of accepted lines in Prometheus, where looking back a day is cheap. Silence
alone is no fault, because a quiet edge may write nothing for hours.
"""

from __future__ import annotations

from configs.rules.model import Alert, Group
from configs.settings import Settings
from configs.settings.thresholds import Thresholds

SOURCE = "env, host, job, container, compose_project, compose_service"  # labels of one source of lines


def group(settings: Settings) -> Group:
    """The group that Prometheus evaluates."""
    return Group(name="logs", rules=(SILENT,), interval="1m")


def ruler_group(settings: Settings) -> Group:
    """The group that Loki evaluates."""
    return Group(name="log-lines", rules=(ERRORS,), interval="1m")


def _silent(matchers: str, _: Thresholds) -> str:
    """Lines in at least 36 half hours of the previous day, and none in the last half hour. An active alert lasts until
    lines arrive; after six hours of silence the day before has too few lines to start it."""
    sent = f'{{__name__=~"promtail_sent_entries_total|loki_write_sent_entries_total"{matchers}}}'
    lines = f"sum by (env, host) (increase({sent}[30m]))"
    active = f'ALERTS{{alertname="LogsSilent"{matchers}}}'
    return (
        f"{lines} == 0 and (count_over_time(({lines} > 0)[1d:30m] offset 30m) >= 36"
        f" or {lines} and on (env, host) {active})"
    )


SILENT = Alert(
    name="LogsSilent",
    expr=_silent,
    wait="0s",
    summary="Host {{ $labels.host }} has sent no log lines for 30 minutes",
    description="It sent lines in most half hours of the previous day. The log agent runs, but reads no lines or "
    "cannot deliver them.",
    board="logs",
)


def _errors(matchers: str, limits: Thresholds) -> str:
    lines = f'{{job=~".+"{matchers}}} | level=~"error|fatal"'
    return f"sum by ({SOURCE}) (rate({lines} [5m])) > {limits.log_errors}"


ERRORS = Alert(
    name="LogErrors",
    expr=_errors,
    keys=("log_errors",),
    wait="0s",
    summary="{{ or $labels.container $labels.job }} on {{ $labels.host }} logs "
    '{{ $value | printf "%.1f" }} errors per second',
    description="Lines of level error or fatal, average of five minutes. The dashboard shows the lines.",
    board="logs",
    per="container",
    logs=True,
)
