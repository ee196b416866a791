"""Room on the hub's page: how full the hub's disk is and how long it will do, beside what is to be kept on it.

And the room of those who wait for the hub: how long each agent's write-ahead log lasts while the hub is away.
"""

from __future__ import annotations

from configs.dashboards.hosts import YEAR
from configs.dashboards.hub_parts import AGENT, BY, METRICS, WHERE
from configs.dashboards.model import Graph, Query, Row
from configs.disk import BYTES_PER_SAMPLE
from configs.rules import hosts as rules
from configs.rules.pipeline import SEGMENT
from configs.settings import Settings

HUB = f'job="node",host="hub",{rules.DISKS}'
FREE = f"node_filesystem_avail_bytes{{{HUB}}}"
USED = f"1 - {FREE} / (node_filesystem_size_bytes{{{HUB}}} > 0)"
LEFT = f"clamp_max({FREE} / clamp_min(-deriv({FREE}[6h]), 1e-9), {YEAR})"
RETENTION = f"max(prometheus_tsdb_retention_limit_seconds{{{METRICS}}})"
OLDEST = f"max(prometheus_tsdb_lowest_timestamp_seconds{{{METRICS}}})"
# As the alert AgentBufferFilling has it: the log's own limit, and the disk below it.
WRITTEN = f"(sum {BY} (rate(prometheus_tsdb_wal_record_parts_bytes_written_total{{{AGENT}}}[1h])) > 0)"
DOCKERS = f'node_filesystem_avail_bytes{{job="node",mountpoint=~"/|/var|/var/lib|/var/lib/docker",{WHERE}}}'
ON_DISK = " + ".join(
    f"sum(prometheus_tsdb_{what}_bytes{{{METRICS}}})"
    for what in ("storage_blocks", "wal_storage_size", "head_chunks_storage_size")
)
PACE = f"sum(rate(prometheus_tsdb_head_samples_appended_total{{{METRICS}}}[1h]))"


def _disk(settings: Settings) -> Row:
    hub = settings.hub
    return Row(
        heading="Room",
        panels=(
            Graph(
                title="Disk of the hub used",
                about="Share of each file system of the hub, and of the one with the logs as Loki sees it, which takes "
                "no more lines at 90 %. HubDiskFilling fires at the alert's line.",
                unit="percentunit",
                top=1,
                queries=(
                    Query(expr=f"max by (mountpoint) ({USED})", legend="{{mountpoint}}"),
                    Query(expr='max(loki_ingester_wal_disk_usage_percent{job="loki"})', legend="the logs'"),
                    Query(expr=f"vector({hub.alerts.thresholds.hub_disk_used})", legend="alert"),
                ),
            ),
            Graph(
                title="Until the hub's disk is full",
                about="At the pace of the last six hours, a year at most; and how long the metrics still grow, until "
                "the oldest are as old as the retention says. A disk whose line is the lower one fills before.",
                unit="s",
                queries=(
                    Query(expr=f"min by (mountpoint) ({LEFT})", legend="{{mountpoint}}"),
                    Query(expr=f"clamp_min({RETENTION} - (time() - {OLDEST}), 0)", legend="metrics still grow"),
                ),
            ),
            Graph(
                title="What agents could keep",
                about="For how long each agent's write-ahead log and the disk below it could hold metrics while the "
                "hub is away, at the pace of the last hour, and the outage budget of the stack file.",
                unit="s",
                queries=(
                    Query(
                        expr=f"clamp_max({3 * SEGMENT} / {WRITTEN} < min {BY} ({DOCKERS}) / {WRITTEN}"
                        f" or min {BY} ({DOCKERS}) / {WRITTEN}, {YEAR})",
                        legend="{{host}}",
                    ),
                    Query(expr=f"vector({hub.outage_budget})", legend="outage budget"),
                ),
            ),
        ),
    )


_kept = Row(
    panels=(
        Graph(
            title="Disk for the metrics' retention",
            about="What the metrics take now, what they will take once they are as old as the retention says (samples "
            f"of the last hour at {BYTES_PER_SAMPLE} bytes), and where Prometheus begins to drop the oldest.",
            unit="bytes",
            queries=(
                Query(expr=ON_DISK, legend="now"),
                Query(
                    expr=f"{PACE} * {RETENTION} * {BYTES_PER_SAMPLE}",
                    legend="at full retention",
                ),
                Query(expr=f"max(prometheus_tsdb_retention_limit_bytes{{{METRICS}}})", legend="limit"),
            ),
        ),
        Graph(
            title="How far the metrics go back",
            about="Age of the oldest sample, and the retention of the stack file.",
            unit="s",
            queries=(
                Query(expr=f"time() - {OLDEST}", legend="oldest sample"),
                Query(expr=RETENTION, legend="retention"),
            ),
        ),
    ),
)


def rows(settings: Settings) -> tuple[Row, ...]:
    """The disk and what waits for it first, then what the metrics take of it."""
    return (_disk(settings), _kept)
