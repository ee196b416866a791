"""Hub health: whether data arrives from every host, and how the parts of the hub fare."""

from __future__ import annotations

from configs.dashboards import colours, hub_certificate, hub_parts, hub_room
from configs.dashboards.hub_parts import AGENT, BY, LOG_AGENT, METRICS, WHERE, rate
from configs.dashboards.model import (
    ANY_IS_BAD,
    Column,
    Dashboard,
    Graph,
    Query,
    Row,
    Stat,
    Table,
    env_and_host,
    link,
)
from configs.settings import Settings

PARTS = 'job=~"prometheus|loki|grafana|caddy|alertmanager"'
UP_WORDS = {1: ("up", "green"), 0: ("down", "red")}
# Looks back further than a plain query's five minutes, so that a silent host stays in sight for six hours.
LAST = f"(max {BY} (timestamp(up{{{AGENT}}})) or max {BY} (max_over_time(timestamp(up{{{AGENT}}})[6h:1m])))"
BEHIND = (
    f"max {BY} (prometheus_remote_storage_queue_highest_timestamp_seconds{{{AGENT}}}"
    # 0 until the first sample is sent
    f" - (prometheus_remote_storage_queue_highest_sent_timestamp_seconds{{{AGENT}}} > 0))"
)
REFUSED = f"sum {BY} (increase(prometheus_remote_storage_samples_failed_total{{{AGENT}}}[$__range]))"


NONE_DISCARDED = (
    "Loki has this counter from the first line on that it discards; "
    "test_a_line_that_loki_discards_is_seen_in_its_panel makes it discard one"
)

_numbers = Row(
    height=4,
    panels=(
        Stat(
            title="Parts of the hub",
            about="Whether each part answers the agent that watches the hub.",
            unit="none",
            width=12,
            query=Query(expr=f"max by (job) (up{{{PARTS}}})", legend="{{job}}"),
            words=UP_WORDS,
            names=True,
        ),
        Stat(
            title="Firing alerts",
            about="Without the watchdog, which always fires to prove that alerts get through.",
            unit="none",
            query=Query(expr='count(ALERTS{alertstate="firing",alertname!="Watchdog"}) or vector(0)'),
            steps=ANY_IS_BAD,
        ),
        Stat(
            title="Scrapes that fail",
            about="Targets of the chosen hosts that do not answer their agent now.",
            unit="none",
            query=Query(expr=f"count(up{{{WHERE}}} == 0) or vector(0)"),
            steps=ANY_IS_BAD,
        ),
    ),
)

# `increase` of each alone: it drops the name, and two counters of one label set would be one.
STORE = " + ".join(
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
UNDELIVERED = " + ".join(
    f"sum(increase(prometheus_notifications_{kind}_total{{{METRICS}}}[$__range]))" for kind in ("errors", "dropped")
)

_failures = Row(
    height=4,
    panels=(
        Stat(
            title="Configurations refused",
            about="Parts of the hub and agents of the chosen hosts that go on with the configuration before.",
            unit="none",
            query=Query(
                expr='count({__name__=~"(prometheus|alertmanager|caddy)_config_last_reload_successful",'
                f"{WHERE}}} == 0) or vector(0)"
            ),
            steps=ANY_IS_BAD,
        ),
        Stat(
            title="Rules that failed",
            about="Evaluations of rules that failed in the chosen time range; their alerts do not fire.",
            unit="none",
            query=Query(
                expr=f"ceil(sum(increase(prometheus_rule_evaluation_failures_total{{{METRICS}}}[$__range])))"
                " or vector(0)"
            ),
            steps=ANY_IS_BAD,
        ),
        Stat(
            title="Failures of Prometheus' store",
            about="How often it failed in the chosen time range to write or tidy it: a full disk, or an error of it.",
            unit="none",
            query=Query(expr=f"ceil({STORE}) or vector(0)"),
            steps=ANY_IS_BAD,
        ),
        Stat(
            title="Alerts not handed over",
            about="Alerts that did not get from Prometheus to Alertmanager in the chosen time range.",
            unit="none",
            query=Query(expr=f"ceil({UNDELIVERED}) or vector(0)"),
            steps=ANY_IS_BAD,
        ),
    ),
)


def _arrival(settings: Settings) -> Row:
    slowest = 3 * max(edge.scrape.agents for edge in settings.edges.values())
    behind = max(colours.limits(settings).remote_write_behind, slowest)
    return Row(
        heading="Arrival of data",
        height=8,
        panels=(
            Table(
                title="Each host",
                about="What the hub has from each host. A host leads to its page, the last sample to its logs.",
                width=14,
                labels={"env": "Environment", "host": "Host"},
                columns=(
                    Column(
                        title="Last sample",
                        expr=f"time() - {LAST}",
                        unit="s",
                        steps=colours.age(settings),
                    ),
                    Column(
                        title="Samples per second",
                        expr=f"sum {BY} ({rate('prometheus_agent_samples_appended_total', AGENT)})",
                        unit="cps",
                    ),
                    Column(title="Behind", expr=BEHIND, unit="s", steps=colours.up_to(behind, 0.5)),
                    Column(
                        title="Refused samples",
                        expr=REFUSED,
                        unit="short",
                        steps=ANY_IS_BAD,
                    ),
                    Column(title="Log agent", expr=f"max {BY} (up{{{LOG_AGENT}}})", unit="none", words=UP_WORDS),
                ),
                links={
                    "Host": ("This host", link("hosts", "var-host=${__data.fields.Host}")),
                    "Last sample": ("Logs of this host", link("logs", "var-host=${__data.fields.Host}")),
                },
                sort="Last sample",
            ),
            Graph(
                title="Remote write behind",
                about="How far each agent is behind with sending. It grows while the hub is away and shrinks after.",
                unit="s",
                queries=(Query(expr=BEHIND, legend="{{host}}"),),
            ),
        ),
    )


_loss = Row(
    panels=(
        Graph(
            title="Metrics lost on the way",
            about="Samples per second that agents gave up (refused for good) and that the hub found too old to take.",
            unit="cps",
            queries=(
                Query(
                    expr=f"sum {BY} ({rate('prometheus_remote_storage_samples_failed_total', AGENT)})",
                    legend="{{host}} refused",
                ),
                Query(
                    expr=f"sum({rate('prometheus_tsdb_too_old_samples_total', METRICS)})"
                    f" + sum({rate('prometheus_tsdb_out_of_bound_samples_total', METRICS)})",
                    legend="too old for the hub",
                ),
            ),
        ),
        Graph(
            title="Log lines lost on the way",
            about="Lines per second that log agents gave up or Loki discarded. Lines dropped by settings do not count.",
            unit="cps",
            queries=(
                Query(
                    expr=f"sum {BY} ({rate('promtail_dropped_entries_total', LOG_AGENT)}"
                    f" or {rate('loki_write_dropped_entries_total', LOG_AGENT)})",
                    legend="{{host}} given up",
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
    """The same for every stack but for Loki's limit and the name of Caddy's container."""
    return Dashboard(
        name="hub",
        title="Hub health",
        about="Whether data of every host arrives, what is lost, and how the parts of the hub fare.",
        variables=env_and_host('up{job="agent"}'),
        rows=(
            _numbers,
            _failures,
            _arrival(settings),
            _loss,
            *hub_room.rows(settings),
            *hub_parts.rows(settings.hub.loki.max_streams),
            hub_certificate.row(settings),
        ),
    )
