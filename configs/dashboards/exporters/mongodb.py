"""The dashboard of MongoDB."""

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
from configs.settings import Settings

TITLE = "MongoDB"
DESCRIPTION = "Connections, operations, memory, cache and network of MongoDB servers."
OF = selected("mongodb")
CURRENT = f'max by ({BY}) (mongodb_ss_connections{{conn_type="current",{OF}}})'
AVAILABLE = f'max by ({BY}) (mongodb_ss_connections{{conn_type="available",{OF}}})'
SHARE = f"{CURRENT} / ({CURRENT} + {AVAILABLE})"
OPERATIONS = f"sum by ({BY}) (rate(mongodb_ss_opcounters{{{OF}}}[$__rate_interval]))"
RESIDENT = f"max by ({BY}) (mongodb_ss_mem_resident{{{OF}}}) * 1048576"
CACHE = "mongodb_ss_wt_cache_"
CACHE_USE = (
    f"max by ({BY}) ({CACHE}bytes_currently_in_the_cache{{{OF}}}) / "
    f"max by ({BY}) ({CACHE}maximum_bytes_configured{{{OF}}})"
)
NO_DATA = "every server is a mongos, which stores no data"


def rows(settings: Settings, count: int) -> tuple[Row, ...]:
    """Numbers, a table of all servers, and graphs."""
    connections = red_above(fleet_thresholds(settings).mongodb_connections)
    numbers = Row(
        height=4,
        panels=(
            Stat(
                title="MongoDB servers up",
                description="Servers that answer their exporter.",
                unit="none",
                query=Query(expr=f"sum(mongodb_up{{{OF}}})"),
            ),
            Stat(
                title="Highest MongoDB connection use",
                description="The largest share of the accepted connections that is in use.",
                unit="percentunit",
                query=Query(expr=f"max({SHARE})"),
                steps=connections,
            ),
            Stat(
                title="MongoDB operations",
                description="Operations per second of all servers.",
                unit=PER_SECOND,
                query=Query(expr=f"sum({OPERATIONS})"),
            ),
            Stat(
                title="MongoDB resident memory",
                description="Resident memory of all servers.",
                unit="bytes",
                query=Query(expr=f"sum({RESIDENT})"),
            ),
        ),
    )
    table = overview(
        "MongoDB",
        count,
        columns=(
            Column(title="Up", expr=f"min by ({BY}) (mongodb_up{{{OF}}})", unit="none"),
            Column(title="Uptime", expr=f"max by ({BY}) (mongodb_ss_uptime{{{OF}}})", unit="s"),
            Column(title="Connections", expr=CURRENT, unit="none"),
            Column(title="Of limit", expr=SHARE, unit="percentunit", steps=connections),
            Column(title="Operations", expr=OPERATIONS, unit=PER_SECOND),
            Column(title="Memory", expr=RESIDENT, unit="bytes"),
        ),
        sort="Of limit",
    )
    return (numbers, Row(title="Servers", panels=(table,)), *_graphs())


def _graphs() -> tuple[Row, ...]:
    by_type = f"sum by ({BY}, legacy_op_type) (rate(mongodb_ss_opcounters{{{OF}}}[$__rate_interval]))"
    return (
        Row(
            title="Load",
            panels=(
                Graph(
                    title="MongoDB operations by type",
                    description="Operations per second.",
                    unit=PER_SECOND,
                    queries=(Query(expr=largest(by_type), legend=NAME + " {{legacy_op_type}}"),),
                ),
                Graph(
                    title="MongoDB connections by server",
                    description="Open connections.",
                    unit="none",
                    queries=(Query(expr=largest(CURRENT), legend=NAME),),
                ),
                Graph(
                    title="MongoDB traffic",
                    description="Bytes per second from clients, and to them.",
                    unit="binBps",
                    queries=(_traffic("bytesIn", "received"), _traffic("bytesOut", "sent")),
                ),
            ),
        ),
        Row(
            title="Memory",
            panels=(
                Graph(
                    title="MongoDB memory by server",
                    description="Resident memory.",
                    unit="bytes",
                    queries=(Query(expr=largest(RESIDENT), legend=NAME),),
                ),
                Graph(
                    title="WiredTiger cache use",
                    description="Share of its configured size. From 0.8 on, pages are evicted.",
                    unit="percentunit",
                    axis_max=1,
                    no_value="only mongos",
                    queries=(Query(expr=largest(CACHE_USE), legend=NAME, empty=NO_DATA),),
                ),
                Graph(
                    title="MongoDB queued operations",
                    description="Operations that wait for a lock.",
                    unit="none",
                    no_value="only mongos",
                    queries=(
                        Query(
                            expr=largest(
                                f'max by ({BY}) (mongodb_ss_globalLock_currentQueue{{count_type="total",{OF}}})'
                            ),
                            legend=NAME,
                            empty=NO_DATA,
                        ),
                    ),
                ),
            ),
        ),
    )


def _traffic(field: str, name: str) -> Query:
    rate = f"sum by ({BY}) (rate(mongodb_ss_network_{field}{{{OF}}}[$__rate_interval]))"
    return Query(expr=largest(rate), legend=f"{NAME} {name}")
