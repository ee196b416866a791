"""Alerts about metrics and logs in a bucket: the bucket itself, and the parts of Thanos."""

from __future__ import annotations

from configs.metrics_store import COMPACT, RECEIVE, THANOS, in_bucket
from configs.rules.counters import COUNT, increase_of, nonzero_rounded
from configs.rules.model import Alert, Group
from configs.settings import Settings
from configs.settings.thresholds import Thresholds
from configs.units import show_duration

EVERY = f'job=~"{"|".join(THANOS)}"'
LATE = 3  # blocks: so many are complete before their upload counts as late


def group(settings: Settings) -> Group:
    """Empty for a hub that keeps its metrics on its disk."""
    if not in_bucket(settings):
        return Group(name="bucket", rules=())
    return Group(name="bucket", rules=(FAILS, _not_uploaded(settings), HALTED, NOT_READY))


def _fails(matchers: str, _: Thresholds) -> str:
    """Requests of Thanos, and chunks that Loki could not store: a try with one counts once, and it tries again."""
    requests = increase_of("thanos_objstore_bucket_operation_failures_total", EVERY + matchers, "10m")
    chunks = increase_of("loki_ingester_chunks_flush_failures_total", f'job="loki"{matchers}', "10m")
    of_loki = f'label_replace(sum by (env, host, job) ({chunks}), "operation", "upload", "", "")'
    return nonzero_rounded(f"(sum by (env, host, job, operation) ({requests}) or {of_loki})")


FAILS = Alert(
    name="BucketFails",
    expr=_fails,
    wait="10m",
    severity="critical",
    summary="The bucket fails for {{ $labels.job }}: " + COUNT + " requests ({{ $labels.operation }}) in 10 minutes",
    description="It is down, full, or refuses the key. New samples and lines stay on the hub's disk "
    "meanwhile, queries of older ones fail.",
    board="hub",
    per="hub",
)


def _not_uploaded(settings: Settings) -> Alert:
    """Since the start of Receive, if it has uploaded nothing yet."""
    allowed = LATE * settings.hub.metrics_block

    def late(matchers: str, _: Thresholds) -> str:
        of = f'{{job="{RECEIVE}"{matchers}}}'
        newest = f"thanos_objstore_bucket_last_successful_upload_time{of} or process_start_time_seconds{of}"
        return f"time() - max by (env, host) ({newest}) > {allowed}"

    return Alert(
        name="BlocksNotUploaded",
        expr=late,
        wait="15m",
        severity="critical",
        summary="No block of metrics was uploaded for {{ $value | humanizeDuration }}",
        description=f"One is due every {show_duration(settings.hub.metrics_block)}. What is not in the bucket is lost "
        "with the hub's disk, and after its time on that disk.",
        board="hub",
        per="hub",
    )


HALTED = Alert(
    name="CompactHalted",
    expr=lambda matchers, _: f'thanos_compact_halted{{job="{COMPACT}"{matchers}}} == 1',
    summary="Compaction of the bucket has stopped",
    description="Thanos Compact found blocks that it does not merge, and does nothing more: the bucket grows, and "
    "queries of long times get slower. Its log has the reason.",
    board="hub",
    per="hub",
)

NOT_READY = Alert(
    name="ThanosNotReady",
    expr=lambda matchers, _: f'thanos_status{{check="ready",{EVERY}{matchers}}} == 0',
    severity="critical",
    summary="{{ $labels.job }} runs but is not ready",
    description="It replays its write-ahead log, or cannot reach the bucket. Its log has the reason.",
    board="hub",
    per="hub",
)
