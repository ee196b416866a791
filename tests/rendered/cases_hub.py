"""When the alerts about the hub's parts fire, and when not."""

from __future__ import annotations

from configs.rules.recording import REACH
from tests.rendered.rules_rig import Case, fired

OF = 'env="test",host="hub"'
LOKI_UP = f'up{{job="loki",{OF},instance="fleetwatch-loki:3100"}}'
PROMETHEUS, ALERTMANAGER = f'job="prometheus",{OF}', f'job="alertmanager",{OF}'
FULL = f'loki_ingester_wal_disk_usage_percent{{job="loki",{OF}}}'
REACHES = f"{REACH}{{{OF}}}"
RULES = f'prometheus_rule_evaluation_failures_total{{{PROMETHEUS},rule_group="hosts.yml;hosts"}}'
FAILED = f'alertmanager_notifications_failed_total{{{ALERTMANAGER},integration="webhook",reason="other"}}'
TO_ALERTMANAGER = [
    f'prometheus_notifications_{what}_total{{{PROMETHEUS},alertmanager="http://am"}}' for what in ("errors", "dropped")
]
LOKI_RULES = (
    f'loki_prometheus_rule_evaluation_failures_total{{job="loki",{OF},user="fake",'
    'rule_group="/rules/log-lines.yml;log-lines"}'
)
LOKI_TO_ALERTMANAGER = [
    f'loki_prometheus_notifications_{what}_total{{job="loki",{OF},user="fake"}}' for what in ("errors", "dropped")
]
DISCARDED = f'loki_discarded_samples_total{{job="loki",{OF},reason="rate_limited",tenant="fake"}}'
OF_WEB = f'loki_discarded_samples_total{{job="loki",{OF},policy="web-1",reason="stream_limit",tenant="fake"}}'
STORE = {
    f"prometheus_tsdb_{kind}_total{{{PROMETHEUS}}}": "0x200"
    for kind in (
        "compactions_failed",
        "reloads_failures",
        "head_truncations_failed",
        "checkpoint_creations_failed",
        "wal_truncations_failed",
        "wal_writes_failed",
        "wal_corruptions",
    )
}

CASES = (
    Case(
        alert="HubPartDown",
        when="when a part does not answer",
        series={LOKI_UP: "0x60"},
        fires=[fired("Hub component loki is down", job="loki", instance="fleetwatch-loki:3100")],
    ),
    Case(alert="HubPartDown", when="while it answers", series={LOKI_UP: "1x60"}),
    Case(alert="HubPartDown", when="for a restart", series={LOKI_UP: "1x20 0x4 1x60"}, at="6m15s"),
    Case(
        alert="HubDiskFilling",
        when="before Loki stops",
        series={FULL: "0.87x60"},
        fires=[fired("The hub's disk is 87% full")],
    ),
    Case(alert="HubDiskFilling", when="at what it is planned for", series={FULL: "0.8x60"}),
    Case(
        alert="RetentionNotReached",
        when="when the size limit will cut first",
        series={REACHES: "2600000x200"},
        step="1m",
        at="2h",
        fires=[fired("Metrics will be retained for about 30d 2h 13m 20s instead of 730d")],
    ),
    Case(
        alert="RetentionNotReached",
        when="when there is room for all of it",
        series={REACHES: "100000000x200"},
        step="1m",
        at="2h",
    ),
    Case(
        alert="RuleEvaluationFails",
        when="when rules fail",
        series={RULES: "0x20 3x100"},
        fires=[
            fired(
                "3 rule evaluations of group hosts in prometheus failed in 15 minutes",
                job="prometheus",
                group="hosts",
            )
        ],
    ),
    Case(
        alert="RuleEvaluationFails",
        when="when rules of Loki's ruler fail",
        series={RULES: "0x120", LOKI_RULES: "0x20 2x100"},
        fires=[
            fired(
                "2 rule evaluations of group log-lines in loki failed in 15 minutes",
                job="loki",
                group="log-lines",
            )
        ],
    ),
    Case(alert="RuleEvaluationFails", when="for what was long ago", series={RULES: "3x100"}, at="20m"),
    Case(
        alert="NotificationsFail",
        when="when a receiver does not take them",
        series={FAILED: "0x20 3x100"},
        fires=[fired("3 notifications by webhook failed in 15 minutes", integration="webhook")],
    ),
    Case(
        alert="NotificationsFail",
        when="when Alertmanager does not take them",
        series=dict(zip(TO_ALERTMANAGER, ("0x20 3x100", "0x20 1x100"), strict=True)),
        fires=[fired("prometheus failed to deliver 4 alerts to Alertmanager in 15 minutes", job="prometheus")],
    ),
    Case(
        alert="NotificationsFail",
        when="when Alertmanager does not take those of Loki's ruler",
        series={
            **dict.fromkeys(TO_ALERTMANAGER, "0x120"),
            **dict(zip(LOKI_TO_ALERTMANAGER, ("0x20 2x100", "0x120"), strict=True)),
        },
        fires=[fired("loki failed to deliver 2 alerts to Alertmanager in 15 minutes", job="loki")],
    ),
    Case(
        alert="NotificationsFail",
        when="for what was long ago",
        series={FAILED: "3x100", **dict.fromkeys(TO_ALERTMANAGER, "3x100")},
        at="20m",
    ),
    Case(
        alert="LokiDiscards",
        when="from the first line on",
        series={DISCARDED: "_x20 12x60"},
        fires=[fired("Loki discarded 12 lines in 15 minutes: rate_limited", reason="rate_limited")],
    ),
    Case(
        alert="LokiDiscards",
        when="when it goes on",
        series={DISCARDED: "12x100 24x60"},
        at="30m",
        fires=[fired("Loki discarded 12 lines in 15 minutes: rate_limited", reason="rate_limited")],
    ),
    Case(
        alert="LokiDiscards",
        when="of which host",
        series={OF_WEB: "_x20 12x60"},
        fires=[
            fired("Loki discarded 12 lines of web-1 in 15 minutes: stream_limit", reason="stream_limit", policy="web-1")
        ],
    ),
    Case(alert="LokiDiscards", when="for what was long ago", series={DISCARDED: "12x400"}, at="90m"),
    Case(
        alert="TsdbProblem",
        when="when a compaction fails",
        series={**STORE, next(iter(STORE)): "0x20 2x100"},
        fires=[fired("prometheus on the hub had 2 TSDB failures in 3 hours", job="prometheus")],
    ),
    Case(alert="TsdbProblem", when="when all goes well", series=STORE),
)
# Of a hub that has more hosts than its own.
CASES_OF_SEVERAL = (
    Case(
        alert="HubPartDown",
        when="when nobody's data arrives",
        series={},
        at="3m",
        fires=[fired("The hub receives no data from any host", job="caddy")],
    ),
    Case(
        alert="HubPartDown",
        when="when one of two still sends",
        series={'up{job="agent",env="test",host="web-1"}': "1x60"},
    ),
)
