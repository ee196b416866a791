"""Rows about capacity: the hub's disk and retention, and how long each agent can buffer while the hub is down."""

from __future__ import annotations

from configs import names
from configs.dashboards.hosts import YEAR
from configs.dashboards.hub.queries import BY, METRICS, SELECTED
from configs.dashboards.model import Graph, Query, Row
from configs.disk import BYTES_PER_SAMPLE
from configs.metrics_store import in_bucket
from configs.rules import hosts as rules
from configs.rules.agents import BUFFER, WRITTEN
from configs.settings import Settings

RETENTION = f"max(prometheus_tsdb_retention_limit_seconds{{{METRICS}}})"
OLDEST = f"max(prometheus_tsdb_lowest_timestamp_seconds{{{METRICS}}})"
# As in the alert AgentBufferFilling: what the agent keeps at the most, and the free space of its disk.
RATE = f"max {BY} ({WRITTEN}{{{SELECTED}}})"
LIMIT = f"max {BY} ({BUFFER}{{{SELECTED}}})"
DOCKER_FREE = f'node_filesystem_avail_bytes{{job="node",mountpoint=~"/|/var|/var/lib|/var/lib/docker",{SELECTED}}}'
ON_DISK = " + ".join(
    f"sum(prometheus_tsdb_{what}_bytes{{{METRICS}}})"
    for what in ("storage_blocks", "wal_storage_size", "head_chunks_storage_size")
)
INGESTION_RATE = f"sum(rate(prometheus_tsdb_head_samples_appended_total{{{METRICS}}}[1h]))"


_UNTIL_RETENTION = Query(
    expr=f"clamp_min({RETENTION} - (time() - {OLDEST}), 0)", legend="until metrics reach retention"
)


def _disks(settings: Settings) -> tuple[Query, Query, Query]:
    """Used share of the hub's file systems, the same of Loki's disk, and the time until the file systems are full. Of a
    cluster each node's."""
    ours = f'job="node",{names.matcher(settings.hub.hosts)},{rules.DISKS}'
    free = f"node_filesystem_avail_bytes{{{ours}}}"
    used = f"1 - {free} / (node_filesystem_size_bytes{{{ours}}} > 0)"
    left = f"clamp_max({free} / clamp_min(-deriv({free}[6h]), 1e-9), {YEAR})"
    loki = 'loki_ingester_wal_disk_usage_percent{job="loki"}'
    by, of_loki, node = (
        ("host, mountpoint", " by (host) ", "{{host}} ") if settings.hub.nodes else ("mountpoint", "", "")
    )
    return (
        Query(expr=f"max by ({by}) ({used})", legend=f"{node}{{{{mountpoint}}}}"),
        Query(expr=f"max{of_loki}({loki})", legend=f"{node}Loki"),
        Query(expr=f"min by ({by}) ({left})", legend=f"{node}{{{{mountpoint}}}}"),
    )


def _capacity(settings: Settings) -> Row:
    hub = settings.hub
    used, loki, left = _disks(settings)
    return Row(
        title="Capacity",
        panels=(
            Graph(
                title="Hub disk usage",
                description="Usage of each file system of the hub, and of Loki's disk, which accepts no more lines at "
                "90 %. The alert threshold is that of HubDiskFilling.",
                unit="percentunit",
                axis_max=1,
                queries=(
                    used,
                    loki,
                    Query(expr=f"vector({hub.alerts.thresholds.hub_disk_used})", legend="alert threshold"),
                ),
            ),
            Graph(
                title="Time until hub disk is full",
                description="Linear forecast from the last six hours, at most a year, and the time until the metrics "
                "reach their retention and stop growing. A disk with the lower value fills up first.",
                unit="s",
                queries=(
                    left,
                    *(() if in_bucket(settings) else (_UNTIL_RETENTION,)),
                ),
            ),
            Graph(
                title="Agent buffer headroom",
                description="How long each agent's buffer and its disk can hold metrics while the hub is "
                "down, at the write rate of the last hour, and the outage budget of the stack file.",
                unit="s",
                queries=(
                    Query(
                        expr=f"clamp_max({LIMIT} / {RATE} < min {BY} ({DOCKER_FREE}) / {RATE}"
                        f" or min {BY} ({DOCKER_FREE}) / {RATE}, {YEAR})",
                        legend="{{host}}",
                    ),
                    Query(expr=f"vector({hub.outage_budget})", legend="outage budget"),
                ),
            ),
        ),
    )


_retention = Row(
    panels=(
        Graph(
            title="Metrics size at full retention",
            description="Current size of the metrics, expected size at full retention (at the sample rate of the last "
            f"hour and {BYTES_PER_SAMPLE} bytes per sample), and the size limit at which Prometheus deletes blocks.",
            unit="bytes",
            queries=(
                Query(expr=ON_DISK, legend="current"),
                Query(
                    expr=f"{INGESTION_RATE} * {RETENTION} * {BYTES_PER_SAMPLE}",
                    legend="at full retention",
                ),
                Query(expr=f"max(prometheus_tsdb_retention_limit_bytes{{{METRICS}}})", legend="size limit"),
            ),
        ),
        Graph(
            title="Metrics retention",
            description="Age of the oldest sample, and the retention of the stack file.",
            unit="s",
            queries=(
                Query(expr=f"time() - {OLDEST}", legend="oldest sample"),
                Query(expr=RETENTION, legend="retention"),
            ),
        ),
    ),
)


def rows(settings: Settings) -> tuple[Row, ...]:
    """Disk usage and agent buffers, then the retention of metrics."""
    return (_capacity(settings), *(() if in_bucket(settings) else (_retention,)))
