"""Recording rules: the few things that several alerts and panels ask, computed once."""

from __future__ import annotations

from configs.rules.model import Group, Record
from configs.settings import Settings
from configs.units import prometheus_duration

NEWEST = "host:newest_sample:timestamp_seconds"
REACH = "hub:metrics_reach:seconds"
NO_FORECAST = (
    "there is no forecast before metrics were kept for a day; "
    "tests/rendered/test_rules.py::test_the_forecast_of_retention has a day of them"
)


def group(settings: Settings) -> Group:
    """Evaluated first, by name of file; the alerts that use them look back further than one evaluation."""
    return Group(name="records", rules=(_newest(settings), _reach()))


def _newest(settings: Settings) -> Record:
    """When the newest sample of each host's agent was taken, by that host's clock.

    A plain query looks back five minutes. While a backlog arrives after an outage, the newest sample may be hours old;
    it moves all the same, which tells a host that catches up from one that is silent.
    """
    up, by = 'up{job="agent"}', "max by (env, host)"
    window = prometheus_duration(min(max(settings.hub.outage_budget, 3600), 86400))
    return Record(
        name=NEWEST,
        expr=f"{by} (timestamp({up})) or {by} (max_over_time(timestamp({up})[{window}:2m]))",
    )


def _reach() -> Record:
    """How far back metrics will reach once their size limit is hit, at the pace of the last day.

    What is there now, and the time in which the rest of the limit fills. Prometheus drops whole blocks, the oldest
    first, so this is right to within a block. Where the limit has cut already, what is there is the answer.
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
