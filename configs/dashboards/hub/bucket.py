"""Row about the bucket with metrics and logs, on stacks that have one."""

from __future__ import annotations

from configs.dashboards.hub.queries import rate
from configs.dashboards.model import ANY_IS_BAD, Graph, Query, Row, Stat
from configs.metrics_store import COMPACT, QUERY, RECEIVE, STORE, in_bucket
from configs.rules.bucket import EVERY
from configs.settings import Settings

_RECEIVE, _STORE, _COMPACT = (f'job="{role}"' for role in (RECEIVE, STORE, COMPACT))
_LAST = f"thanos_objstore_bucket_last_successful_upload_time{{{_RECEIVE}}}"


def rows(settings: Settings) -> tuple[Row, ...]:
    """What is uploaded, what fails, and how the parts of Thanos do."""
    return (_state, _work) if in_bucket(settings) else ()


_state = Row(
    title="Bucket",
    height=4,
    panels=(
        Stat(
            title="Last upload of metrics",
            description="Time since the newest block was uploaded. What came later is on the hub's disk alone.",
            unit="s",
            query=Query(expr=f"time() - max({_LAST} > 0)", empty="no block was complete yet"),
            no_value="None yet",
        ),
        Stat(
            title="Blocks in the bucket",
            description="Blocks of metrics that queries read from the bucket.",
            unit="none",
            query=Query(expr=f"sum(thanos_bucket_store_blocks_loaded{{{_STORE}}})"),
        ),
        Stat(
            title="Compaction",
            description="Whether blocks are merged and thinned out. The log of thanos-compact has the reason if not.",
            unit="none",
            query=Query(expr=f"max(thanos_compact_halted{{{_COMPACT}}})"),
            mappings={0: ("works", "green"), 1: ("halted", "red")},
        ),
        Stat(
            title="Failed bucket requests",
            description="Requests to the bucket that failed in the time range.",
            unit="none",
            query=Query(
                expr=f"ceil(sum(increase(thanos_objstore_bucket_operation_failures_total{{{EVERY}}}[$__range])))"
                " or vector(0)"
            ),
            steps=ANY_IS_BAD,
        ),
    ),
)

_work = Row(
    panels=(
        Graph(
            title="Bucket requests",
            description="Requests to the bucket per second, by part of Thanos.",
            unit="reqps",
            queries=(
                Query(
                    expr="sum by (job) (" + rate("thanos_objstore_bucket_operations_total", EVERY) + ")",
                    legend="{{job}}",
                ),
            ),
        ),
        Graph(
            title="Memory of the metrics store",
            description="Resident memory of each part of Thanos.",
            unit="bytes",
            stack=True,
            queries=(Query(expr=f"max by (job) (process_resident_memory_bytes{{{EVERY}}})", legend="{{job}}"),),
        ),
        Graph(
            title="Compaction backlog",
            description="Compactions and down-samplings that are due.",
            unit="none",
            queries=(
                Query(expr=f"sum(thanos_compact_todo_compactions{{{_COMPACT}}})", legend="compactions"),
                Query(expr=f"sum(thanos_compact_todo_downsample_blocks{{{_COMPACT}}})", legend="down-samplings"),
            ),
        ),
        Graph(
            title="Query duration",
            description="95th percentile of the duration of queries.",
            unit="s",
            queries=(
                Query(
                    expr="histogram_quantile(0.95, sum by (le) ("
                    + rate("http_request_duration_seconds_bucket", f'job="{QUERY}",handler=~"query|query_range"')
                    + "))",
                    legend="p95",
                ),
            ),
        ),
    ),
)
