"""When the alerts about metrics and logs in a bucket fire, and when not."""

from __future__ import annotations

from tests.rendered.rules_rig import Case, fired

OF = 'env="test",host="hub"'
FAILURES = f'thanos_objstore_bucket_operation_failures_total{{job="thanos-receive",{OF},operation="upload"}}'
FLUSHES = f'loki_ingester_chunks_flush_failures_total{{job="loki",{OF}}}'
UPLOAD = f'thanos_objstore_bucket_last_successful_upload_time{{job="thanos-receive",{OF},bucket="data"}}'
STARTED = f'process_start_time_seconds{{job="thanos-receive",{OF}}}'
HALTED = f'thanos_compact_halted{{job="thanos-compact",{OF}}}'
STATUS = f'thanos_status{{job="thanos-receive",{OF},check="ready",component="receive"}}'
SENDER = f'thanos_alert_sender_alerts_dropped_total{{job="thanos-rule",{OF},alertmanager="a"}}'
QUEUE = f'thanos_alert_queue_alerts_dropped_total{{job="thanos-rule",{OF}}}'

CASES = (
    Case(
        alert="BucketFails",
        when="when every upload fails",
        series={FAILURES: "0+1x160"},
        at="35m",
        fires=[
            fired(
                "The bucket fails for thanos-receive: 40 requests (upload) in 10 minutes",
                job="thanos-receive",
                operation="upload",
            )
        ],
    ),
    Case(alert="BucketFails", when="after one failure", series={FAILURES: "0x20 1x140"}, at="35m"),
    Case(
        alert="BucketFails",
        when="when Loki can store no chunk",
        series={FLUSHES: "0+1x160", FAILURES: "0x160"},
        at="35m",
        fires=[fired("The bucket fails for loki: 40 requests (upload) in 10 minutes", job="loki", operation="upload")],
    ),
    Case(alert="BucketFails", when="after one chunk that failed", series={FLUSHES: "0x20 1x140"}, at="35m"),
    Case(
        alert="BlocksNotUploaded",
        when="eight hours after the last upload",
        series={UPLOAD: "60x2000", STARTED: "0x2000"},
        at="8h",
        fires=[fired("No block of metrics was uploaded for 7h 59m 0s")],
    ),
    Case(
        alert="BlocksNotUploaded",
        when="eight hours after the start without an upload",
        series={UPLOAD: "0x2000", STARTED: "0x2000"},
        at="8h",
        fires=[fired("No block of metrics was uploaded for 8h 0m 0s")],
    ),
    Case(
        alert="BlocksNotUploaded",
        when="an hour after the start",
        series={UPLOAD: "0x2000", STARTED: "25200x2000"},
        at="8h",
    ),
    Case(
        alert="CompactHalted",
        when="when Compact has halted",
        series={HALTED: "1x60"},
        fires=[fired("Compaction of the bucket has stopped", job="thanos-compact")],
    ),
    Case(alert="CompactHalted", when="while it works", series={HALTED: "0x60"}),
    Case(
        alert="ThanosNotReady",
        when="when Receive is not ready",
        series={STATUS: "0x60"},
        fires=[fired("thanos-receive runs but is not ready", job="thanos-receive", check="ready", component="receive")],
    ),
    Case(alert="ThanosNotReady", when="during a restart", series={STATUS: "1x10 0x8 1x60"}, at="6m"),
)
UNDELIVERED = (
    Case(
        alert="NotificationsFail",
        when="when Rule drops alerts",
        series={SENDER: "0x20 3x60", QUEUE: "0x80"},
        at="15m",
        fires=[fired("thanos-rule failed to deliver 3 alerts to Alertmanager in 15 minutes", job="thanos-rule")],
    ),
)
