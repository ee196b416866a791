"""The Hub health dashboard: ingestion from every host, data loss, and the state of the hub's components."""

from __future__ import annotations

from configs.dashboards.hub import access, assistant, backup, bucket, capacity, certificate, components
from configs.dashboards.hub.queries import AGENT, BY, LOG_AGENT, METRICS, RATE_INTERVAL, SELECTED, rate
from configs.dashboards.model import (
    ANY_IS_BAD,
    NOT_SHOWN,
    PER_SECOND,
    Column,
    Dashboard,
    Graph,
    Query,
    Row,
    Stat,
    Table,
    env_and_host,
    firing_alerts,
    link,
)
from configs.dashboards.panel_thresholds import fleet_thresholds, red_above, sample_age
from configs.dashboards.scrapes import FAILED_SCRAPES
from configs.metrics_store import RULES_JOB, THANOS
from configs.rules import agents
from configs.rules.hub import undelivered
from configs.settings import Settings

COMPONENTS = f'job=~"{"|".join(("prometheus", *THANOS, "loki", "grafana", "caddy", "alertmanager"))}"'
UP_MAPPINGS = {1: ("up", "green"), 0: ("down", "red")}
# Looks back six hours instead of five minutes, so that a silent host stays in the table.
NEWEST_SAMPLE = f"(max {BY} (timestamp(up{{{AGENT}}})) or max {BY} (max_over_time(timestamp(up{{{AGENT}}})[6h:1m])))"
NONE_DISCARDED = "Loki exposes this counter after the first discarded line"


def _stats(settings: Settings) -> Row:
    over = "min" if settings.hub.nodes else "max"  # one node of several on which it is down is not hidden by the others
    return Row(
        height=4,
        panels=(
            Stat(
                title="Hub components",
                description="Whether each component answers the scrapes of the hub's agent.",
                unit="none",
                width=12,
                query=Query(expr=f"{over} by (job) (up{{{COMPONENTS}}})", legend="{{job}}"),
                mappings=UP_MAPPINGS,
                show_names=True,
            ),
            Stat(
                title="Firing alerts",
                description="Without the watchdog, which always fires.",
                unit="none",
                query=Query(expr=f"count({firing_alerts()}) or vector(0)"),
                steps=ANY_IS_BAD,
            ),
            FAILED_SCRAPES,
        ),
    )


# One `increase` per counter: it drops the metric name, so counters with equal labels would collide.
TSDB_FAILURES = " + ".join(
    f"sum(increase(prometheus_tsdb_{kind}_total{{{METRICS}}}[$__range]))"
    for kind in (
        "compactions_failed",
        "reloads_failures",
        "head_truncations_failed",
        "checkpoint_creations_failed",
        "wal_truncations_failed",
        "wal_writes_failed",
        "wal_corruptions",
    )
)


def _of_both(counter: str) -> str:
    """The sum of the counter of Prometheus or Thanos, and the same of Loki's ruler."""
    counters = (f"{counter}{{{RULES_JOB}}}", f'loki_{counter}{{job="loki"}}')
    return " + ".join(f"(sum(increase({one}[$__range])) or vector(0))" for one in counters)


RULE_FAILURES = _of_both("prometheus_rule_evaluation_failures_total")


def _undelivered(settings: Settings) -> str:
    counters = [counter for program in undelivered(settings) for counter in program]
    return " + ".join(f"(sum(increase({counter}}}[$__range])) or vector(0))" for counter in counters)


def _failures(settings: Settings) -> Row:
    return Row(
        height=4,
        panels=(
            Stat(
                title="Failed config reloads",
                description="Hub components and agents of the selected hosts for which the alert ConfigNotRead is "
                "active.",
                unit="none",
                query=Query(expr=f'count(ALERTS{{alertname="ConfigNotRead",{SELECTED}}}) or vector(0)'),
                steps=ANY_IS_BAD,
            ),
            Stat(
                title="Rule evaluation failures",
                description="Failed rule evaluations of Prometheus and Loki in the time range. Alerts of these rules "
                "do not fire.",
                unit="none",
                query=Query(expr=f"ceil({RULE_FAILURES})"),
                steps=ANY_IS_BAD,
            ),
            Stat(
                title="TSDB failures",
                description="Failed writes, compactions, truncations and reloads of Prometheus' database in the time "
                "range, usually because of a full or faulty disk.",
                unit="none",
                query=Query(expr=f"ceil({TSDB_FAILURES}) or vector(0)"),
                steps=ANY_IS_BAD,
            ),
            Stat(
                title="Undelivered alerts",
                description="Alerts that Prometheus and Loki could not deliver to Alertmanager in the time range.",
                unit="none",
                query=Query(expr=f"ceil({_undelivered(settings)})"),
                steps=ANY_IS_BAD,
            ),
        ),
    )


def _ingestion(settings: Settings) -> Row:
    slowest = 3 * max(edge.scrape.agents for edge in settings.edges.values())
    behind = max(fleet_thresholds(settings).remote_write_behind, slowest)
    remote_write_lag = agents.lag(settings, AGENT, RATE_INTERVAL)
    return Row(
        title="Ingestion",
        panels=(
            Table(
                title="Ingestion by host",
                description="Current values. Links: host to Hosts, last sample to Logs.",
                width=16,
                labels={"env": NOT_SHOWN, "host": "Host"},
                rows=6,
                columns=(
                    Column(
                        title="Last sample",
                        expr=f"time() - {NEWEST_SAMPLE}",
                        unit="s",
                        steps=sample_age(settings),
                    ),
                    Column(
                        title="Sample rate",
                        expr=agents.sample_rate(settings, AGENT, RATE_INTERVAL),
                        unit=PER_SECOND,
                    ),
                    Column(title="Remote write lag", expr=remote_write_lag, unit="s", steps=red_above(behind, 0.5)),
                    Column(
                        title="Failed samples",
                        expr=agents.rejected(settings, f",{SELECTED}", "$__range"),
                        unit="short",
                        steps=ANY_IS_BAD,
                    ),
                    Column(title="Log agent", expr=f"max {BY} (up{{{LOG_AGENT}}})", unit="none", mappings=UP_MAPPINGS),
                ),
                links={
                    "Host": ("Host details", link("hosts", "var-host=${__data.fields.Host}")),
                    "Last sample": ("Logs of this host", link("logs", "var-host=${__data.fields.Host}")),
                },
                sort="Last sample",
            ),
            Graph(
                title="Remote write lag",
                description="How far each agent lags behind with sending. The lag grows while the hub is down and "
                "shrinks while the backlog is sent.",
                unit="s",
                queries=(Query(expr=remote_write_lag, legend="{{host}}"),),
            ),
        ),
    )


def _loss(settings: Settings) -> Row:
    return Row(
        panels=(
            Graph(
                title="Lost samples",
                description="Samples per second that agents dropped because the hub rejected them, and that Prometheus "
                "rejected as too old.",
                unit=PER_SECOND,
                queries=(
                    Query(
                        expr=agents.rejected(settings, f",{SELECTED}", RATE_INTERVAL, "rate"),
                        legend="{{host}} rejected",
                    ),
                    Query(
                        expr=f"sum({rate('prometheus_tsdb_too_old_samples_total', METRICS)})"
                        f" + sum({rate('prometheus_tsdb_out_of_bound_samples_total', METRICS)})",
                        legend="too old",
                    ),
                ),
            ),
            Graph(
                title="Lost log lines",
                description="Lines per second that log agents dropped or Loki discarded. Lines that the settings drop "
                "are not counted.",
                unit=PER_SECOND,
                queries=(
                    Query(
                        expr=f"sum {BY} ({rate('promtail_dropped_entries_total', LOG_AGENT)}"
                        f" or {rate('loki_write_dropped_entries_total', LOG_AGENT)})",
                        legend="{{host}} dropped",
                    ),
                    Query(
                        expr="sum(" + rate("loki_discarded_samples_total", 'job="loki"') + ") or vector(0)",
                        legend="discarded by Loki",
                        empty=NONE_DISCARDED,
                    ),
                ),
            ),
        ),
    )


def board(settings: Settings) -> Dashboard:
    """Depends on the settings only for limits and the name of Caddy's container."""
    return Dashboard(
        name="hub",
        title="Hub health",
        description="Ingestion from every host, data loss, capacity, and the state of the hub's components.",
        variables=env_and_host('up{job="agent"}'),
        rows=(
            _stats(settings),
            _failures(settings),
            _ingestion(settings),
            _loss(settings),
            *capacity.rows(settings),
            *bucket.rows(settings),
            *backup.rows(settings),
            *assistant.rows(settings),
            *components.rows(settings),
            certificate.row(settings),
            access.row(settings),
        ),
    )
