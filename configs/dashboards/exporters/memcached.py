"""The dashboard of memcached."""

from __future__ import annotations

from configs.dashboards.exporters.shared import BY, NAME, overview, selected
from configs.dashboards.model import (
    PER_SECOND,
    Column,
    Graph,
    Query,
    Row,
    Stat,
    Steps,
    Table,
    largest,
)
from configs.dashboards.panel_thresholds import fleet_thresholds, red_above
from configs.settings import Settings

TITLE = "memcached"
DESCRIPTION = "Memory, connections, commands and evictions of memcached servers."
OF = selected("memcached")
USED = f"max by ({BY}) (memcached_current_bytes{{{OF}}})"
SHARE = f"max by ({BY}) (memcached_current_bytes{{{OF}}} / memcached_limit_bytes{{{OF}}})"
OPEN = f"max by ({BY}) (memcached_current_connections{{{OF}}})"
CONNECTIONS = f"max by ({BY}) (memcached_current_connections{{{OF}}} / memcached_max_connections{{{OF}}})"
COMMANDS = f"sum by ({BY}) (rate(memcached_commands_total{{{OF}}}[$__rate_interval]))"
EVICTED = f"sum by ({BY}) (rate(memcached_items_evicted_total{{{OF}}}[$__rate_interval]))"
REJECTED = (
    f"sum by ({BY}) (rate(memcached_connections_rejected_total{{{OF}}}[$__rate_interval])"
    f" or rate(memcached_connections_listener_disabled_total{{{OF}}}[$__rate_interval]))"
)
NO_READS = "no key was read in the time range"


def _gets(matchers: str) -> str:
    return f"sum by ({BY}) (rate(memcached_commands_total{{{OF},{matchers}}}[$__rate_interval]))"


HITS, READS = _gets('command="get",status="hit"'), _gets('command="get"')


def rows(settings: Settings, count: int) -> tuple[Row, ...]:
    """Numbers, a table of all servers, and graphs."""
    connections = red_above(fleet_thresholds(settings).memcached_connections)
    return (_numbers(connections), Row(title="Servers", panels=(_table(count, connections),)), *_graphs())


def _numbers(connections: Steps) -> Row:
    return Row(
        height=4,
        panels=(
            Stat(
                title="memcached servers up",
                description="Servers that answer their exporter.",
                unit="none",
                query=Query(expr=f"sum(memcached_up{{{OF}}})"),
            ),
            Stat(
                title="Highest memcached connection use",
                description="The largest share of the limit of connections (option -c) that is used.",
                unit="percentunit",
                query=Query(expr=f"max({CONNECTIONS})"),
                steps=connections,
            ),
            Stat(
                title="memcached commands",
                description="Commands per second of all servers.",
                unit=PER_SECOND,
                query=Query(expr=f"sum({COMMANDS})"),
            ),
            Stat(
                title="Evicted memcached items",
                description="Items per second that were removed before they expired, because the memory was full. "
                "Compare it with the hit ratio.",
                unit=PER_SECOND,
                query=Query(expr=f"sum({EVICTED})"),
            ),
        ),
    )


def _table(count: int, connections: Steps) -> Table:
    return overview(
        "memcached",
        count,
        columns=(
            Column(title="Up", expr=f"min by ({BY}) (memcached_up{{{OF}}})", unit="none"),
            Column(title="Uptime", expr=f"max by ({BY}) (memcached_uptime_seconds{{{OF}}})", unit="s"),
            Column(title="Items", expr=f"max by ({BY}) (memcached_current_items{{{OF}}})", unit="none"),
            Column(title="Memory", expr=SHARE, unit="percentunit"),
            Column(title="Connections", expr=OPEN, unit="none"),
            Column(title="Of limit", expr=CONNECTIONS, unit="percentunit", steps=connections),
            Column(title="Evicted", expr=EVICTED, unit=PER_SECOND),
        ),
        sort="Connections",
    )


def _graphs() -> tuple[Row, ...]:
    return (
        Row(
            title="Load",
            panels=(
                Graph(
                    title="memcached commands by server",
                    description="Commands per second.",
                    unit=PER_SECOND,
                    queries=(Query(expr=largest(COMMANDS), legend=NAME),),
                ),
                Graph(
                    title="memcached connections by server",
                    description="Open connections.",
                    unit="none",
                    queries=(Query(expr=largest(OPEN), legend=NAME),),
                ),
                Graph(
                    title="Rejected memcached connections",
                    description="Connections per second beyond the limit (option -c), and how often memcached stopped "
                    "to accept any.",
                    unit=PER_SECOND,
                    queries=(Query(expr=largest(REJECTED), legend=NAME),),
                ),
            ),
        ),
        Row(
            title="Cache",
            panels=(
                Graph(
                    title="memcached hit ratio",
                    description="Share of the get commands that found their key.",
                    unit="percentunit",
                    axis_max=1,
                    no_value="no reads",
                    queries=(Query(expr=largest(f"{HITS} / ({READS} > 0)"), legend=NAME, empty=NO_READS),),
                ),
                Graph(
                    title="memcached memory by server",
                    description="Memory that items take, without free chunks of their slabs.",
                    unit="bytes",
                    queries=(Query(expr=largest(USED), legend=NAME),),
                ),
                Graph(
                    title="Evicted memcached items by server",
                    description="Items per second that were removed before they expired, because the memory was full.",
                    unit=PER_SECOND,
                    queries=(Query(expr=largest(EVICTED), legend=NAME),),
                ),
            ),
        ),
    )
