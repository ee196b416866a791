"""The lower half of the hub's page: what Prometheus, Loki, Caddy and Alertmanager do."""

from __future__ import annotations

from configs.dashboards.model import Graph, Query, Row

WHERE = 'env=~"$env",host=~"$host"'
AGENT = f'job="agent",{WHERE}'
LOG_AGENT = f'job=~"promtail|alloy",{WHERE}'
BY = "by (env, host)"
METRICS = 'job="prometheus"'


def rate(metric: str, matchers: str) -> str:
    """Per second."""
    return f"rate({metric}{{{matchers}}}[$__rate_interval])"


_stores = Row(
    heading="Prometheus and Loki",
    panels=(
        Graph(
            title="Samples taken",
            about="Samples per second that Prometheus writes, those of a backlog apart.",
            unit="cps",
            queries=(
                Query(
                    expr="sum(" + rate("prometheus_tsdb_head_samples_appended_total", METRICS) + ")",
                    legend="all",
                ),
                Query(
                    expr="sum(" + rate("prometheus_tsdb_head_out_of_order_samples_appended_total", METRICS) + ")",
                    legend="from a backlog",
                ),
            ),
        ),
        Graph(
            title="Samples by host",
            about="Samples per second that each agent appends and sends.",
            unit="cps",
            stack=True,
            queries=(
                Query(expr=f"sum {BY} ({rate('prometheus_agent_samples_appended_total', AGENT)})", legend="{{host}}"),
            ),
        ),
        Graph(
            title="Size on disk of the metrics",
            about="Prometheus' blocks, its write-ahead log and the head's chunks.",
            unit="bytes",
            stack=True,
            queries=(
                Query(expr='sum(prometheus_tsdb_storage_blocks_bytes{job="prometheus"})', legend="blocks"),
                Query(expr='sum(prometheus_tsdb_wal_storage_size_bytes{job="prometheus"})', legend="write-ahead log"),
                Query(
                    expr='sum(prometheus_tsdb_head_chunks_storage_size_bytes{job="prometheus"})', legend="head chunks"
                ),
            ),
        ),
    ),
)


def _logs(limit: int) -> Row:
    return Row(
        panels=(
            Graph(
                title="Log bytes taken",
                about="Bytes per second that Loki receives.",
                unit="binBps",
                queries=(
                    Query(
                        expr="sum(" + rate("loki_distributor_bytes_received_total", 'job="loki"') + ")",
                        legend="received",
                    ),
                ),
            ),
            Graph(
                title="Log lines by host",
                about="Lines per second that each log agent got rid of.",
                unit="cps",
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
                about="Streams that Loki holds open. At the limit it refuses lines of new ones.",
                unit="none",
                queries=(
                    Query(expr='sum(loki_ingester_memory_streams{job="loki"})', legend="streams"),
                    Query(expr=f"vector({limit})", legend="limit"),
                ),
            ),
        ),
    )


_traffic = Row(
    heading="Requests and alerts",
    panels=(
        Graph(
            title="Requests to Caddy",
            about="Requests per second by answer; 4xx on the push side are refused pushes.",
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
            title="Requests refused",
            about="Requests per second that Caddy or what is behind it answered with 4xx or 5xx.",
            unit="reqps",
            queries=(
                Query(
                    expr="sum("
                    + rate("caddy_http_request_duration_seconds_count", 'job="caddy",code=~"[45].."')
                    + ") or vector(0)",
                    legend="refused or failed",
                ),
            ),
        ),
        Graph(
            title="Alerts and notifications",
            about="Alerts that Alertmanager holds, and messages per minute that it could not deliver.",
            unit="none",
            queries=(
                Query(expr='sum by (state) (alertmanager_alerts{job="alertmanager"})', legend="{{state}}"),
                Query(
                    expr="60 * sum(" + rate("alertmanager_notifications_failed_total", 'job="alertmanager"') + ")",
                    legend="failed messages per minute",
                ),
            ),
        ),
        Graph(
            title="Rules",
            about="How long each group of rules took to evaluate.",
            unit="s",
            queries=(
                Query(
                    expr=f"max by (rule_group) (prometheus_rule_group_last_duration_seconds{{{METRICS}}})",
                    legend="{{rule_group}}",
                ),
            ),
        ),
    ),
)


def rows(max_streams: int) -> tuple[Row, ...]:
    """In the order in which they are shown. `max_streams` is Loki's limit."""
    return (_stores, _logs(max_streams), _traffic)
