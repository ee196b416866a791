"""Rows about the components of the hub: Prometheus, Loki, Caddy and Alertmanager."""

from __future__ import annotations

from configs.dashboards.hub.queries import AGENT, BY, LOG_AGENT, METRICS, RATE_INTERVAL, SELECTED, once, rate
from configs.dashboards.model import PER_SECOND, Graph, Query, Row, largest
from configs.metrics_store import RULES_JOB
from configs.rules import agents
from configs.rules.hub import group_names
from configs.settings import Settings

GROUP_DURATIONS = group_names(f"prometheus_rule_group_last_duration_seconds{{{RULES_JOB}}}")


def _storage(settings: Settings) -> Row:
    return Row(
        title="Prometheus and Loki",
        panels=(
            Graph(
                title="Ingested samples",
                description="Samples per second that Prometheus appends; out-of-order samples belong to a backlog.",
                unit=PER_SECOND,
                queries=(
                    Query(
                        expr=once(rate("prometheus_tsdb_head_samples_appended_total", METRICS)),
                        legend="all",
                    ),
                    Query(
                        expr=once(rate("prometheus_tsdb_head_out_of_order_samples_appended_total", METRICS)),
                        legend="out of order",
                    ),
                ),
            ),
            Graph(
                title="Sample rate by host",
                description="Samples per second that each agent collects.",
                unit=PER_SECOND,
                stack=True,
                queries=(Query(expr=agents.sample_rate(settings, AGENT, RATE_INTERVAL), legend="{{host}}"),),
            ),
            Graph(
                title="Samples per scrape",
                description="Samples that each job exposes. An app's limit is its `sample_limit`; above it the whole "
                "scrape is rejected.",
                unit="none",
                queries=(
                    Query(
                        expr=largest(f"max by (env, host, job) (scrape_samples_scraped{{{SELECTED}}})"),
                        legend="{{host}} {{job}}",
                    ),
                ),
            ),
            Graph(
                title="TSDB size on disk",
                description="Blocks, write-ahead log and head chunks of Prometheus.",
                unit="bytes",
                stack=True,
                queries=(
                    Query(expr=once(f"prometheus_tsdb_storage_blocks_bytes{{{METRICS}}}"), legend="blocks"),
                    Query(expr=once(f"prometheus_tsdb_wal_storage_size_bytes{{{METRICS}}}"), legend="write-ahead log"),
                    Query(
                        expr=once(f"prometheus_tsdb_head_chunks_storage_size_bytes{{{METRICS}}}"),
                        legend="head chunks",
                    ),
                ),
            ),
        ),
    )


def _logs(limit: int) -> Row:
    return Row(
        panels=(
            Graph(
                title="Ingested log bytes",
                description="Bytes per second that Loki receives.",
                unit="binBps",
                queries=(
                    Query(
                        expr="sum(" + rate("loki_distributor_bytes_received_total", 'job="loki"') + ")",
                        legend="received",
                    ),
                ),
            ),
            Graph(
                title="Log rate by host",
                description="Lines per second that Loki accepted from each log agent.",
                unit=PER_SECOND,
                stack=True,
                queries=(
                    Query(
                        expr=f"sum {BY} ({rate('promtail_sent_entries_total', LOG_AGENT)}"
                        f" or {rate('loki_write_sent_entries_total', LOG_AGENT)})",
                        legend="{{host}}",
                    ),
                ),
            ),
            Graph(
                title="Log streams",
                description="Active streams in Loki. At the limit Loki rejects lines of new streams.",
                unit="none",
                queries=(
                    Query(expr=once('loki_ingester_memory_streams{job="loki"}'), legend="streams"),
                    Query(expr=f"vector({limit})", legend="limit"),
                ),
            ),
        ),
    )


_requests = Row(
    title="Requests and alerts",
    panels=(
        Graph(
            title="Request rate by status code",
            description="Requests to Caddy per second; 4xx on the push endpoints are rejected pushes.",
            unit="reqps",
            stack=True,
            queries=(
                Query(
                    expr="sum by (code) (" + rate("caddy_http_request_duration_seconds_count", 'job="caddy"') + ")",
                    legend="{{code}}",
                ),
            ),
        ),
        Graph(
            title="Failed requests",
            description="Requests to Caddy per second with a 4xx or 5xx response.",
            unit="reqps",
            queries=(
                Query(
                    expr="sum("
                    + rate("caddy_http_request_duration_seconds_count", 'job="caddy",code=~"[45].."')
                    + ") or vector(0)",
                    legend="4xx and 5xx",
                ),
            ),
        ),
        Graph(
            title="Alerts and failed notifications",
            description="Alerts in Alertmanager by state, and notifications per minute that could not be delivered.",
            unit="none",
            queries=(
                Query(expr=once('alertmanager_alerts{job="alertmanager"}', "state"), legend="{{state}}"),
                Query(
                    expr="60 * sum(" + rate("alertmanager_notifications_failed_total", 'job="alertmanager"') + ")",
                    legend="failed notifications per minute",
                ),
            ),
        ),
        Graph(
            title="Rule evaluation duration",
            description="Duration of the last evaluation of each rule group.",
            unit="s",
            queries=(
                Query(
                    expr=f"max by (group) ({GROUP_DURATIONS})",
                    legend="{{group}}",
                ),
            ),
        ),
    ),
)


def rows(settings: Settings) -> tuple[Row, ...]:
    """In the order of the dashboard."""
    return (_storage(settings), _logs(settings.hub.loki.max_streams), _requests)
