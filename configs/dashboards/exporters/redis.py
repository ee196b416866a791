"""The dashboard of Redis and Valkey."""

from __future__ import annotations

from configs.dashboards.exporters.shared import BY, NAME, overview, selected
from configs.dashboards.model import (
    PER_SECOND,
    Column,
    Graph,
    Query,
    Row,
    Stat,
    largest,
)
from configs.dashboards.panel_thresholds import fleet_thresholds, red_above
from configs.rules.exporters.redis import NO_LIMIT
from configs.settings import Settings

TITLE = "Redis"
DESCRIPTION = "Memory, clients, commands and keys of Redis and Valkey servers."
OF = selected("redis")
USED = f"max by ({BY}) (redis_memory_used_bytes{{{OF}}})"
SHARE = f"max by ({BY}) (redis_memory_used_bytes{{{OF}}} / (redis_memory_max_bytes{{{OF}}} > 0))"
COMMANDS = f"sum by ({BY}) (rate(redis_commands_processed_total{{{OF}}}[$__rate_interval]))"
HITS = f"sum by ({BY}) (rate(redis_keyspace_hits_total{{{OF}}}[$__rate_interval]))"
MISSES = f"sum by ({BY}) (rate(redis_keyspace_misses_total{{{OF}}}[$__rate_interval]))"
NO_READS = "no key was read in the time range"


def rows(settings: Settings, count: int) -> tuple[Row, ...]:
    """Numbers, a table of all servers, and graphs."""
    memory = red_above(fleet_thresholds(settings).redis_memory)
    numbers = Row(
        height=4,
        panels=(
            Stat(
                title="Redis servers up",
                description="Servers that answer their exporter.",
                unit="none",
                query=Query(expr=f"sum(redis_up{{{OF}}})"),
            ),
            Stat(
                title="Highest Redis memory use",
                description="The largest share of maxmemory that is used.",
                no_value="no limit",
                unit="percentunit",
                query=Query(expr=f"max({SHARE})", empty=NO_LIMIT),
                steps=memory,
            ),
            Stat(
                title="Redis commands",
                description="Commands per second of all servers.",
                unit=PER_SECOND,
                query=Query(expr=f"sum({COMMANDS})"),
            ),
            Stat(
                title="Redis clients",
                description="Connected clients of all servers.",
                unit="none",
                query=Query(expr=f"sum(redis_connected_clients{{{OF}}})"),
            ),
        ),
    )
    table = overview(
        "Redis",
        count,
        columns=(
            Column(title="Up", expr=f"min by ({BY}) (redis_up{{{OF}}})", unit="none"),
            Column(title="Uptime", expr=f"max by ({BY}) (redis_uptime_in_seconds{{{OF}}})", unit="s"),
            Column(title="Memory", expr=USED, unit="bytes"),
            Column(title="Of limit", expr=SHARE, unit="percentunit", steps=memory, empty=NO_LIMIT),
            Column(title="Clients", expr=f"max by ({BY}) (redis_connected_clients{{{OF}}})", unit="none"),
            Column(title="Keys", expr=f"sum by ({BY}) (redis_db_keys{{{OF}}})", unit="none"),
        ),
        sort="Memory",
    )
    return (numbers, Row(title="Servers", panels=(table,)), *_graphs())


def _graphs() -> tuple[Row, ...]:
    return (
        Row(
            title="Load",
            panels=(
                Graph(
                    title="Redis commands by server",
                    description="Commands per second.",
                    unit=PER_SECOND,
                    queries=(Query(expr=largest(COMMANDS), legend=NAME),),
                ),
                Graph(
                    title="Redis memory by server",
                    description="Memory that its data and buffers use.",
                    unit="bytes",
                    queries=(Query(expr=largest(USED), legend=NAME),),
                ),
            ),
        ),
        Row(
            title="Keys",
            panels=(
                Graph(
                    title="Redis hit ratio",
                    description="Share of the reads that found their key.",
                    unit="percentunit",
                    axis_max=1,
                    no_value="no reads",
                    queries=(Query(expr=largest(f"{HITS} / ({HITS} + {MISSES} > 0)"), legend=NAME, empty=NO_READS),),
                ),
                Graph(
                    title="Redis evicted and expired keys",
                    description="Keys per second that were evicted at the memory limit, and keys that expired.",
                    unit=PER_SECOND,
                    queries=(
                        Query(
                            expr=largest(f"sum by ({BY}) (rate(redis_evicted_keys_total{{{OF}}}[$__rate_interval]))"),
                            legend=NAME + " evicted",
                        ),
                        Query(
                            expr=largest(f"sum by ({BY}) (rate(redis_expired_keys_total{{{OF}}}[$__rate_interval]))"),
                            legend=NAME + " expired",
                        ),
                    ),
                ),
            ),
        ),
    )
