"""Alerts that name one source: of data that was rejected, or of more lines than usual."""

from __future__ import annotations

from configs import metrics_store, names
from configs.rules.counters import COUNT
from configs.rules.logs import SOURCE
from configs.rules.model import Alert, Group, alternation, muted
from configs.settings import Settings
from configs.settings.thresholds import Thresholds

TARGET = "env, host, job, instance"
NOT_EXPOSED = "up|scrape_.+|ALERTS.*|.+:.+"  # series with the labels of an app that the app does not expose


def group(settings: Settings) -> Group:
    """The group that Prometheus evaluates."""
    return Group(name="sources", rules=(SCRAPE_REJECTED, *_samples_too_old(settings)), interval="1m")


def ruler_group(settings: Settings) -> Group:
    """The group that Loki evaluates."""
    # Thanos writes no line about a rejected sample; the agents' own counters show it (SamplesDropped).
    ours = () if metrics_store.in_bucket(settings) else (_samples_rejected(settings),)
    return Group(name="source-lines", rules=(*ours, LOGS_NOISY), interval="1m")


def _rejected(matchers: str, _: Thresholds) -> str:
    """Targets that answer, and whose whole scrape the agent rejects."""
    selector = f'job=~".+"{matchers}'
    return f"scrape_samples_scraped{{{selector}}} > 0 and on ({TARGET}) up{{{selector}}} == 0"


SCRAPE_REJECTED = Alert(
    name="ScrapeRejected",
    expr=_rejected,
    wait="1m",
    summary="The metrics of job {{ $labels.job }} on {{ $labels.host }} are rejected: "
    + COUNT
    + " samples in a scrape",
    description="The target answers, but exceeds a limit (sample_limit and label_limit of the app, or the length of a "
    "label), or its answer is malformed. The agent on {{ $labels.host }} has the reason (lastError of the target).",
    board="hub",
)


def _samples_too_old(settings: Settings) -> list[Alert]:
    """Only for apps with `honor_timestamps`. An agent does not send a sample that is older than its own start, nor
    count it (Prometheus 3.15, tsdb/wlog/watcher.go), so what it scraped is compared with what arrived."""
    apps = [
        (host, sorted(name for name, app in edge.apps.items() if app.honor_timestamps))
        for host, edge in sorted(settings.edges.items())
        if not settings.hosts[host].abandoned and not muted(edge.alerts, "SamplesTooOld")
    ]
    cases = [_missing(host, jobs) for host, jobs in apps if jobs]
    if not cases:
        return []
    return [
        Alert(
            name="SamplesTooOld",
            expr="\nor\n".join(f"({case})" for case in cases),
            wait="15m",
            summary=COUNT + " samples of job {{ $labels.job }} on {{ $labels.host }} are too old and are not stored",
            description="The app exposes them with timestamps of more than an hour ago (or of the future), and "
            "`honor_timestamps: true` keeps these. Samples of other jobs are not affected.",
            board="hub",
        )
    ]


def _missing(host: str, jobs: list[str]) -> str:
    """How many samples of these jobs are in the last scrape, and not at the hub."""
    of_app = f'host="{host}",job=~"{alternation(jobs)}"'
    stored = f'last_over_time({{{of_app},__name__!~"{NOT_EXPOSED}"}}[1h])'
    by = "by (env, host, job)"
    scraped = f"sum {by} (scrape_samples_post_metric_relabeling{{{of_app}}})"
    return f"{scraped} - (count {by} ({stored}) or 0 * {scraped}) > 0"


def _samples_rejected(settings: Settings) -> Alert:
    """From the lines of the hub's Prometheus, one for each rejected sample (storage/remote/write_handler.go): its
    counters have no job. The labels of the series are in the line, every quote within one of them is escaped.
    """
    stream = f'container="{names.container(settings.prefix, "prometheus")}"'

    def rejected(matchers: str, _: Thresholds) -> str:
        lines = (
            f'{{{stream}{matchers}}} |= "remote write" | logfmt msg, err, series | label_format reason=err'
            ' | msg=~"Out of order (sample|histogram) from remote write" | line_format `{{.series}}`'
            ' | regexp `[{ ]host="(?P<source>[^"]+)"` | regexp `[{ ]job="(?P<of_job>[^"]+)"`'
        )
        counted = f"sum by (env, source, of_job, reason) (count_over_time({lines} [15m])) > 0"
        host = f'label_replace({counted}, "host", "$1", "source", "(.*)")'
        return f'sum by (env, host, job, reason) (label_replace({host}, "job", "$1", "of_job", "(.*)"))'

    return Alert(
        name="SamplesRejected",
        expr=rejected,
        wait="0s",
        summary="The hub rejected "
        + COUNT
        + " samples of job {{ $labels.job }} on {{ $labels.host }} in 15 minutes: {{ $labels.reason }}",
        description="They are lost; samples of other jobs are not. Usual causes are an app that exposes old timestamps "
        "(honor_timestamps), a wrong clock, and an outage of the hub that was longer than the outage budget.",
        board="hub",
        logs=True,
    )


def _noisy(matchers: str, limits: Thresholds) -> str:
    return f'sum by ({SOURCE}) (rate({{job=~".+"{matchers}}} [5m])) > {limits.log_lines}'


LOGS_NOISY = Alert(
    name="LogsNoisy",
    expr=_noisy,
    keys=("log_lines",),
    wait="0s",
    summary="{{ or $labels.container $labels.job }} on {{ $labels.host }} writes "
    '{{ $value | printf "%.0f" }} log lines per second',
    description="Average of five minutes. Above `line_rate` the log agent reads more slowly than this source writes, "
    "and the lines that Docker rotates away meanwhile are lost.",
    board="logs",
    per="container",
    logs=True,
)
