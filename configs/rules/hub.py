"""Alerts about the hub's own parts: what stops them, and what they refuse.

What Prometheus and Alertmanager cannot say of themselves (that they are down, or that nothing leaves the hub) is said
by the watchdog's silence, to a heartbeat service outside.
"""

from __future__ import annotations

from configs import certificate_lines
from configs.rules.counting import COUNT, grown, grown_or_new, whole
from configs.rules.model import Alert, Group
from configs.rules.records import NO_FORECAST, REACH
from configs.services import HUB_JOBS
from configs.settings import Settings
from configs.settings.thresholds import Thresholds
from configs.units import show_duration

TSDB = 'job="prometheus"'


def group(settings: Settings) -> Group:
    """All of them have host="hub", so that hosts.hub.alerts.mute silences them."""
    return Group(
        name="hub",
        rules=(
            PART_DOWN,
            *_door_shut(settings),
            DISK_FILLING,
            _retention(settings),
            RULES_FAIL,
            NOTIFICATIONS_FAIL,
            ALERTS_UNDELIVERED,
            LOKI_DISCARDS,
            TSDB_PROBLEM,
        ),
    )


PART_DOWN = Alert(
    name="HubPartDown",
    expr=lambda matchers, _: f'up{{job=~"{"|".join(HUB_JOBS)}"{matchers}}} == 0',
    wait="2m",
    severity="critical",
    summary="{{ $labels.job }} on the hub does not answer",
    advice="The agent on the hub gets no metrics from {{ $labels.instance }}: the container is down or hangs.",
    board="hub",
    per="hub",
)


def _door_shut(settings: Settings) -> list[Alert]:
    """What is pushed comes through Caddy, also that it is down. That all hosts fall silent at once is told apart from
    a silent host where there are several."""
    at_hub = settings.edges["hub"].alerts.mute
    if len(settings.edges) < 2 or "HubPartDown" in at_hub or "all" in at_hub:
        return []
    return [
        Alert(
            name="HubPartDown",
            expr=f'absent(up{{job="agent",env="{settings.env}"}})',
            wait="1m",
            severity="critical",
            summary="No host's data arrives at the hub any more",
            advice="Caddy on the hub is down, or nobody reaches it. The edges keep what they collect for the outage "
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
    advice="At 90 % Loki takes no more lines, and a full disk stops Prometheus. Enlarge the volume, or shorten "
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
        summary=f"Metrics will be kept for about {{{{ $value | humanizeDuration }}}}, not {show_duration(wanted)}",
        advice="At the pace of the last day Prometheus' size limit cuts first: raise hub.retention.metrics_size (and "
        "the volume), scrape less, or shorten hub.retention.metrics.",
        board="hub",
        per="hub",
    )


RULES_FAIL = Alert(
    name="RuleEvaluationFails",
    expr=lambda matchers, _: whole(
        f"sum by (env, host, rule_group) ({grown('prometheus_rule_evaluation_failures_total', TSDB + matchers, '15m')})"
    ),
    wait="0s",
    summary=COUNT + " evaluations of rules failed in {{ $labels.rule_group }}",
    advice="Alerts of these rules do not fire while they fail. Prometheus' page of rules shows the error of each.",
    board="hub",
    per="hub",
)

NOTIFICATIONS_FAIL = Alert(
    name="NotificationsFail",
    expr=lambda matchers, _: whole(
        "sum by (env, host, integration) ("
        f"{grown('alertmanager_notifications_failed_total', _alertmanager(matchers), '15m')})"
    ),
    wait="0s",
    severity="critical",
    summary=COUNT + " notifications by {{ $labels.integration }} failed within 15 minutes",
    advice="Somebody was not told of something. Alertmanager's log says what the receiver answered.",
    board="hub",
    per="hub",
)


def _undelivered(matchers: str, _: Thresholds) -> str:
    of = f"{TSDB}{matchers}"
    failed = grown("prometheus_notifications_errors_total", of, "15m")
    dropped = grown("prometheus_notifications_dropped_total", of, "15m")
    return whole(f"sum by (env, host) ({failed} + {dropped})")


ALERTS_UNDELIVERED = Alert(
    name="NotificationsFail",
    expr=_undelivered,
    wait="0s",
    severity="critical",
    summary=COUNT + " alerts did not get from Prometheus to Alertmanager within 15 minutes",
    advice="Somebody was not told of something, or was told later. Is Alertmanager up?",
    board="hub",
    per="hub",
)


def _discards(matchers: str, _: Thresholds) -> str:
    lines = grown_or_new("loki_discarded_samples_total", f'job="loki"{matchers}', "15m")
    return whole(f"sum by (env, host, reason) ({lines})")


LOKI_DISCARDS = Alert(
    name="LokiDiscards",
    expr=_discards,
    wait="0s",
    empty="Loki has this counter from the first line on that it discards; "
    "tests/rendered/test_rules.py::test_it_fires_in_these_words_and_is_silent_otherwise has one",
    summary="Loki discarded " + COUNT + " lines within 15 minutes: {{ $labels.reason }}",
    advice="They are lost, unless their sender tries again. The limits are hub.loki in the stack file.",
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
    failures = " + ".join(grown(f"prometheus_tsdb_{kind}_total", f"{TSDB}{matchers}", "3h") for kind in kinds)
    return whole(f"sum by (env, host) ({failures})")


TSDB_PROBLEM = Alert(
    name="TsdbProblem",
    expr=_tsdb_problem,
    wait="0s",
    severity="critical",
    summary="Prometheus on the hub failed " + COUNT + " times within 3 hours to write or tidy its store",
    advice="A full disk, an error of the disk, or too little memory. Until it succeeds, the store grows and a restart "
    "takes long.",
    board="hub",
    per="hub",
)


def _alertmanager(matchers: str) -> str:
    return f'job="alertmanager"{matchers}'


def ruler_group(settings: Settings) -> Group:
    """What Loki evaluates."""
    return Group(name="hub-lines", rules=(_certificate(settings),), interval="1m")


def _certificate(settings: Settings) -> Alert:
    """Caddy has no metric of a certificate's end (2.11), but logs each renewal that failed.

    A public certificate is renewed with a third of its time left, weeks before its end; one of Caddy's own CA, which
    lives 12 hours, some hours before.
    """
    return Alert(
        name="CertificateExpires",
        expr=lambda matchers, _: (
            "sum by (env, host) (count_over_time("
            f"{certificate_lines.lines(settings.prefix, certificate_lines.FAILED, matchers)} [1h])) > 0"
        ),
        wait="0s",
        severity="critical",
        summary="Caddy could not renew the hub's certificate, " + COUNT + " attempts failed within an hour",
        advice="When it ends, browsers warn and edges on the internet can push nothing. Caddy's log says what the "
        "certificate authority answered.",
        board="hub",
        per="hub",
        logs=True,
    )
