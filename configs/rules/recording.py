"""Recording rules: queries that several alerts and panels share."""

from __future__ import annotations

from configs.metrics_store import in_bucket
from configs.rules.model import Group, Record
from configs.settings import Settings
from configs.units import prometheus_duration

NEWEST = "host:newest_sample:timestamp_seconds"
REACH = "hub:metrics_reach:seconds"
NO_FORECAST = "the forecast needs a day of metrics"


def group(settings: Settings) -> Group:
    """The alerts that use these rules look back further than one evaluation interval."""
    return Group(name="records", rules=(_newest(settings), *(() if in_bucket(settings) else (_reach(),))))


def _newest(settings: Settings) -> Record:
    """The timestamp of the newest sample of each host's agent, by that host's clock.

    While a backlog arrives after an outage, the newest sample may be hours old, beyond the look-back of five minutes.
    It still advances, which distinguishes a host that is catching up from a silent one.
    """
    up, by = 'up{job="agent"}', "max by (env, host)"
    window = prometheus_duration(min(max(settings.hub.outage_budget, 3600), 86400))
    return Record(
        name=NEWEST,
        expr=f"{by} (timestamp({up})) or {by} (max_over_time(timestamp({up})[{window}:2m]))",
    )


def _reach() -> Record:
    """The effective retention once the size limit is reached, at the ingestion rate of the last day.

    It is the age of the oldest sample plus the time until the remaining space is used. Prometheus deletes whole blocks,
    so the precision is one block. Where the limit has already deleted blocks, it is the age of the oldest sample.
    """
    here = 'job="prometheus"'
    blocks, limit = (
        f"prometheus_tsdb_storage_blocks_bytes{{{here}}}",
        f"prometheus_tsdb_retention_limit_bytes{{{here}}}",
    )
    stored = f"(time() - prometheus_tsdb_lowest_timestamp_seconds{{{here}}})"
    a_day = f"({blocks} - {blocks} offset 1d > 0)"
    cut = f"increase(prometheus_tsdb_size_retentions_total{{{here}}}[1d]) > 0"
    return Record(
        name=REACH,
        empty=NO_FORECAST,
        expr=f"max by (env, host) (({stored} and {cut}) or ({stored} + ({limit} - {blocks}) / {a_day} * 86400))",
    )
