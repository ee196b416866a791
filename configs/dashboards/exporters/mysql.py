"""The dashboard of MySQL and MariaDB."""

from __future__ import annotations

from configs.dashboards.exporters.shared import BY, NAME, overview, selected
from configs.dashboards.model import (
    ANY_IS_WORTH_A_LOOK,
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

TITLE = "MySQL"
DESCRIPTION = "Connections, queries, traffic, InnoDB and replication of MySQL and MariaDB servers."
OF = selected("mysql")
STATUS = "mysql_global_status_"
CONNECTIONS = f"max by ({BY}) ({STATUS}threads_connected{{{OF}}})"
SHARE = f"max by ({BY}) ({STATUS}threads_connected{{{OF}}} / mysql_global_variables_max_connections{{{OF}}})"
SLOW = f"increase({STATUS}slow_queries{{{OF}}}[$__range])"
# MySQL 8.4 names the column of its status otherwise.
LAG = " or ".join(f"mysql_slave_status_seconds_behind_{name}{{{OF}}}" for name in ("master", "source"))
NO_REPLICA = "no server is a running replica"


def _rate(name: str) -> str:
    return f"sum by ({BY}) (rate({STATUS}{name}{{{OF}}}[$__rate_interval]))"


def rows(settings: Settings, count: int) -> tuple[Row, ...]:
    """Numbers, a table of all servers, and graphs."""
    connections = red_above(fleet_thresholds(settings).mysql_connections)
    numbers = Row(
        height=4,
        panels=(
            Stat(
                title="MySQL servers up",
                description="Servers that answer their exporter.",
                unit="none",
                query=Query(expr=f"sum(mysql_up{{{OF}}})"),
            ),
            Stat(
                title="Highest MySQL connection use",
                description="The largest share of max_connections that is in use.",
                unit="percentunit",
                query=Query(expr=f"max({SHARE})"),
                steps=connections,
            ),
            Stat(
                title="MySQL queries",
                description="Queries per second of all servers.",
                unit=PER_SECOND,
                query=Query(expr=f"sum({_rate('queries')})"),
            ),
            Stat(
                title="MySQL slow queries",
                description="Queries in the time range that took longer than long_query_time.",
                unit="none",
                query=Query(expr=f"ceil(sum({SLOW}))"),
                steps=ANY_IS_WORTH_A_LOOK,
            ),
        ),
    )
    table = overview(
        "MySQL",
        count,
        columns=(
            Column(title="Up", expr=f"min by ({BY}) (mysql_up{{{OF}}})", unit="none"),
            Column(title="Uptime", expr=f"max by ({BY}) ({STATUS}uptime{{{OF}}})", unit="s"),
            Column(title="Connections", expr=CONNECTIONS, unit="none"),
            Column(title="Of limit", expr=SHARE, unit="percentunit", steps=connections),
            Column(title="Running", expr=f"max by ({BY}) ({STATUS}threads_running{{{OF}}})", unit="none"),
            Column(title="Queries", expr=_rate("queries"), unit=PER_SECOND),
        ),
        sort="Of limit",
    )
    return (numbers, Row(title="Servers", panels=(table,)), *_graphs())


def _graphs() -> tuple[Row, ...]:
    return (
        Row(
            title="Load",
            panels=(
                _graph("MySQL queries by server", "Queries per second.", PER_SECOND, {"": _rate("queries")}),
                _graph("MySQL connections by server", "Open connections.", "none", {"": CONNECTIONS}),
                _graph(
                    "MySQL traffic",
                    "Bytes per second from clients, and to them.",
                    "binBps",
                    {"received": _rate("bytes_received"), "sent": _rate("bytes_sent")},
                ),
            ),
        ),
        Row(
            title="InnoDB and replication",
            panels=(
                _graph(
                    "InnoDB page reads",
                    "Pages per second that queries read, and those of them that were not in the buffer pool.",
                    PER_SECOND,
                    {"requested": _rate("innodb_buffer_pool_read_requests"), "disk": _rate("innodb_buffer_pool_reads")},
                ),
                _graph(
                    "InnoDB row lock waits",
                    "Waits per second for the lock of a row.",
                    PER_SECOND,
                    {"": _rate("innodb_row_lock_waits")},
                ),
                Graph(
                    title="MySQL replication lag",
                    description="How far each replica is behind its source.",
                    unit="s",
                    no_value="no running replica",
                    queries=(Query(expr=largest(f"max by ({BY}) ({LAG})"), legend=NAME, empty=NO_REPLICA),),
                ),
            ),
        ),
    )


def _graph(title: str, description: str, unit: str, queries: dict[str, str]) -> Graph:
    """The servers with the highest values of each query; its key follows the names in the legend."""
    found = tuple(Query(expr=largest(expr), legend=f"{NAME} {name}".strip()) for name, expr in queries.items())
    return Graph(title=title, description=description, unit=unit, queries=found)
