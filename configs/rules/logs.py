"""Alerts about logs: bursts of errors, which Loki's ruler sees in the lines, and hosts that send no lines any more.

The second is asked of Prometheus: a log agent counts the lines that Loki has taken, which tells as much as the lines do
and costs nothing to look a day back. A silence alone says nothing, for a quiet edge writes no line for hours.
"""

from __future__ import annotations

from configs.rules.model import Alert, Group
from configs.settings import Settings
from configs.settings.thresholds import Thresholds


def group(settings: Settings) -> Group:
    """What Prometheus evaluates."""
    return Group(name="logs", rules=(SILENT,), interval="1m")


def ruler_group(settings: Settings) -> Group:
    """What Loki evaluates."""
    return Group(name="log-lines", rules=(ERRORS,), interval="1m")


def _silent(matchers: str, _: Thresholds) -> str:
    """Lines came in three of four half hours of the day before, and none in the last one."""
    sent = f'{{__name__=~"promtail_sent_entries_total|loki_write_sent_entries_total"{matchers}}}'
    lines = f"sum by (env, host) (increase({sent}[30m]))"
    return f"{lines} == 0 and count_over_time(({lines} > 0)[1d:30m] offset 30m) >= 36"


SILENT = Alert(
    name="LogsSilent",
    expr=_silent,
    wait="0s",
    summary="{{ $labels.host }} has sent no log line for half an hour",
    advice="It did nearly all of the day before. Its log agent runs, but finds no lines or cannot hand them over.",
    board="logs",
)


def _errors(matchers: str, limits: Thresholds) -> str:
    lines = f'{{job=~".+"{matchers}}} | level=~"error|fatal"'
    source = "env, host, job, container, compose_project, compose_service"
    return f"sum by ({source}) (rate({lines} [5m])) > {limits.log_errors}"


ERRORS = Alert(
    name="LogErrors",
    expr=_errors,
    keys=("log_errors",),
    wait="0s",
    summary="{{ or $labels.container $labels.job }} on {{ $labels.host }} writes "
    '{{ $value | printf "%.1f" }} lines of errors per second',
    advice="Lines of level error or fatal, over the last five minutes.",
    board="logs",
    per="container",
    logs=True,
)
