"""Alerts about the components of the hub.

Prometheus and Alertmanager cannot report their own outage; the heartbeat service outside the hub that receives the
watchdog does.
"""

from __future__ import annotations

from configs import certificate_lines, metrics_store
from configs.rules import cluster
from configs.rules.counters import COUNT, increase_of, increase_or_first_event, nonzero_rounded
from configs.rules.model import Alert, Group
from configs.rules.recording import NO_FORECAST, REACH
from configs.services import CORE_JOBS
from configs.settings import Settings
from configs.settings.thresholds import Thresholds
from configs.units import show_duration

TSDB, RULES = metrics_store.TSDB_JOB, metrics_store.RULES_JOB
LOKI, ALERTMANAGER = 'job="loki"', 'job="alertmanager"'


def group(settings: Settings) -> Group:
    """All have the host of the hub, or its node, that they are about: its `alerts.mute` applies to them."""
    return Group(
        name="hub",
        rules=(
            PART_DOWN,
            *_no_ingestion(settings),
            DISK_FILLING,
            *([] if metrics_store.in_bucket(settings) else [_retention(settings)]),
            RULES_FAIL,
            NOTIFICATIONS_FAIL,
            _alerts_undelivered(settings),
            LOKI_DISCARDS,
            TSDB_PROBLEM,
        ),
    )


PART_DOWN = Alert(
    name="HubPartDown",
    expr=lambda matchers, _: f'up{{job=~"{"|".join(CORE_JOBS)}"{matchers}}} == 0',
    wait="2m",
    severity="critical",
    summary="Hub component {{ $labels.job }} is down",
    description="The hub's agent cannot scrape {{ $labels.instance }}: the container is down or does not respond.",
    board="hub",
    per="hub",
)


def _no_ingestion(settings: Settings) -> list[Alert]:
    """If all of several hosts are silent at once, Caddy, which receives all pushes, is unreachable."""
    at_hub = settings.edges["hub"].alerts.mute
    if len(settings.edges) < 2 or "HubPartDown" in at_hub or "all" in at_hub:
        return []
    return [
        Alert(
            name="HubPartDown",
            expr=cluster.unless_alone(settings, f'absent(up{{job="agent",env="{settings.env}"}})'),
            wait="1m",
            severity="critical",
            summary="The hub receives no data from any host",
            description="Caddy on the hub is down or unreachable. The edges buffer metrics and logs for the outage "
            "budget.",
            board="hub",
            per="hub",
            labels={"host": "hub", "job": "caddy"},
        )
    ]


DISK_FILLING = Alert(
    name="HubDiskFilling",
    expr=lambda matchers, limits: (
        f'max by (env, host) (loki_ingester_wal_disk_usage_percent{{job="loki"{matchers}}}) > {limits.hub_disk_used}'
    ),
    keys=("hub_disk_used",),
    severity="critical",
    summary="The hub's disk is {{ $value | humanizePercentage }} full",
    description="At 90 % Loki accepts no more lines, and a full disk stops Prometheus. Enlarge the volume, or shorten "
    "hub.retention.",
    board="hub",
    per="hub",
)


def _retention(settings: Settings) -> Alert:
    wanted = settings.hub.retention.metrics
    return Alert(
        name="RetentionNotReached",
        expr=lambda matchers, _: f'{REACH}{{host=~".+"{matchers}}} < {wanted}',
        wait="1h",
        empty=NO_FORECAST,
        summary="Metrics will be retained for about {{ $value | humanizeDuration }} "
        f"instead of {show_duration(wanted)}",
        description="At the ingestion rate of the last day Prometheus reaches its size limit first. Raise "
        "hub.retention.metrics_size (and the volume), scrape less, or shorten hub.retention.metrics.",
        board="hub",
        per="hub",
    )


def group_names(expr: str) -> str:
    """With the label `group`: Prometheus and Loki name a group of rules `<path of its file>;<name>` in `rule_group`."""
    return f'label_replace({expr}, "group", "$1", "rule_group", "(?:.*;)?(.+)")'


def _rules_fail(matchers: str, _: Thresholds) -> str:
    """Of Prometheus or Thanos, and of Loki's ruler."""
    of_prometheus = increase_of("prometheus_rule_evaluation_failures_total", RULES + matchers, "15m")
    of_loki = increase_of("loki_prometheus_rule_evaluation_failures_total", LOKI + matchers, "15m")
    return nonzero_rounded(f"sum by (env, host, job, group) ({group_names(f'{of_prometheus} or {of_loki}')})")


RULES_FAIL = Alert(
    name="RuleEvaluationFails",
    expr=_rules_fail,
    wait="0s",
    summary=COUNT + " rule evaluations of group {{ $labels.group }} in {{ $labels.job }} failed in 15 minutes",
    description="Alerts of failing rules do not fire. The rules page of the component shows the error of each rule.",
    board="hub",
    per="hub",
)

NOTIFICATIONS_FAIL = Alert(
    name="NotificationsFail",
    expr=lambda matchers, _: nonzero_rounded(
        "sum by (env, host, integration) ("
        f"{increase_of('alertmanager_notifications_failed_total', ALERTMANAGER + matchers, '15m')})"
    ),
    wait="0s",
    severity="critical",
    summary=COUNT + " notifications by {{ $labels.integration }} failed in 15 minutes",
    description="Alerts did not reach their receiver. Alertmanager's log has the response of the receiver.",
    board="hub",
    per="hub",
)


def undelivered(settings: Settings) -> list[list[str]]:
    """Counters of alerts that did not reach Alertmanager, each with its matchers: of Prometheus or Thanos Rule, and of
    Loki's ruler."""
    of_loki = [f"loki_prometheus_notifications_{kind}_total" for kind in ("errors", "dropped")]
    ours = [f"prometheus_notifications_{kind}_total" for kind in ("errors", "dropped")]
    if metrics_store.in_bucket(settings):
        ours = ["thanos_alert_sender_alerts_dropped_total", "thanos_alert_queue_alerts_dropped_total"]
    return [[f"{name}{{{RULES}" for name in ours], [f"{name}{{{LOKI}" for name in of_loki]]


def _alerts_undelivered(settings: Settings) -> Alert:
    over = "min" if settings.hub.nodes else "sum"  # one Alertmanager of several is enough

    def expr(matchers: str, _: Thresholds) -> str:
        programs = [
            " + ".join(f"{over} by (env, host, job) (increase({counter}{matchers}}}[15m]))" for counter in counters)
            for counters in undelivered(settings)
        ]
        return nonzero_rounded(f"({' or '.join(programs)})")

    return Alert(
        name="NotificationsFail",
        expr=expr,
        wait="0s",
        severity="critical",
        summary="{{ $labels.job }} failed to deliver " + COUNT + " alerts to Alertmanager in 15 minutes",
        description="Notifications are missing or late. Check that Alertmanager is up.",
        board="hub",
        per="hub",
    )


def _discards(matchers: str, _: Thresholds) -> str:
    """`policy` is the host that sent the lines (configs/services/loki.py)."""
    lines = increase_or_first_event("loki_discarded_samples_total", f'job="loki"{matchers}', "15m")
    return nonzero_rounded(f"sum by (env, host, reason, policy) ({lines})")


LOKI_DISCARDS = Alert(
    name="LokiDiscards",
    expr=_discards,
    wait="0s",
    empty="Loki exposes this counter after the first discarded line",
    summary="Loki discarded " + COUNT + " lines{{ with $labels.policy }} of {{ . }}{{ end }} in 15 minutes: "
    "{{ $labels.reason }}",
    description="They are lost; other lines of the same push are not. The limits are `logs.max_streams` of the host "
    "and hub.loki in the stack file.",
    board="hub",
    per="hub",
)


def _tsdb_problem(matchers: str, _: Thresholds) -> str:
    kinds = (
        "compactions_failed",
        "reloads_failures",
        "head_truncations_failed",
        "checkpoint_creations_failed",
        "wal_truncations_failed",
        "wal_writes_failed",
        "wal_corruptions",
    )
    failures = " + ".join(increase_of(f"prometheus_tsdb_{kind}_total", f"{TSDB}{matchers}", "3h") for kind in kinds)
    return nonzero_rounded(f"sum by (env, host, job) ({failures})")


TSDB_PROBLEM = Alert(
    name="TsdbProblem",
    expr=_tsdb_problem,
    wait="0s",
    severity="critical",
    summary="{{ $labels.job }} on the hub had " + COUNT + " TSDB failures in 3 hours",
    description="Usual causes are a full or faulty disk, or too little memory. Until the operation succeeds, disk "
    "usage grows and a restart takes longer.",
    board="hub",
    per="hub",
)


def ruler_group(settings: Settings) -> Group:
    """The group that Loki evaluates."""
    return Group(name="hub-lines", rules=(_certificate(settings),), interval="1m")


def _certificate(settings: Settings) -> Alert:
    """Caddy 2.11 has no metric of a certificate's expiry, but logs failed renewals.

    It renews a public certificate when a third of its lifetime is left, weeks before the expiry, and a certificate of
    its internal CA (12 hours) some hours before.
    """
    return Alert(
        name="CertificateExpires",
        expr=lambda matchers, _: (
            "sum by (env, host) (count_over_time("
            f"{certificate_lines.lines(settings, certificate_lines.FAILED, matchers)} [1h])) > 0"
        ),
        wait="0s",
        severity="critical",
        summary="Caddy could not renew the hub's certificate, " + COUNT + " attempts failed within an hour",
        description="When it expires, browsers warn and edges on the internet cannot push. Caddy's log has the "
        "response of the certificate authority.",
        empty="Caddy logs nothing about certificates between two renewals",
        board="hub",
        per="hub",
        logs=True,
    )
