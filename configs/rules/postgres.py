"""Alerts about PostgreSQL servers, from postgres_exporter (job `postgres`) and sql_exporter (job `sql`).

`database` is the name of the entry in the stack file (a server), `datname` a database on that server.
"""

from __future__ import annotations

from configs import names
from configs.rules.counters import COUNT, increase_or_first_event, nonzero_rounded
from configs.rules.model import Alert, Expression, Group
from configs.settings import Settings
from configs.settings.thresholds import Thresholds

BY_SERVER = "env, host, database"
BY_DATABASE = f"{BY_SERVER}, datname"
SERVER_LABELS = "{{ $labels.database }} on {{ $labels.host }}"
DATABASE_LABELS = "database {{ $labels.datname }} of server " + SERVER_LABELS


def group(settings: Settings) -> Group:
    """Empty if no host has a database."""
    rules = (DOWN, CONNECTIONS, LONG_TRANSACTION, WRAPAROUND, LAG, SLOT, DEADLOCKS, _query_fails(settings))
    return Group(name="postgres", rules=rules if has_databases(settings) else ())


def has_databases(settings: Settings) -> bool:
    """Whether any host has a database."""
    return any(edge.postgres for edge in settings.edges.values())


def threshold_expression(metric: str, by: str, condition: str) -> Expression:
    """The maximum of sql_exporter's `metric` by `by`, if it meets `condition`: an operator and the name of a threshold,
    such as `> postgres_lag`."""
    operator, key = condition.split()

    def expression(matchers: str, limits: Thresholds) -> str:
        return f'max by ({by}) ({metric}{{job="sql"{matchers}}}) {operator} {getattr(limits, key)}'

    return expression


def _down(matchers: str, _: Thresholds) -> str:
    return f'min by ({BY_SERVER}) ({{__name__=~"up|pg_up",job="postgres"{matchers}}}) == 0'


DOWN = Alert(
    name="PostgresDown",
    expr=_down,
    wait="1m",
    severity="critical",
    summary="PostgreSQL " + SERVER_LABELS + " is unreachable",
    description="The exporter cannot log in or is down: the server stopped, the password changed, or no connection is "
    "left.",
    board="postgres",
)
CONNECTIONS = Alert(
    name="PostgresConnections",
    expr=threshold_expression("fleetwatch_pg_connections_ratio", BY_SERVER, "> postgres_connections"),
    keys=("postgres_connections",),
    summary="PostgreSQL " + SERVER_LABELS + " uses {{ $value | humanizePercentage }} of its connections",
    description="When max_connections is reached, new logins fail. Find the clients that hold connections; consider a "
    "connection pool.",
    board="postgres",
)
LONG_TRANSACTION = Alert(
    name="PostgresLongTransaction",
    expr=threshold_expression("fleetwatch_pg_oldest_transaction_seconds", BY_DATABASE, "> postgres_transaction"),
    keys=("postgres_transaction",),
    wait="1m",
    summary="A transaction in " + DATABASE_LABELS + " has been open for {{ $value | humanizeDuration }}",
    description="It holds its locks and prevents vacuum from removing dead rows in the whole database. Find its "
    "session.",
    board="postgres",
)
WRAPAROUND = Alert(
    name="PostgresWraparound",
    expr=threshold_expression("fleetwatch_pg_wraparound_ratio", BY_DATABASE, "> postgres_wraparound"),
    keys=("postgres_wraparound",),
    wait="10m",
    summary="Database {{ $labels.datname }} of server "
    + SERVER_LABELS
    + " uses {{ $value | humanizePercentage }} of its transaction IDs",
    description="Vacuum does not keep up. Before the IDs run out PostgreSQL rejects writes until a long vacuum has "
    "finished.",
    board="postgres",
)
LAG = Alert(
    name="PostgresReplicationLag",
    expr=threshold_expression("fleetwatch_pg_replication_lag_seconds", BY_SERVER, "> postgres_lag"),
    keys=("postgres_lag",),
    wait="2m",
    summary="Standby " + SERVER_LABELS + " is {{ $value | humanizeDuration }} behind its primary",
    description="Reads from the standby return old data, and a failover now would lose that much.",
    board="postgres",
    empty="the server is not a standby",
)
SLOT = Alert(
    name="PostgresReplicationSlot",
    expr=threshold_expression(
        "fleetwatch_pg_replication_slot_retained_bytes", f"{BY_SERVER}, slot", "> postgres_retained_wal"
    ),
    keys=("postgres_retained_wal",),
    wait="5m",
    summary="PostgreSQL " + SERVER_LABELS + " retains {{ $value | humanize1024 }}B of WAL for slot {{ $labels.slot }}",
    description="The consumer of the slot does not read it. The WAL grows until the disk is full and the server stops.",
    board="postgres",
    empty="the server has no replication slots",
)


def _deadlocks(matchers: str, _: Thresholds) -> str:
    return f'round(sum by ({BY_DATABASE}) (increase(pg_stat_database_deadlocks{{job="postgres"{matchers}}}[15m]))) > 0'


DEADLOCKS = Alert(
    name="PostgresDeadlocks",
    expr=_deadlocks,
    wait="0s",
    severity="info",
    summary=COUNT + " deadlocks in " + DATABASE_LABELS + " in 15 minutes",
    description="PostgreSQL aborted one transaction of each deadlock. Its log has the statements.",
    board="postgres",
)


def _query_fails(settings: Settings) -> Alert:
    """Covers the alerts whose metrics are missing because a query fails.

    Failed logins have no label `query`; PostgresDown covers them. The exporter counts the failure of a query that runs
    every ten minutes at each scrape until its next run; within half an hour it ran three times.
    """

    def failed(matchers: str, _: Thresholds) -> str:
        errors = increase_or_first_event("fleetwatch_sql_errors_total", f'job="sql",query!=""{matchers}', "15m")
        return nonzero_rounded(f"sum by ({BY_SERVER}, collector, query) ({errors})")

    return Alert(
        name="SqlQueryFails",
        expr=failed,
        wait="30m",
        summary="Query {{ $labels.query }} of server " + SERVER_LABELS + " failed " + COUNT + " times in 15 minutes",
        description="Its metrics are missing on dashboards, and alerts based on them cannot fire. The log of "
        f"the exporter has the reason (docker logs {names.container(settings.prefix, 'sql-exporter')}): a missing "
        "privilege, a timeout, or an unsupported version of PostgreSQL.",
        board="postgres",
        empty="the exporter exposes this counter after the first failed query",
    )
