"""Alerts about PostgreSQL servers: postgres_exporter (job `postgres`) and the queries of sql_exporter (job `sql`).

`database` is the entry of the stack file (a server), `datname` a database on that server.
"""

from __future__ import annotations

from configs import names
from configs.rules.counting import COUNT, grown_or_new, whole
from configs.rules.model import Alert, Expression, Group
from configs.settings import Settings
from configs.settings.thresholds import Thresholds

SHOWN_BY = "tests/rendered/test_rules_databases.py::test_each_situation_is_told_in_these_words_or_not_at_all"
SERVER = "env, host, database"
DATNAME = f"{SERVER}, datname"
WHERE = "{{ $labels.database }} on {{ $labels.host }}"
WHICH = "database {{ $labels.datname }} of server " + WHERE


def group(settings: Settings) -> Group:
    """Nothing where no host has a database."""
    rules = (DOWN, CONNECTIONS, LONG_TRANSACTION, WRAPAROUND, LAG, SLOT, DEADLOCKS, _query_fails(settings))
    return Group(name="postgres", rules=rules if watched(settings) else ())


def watched(settings: Settings) -> bool:
    """Whether any host has a database server."""
    return any(edge.postgres for edge in settings.edges.values())


def worst(metric: str, by: str, than: str) -> Expression:
    """The largest of sql_exporter's `metric` for each of `by`, where it is `than` (an operator and a threshold's
    name: `> postgres_lag`)."""
    operator, key = than.split()

    def expression(matchers: str, limits: Thresholds) -> str:
        return f'max by ({by}) ({metric}{{job="sql"{matchers}}}) {operator} {getattr(limits, key)}'

    return expression


def _down(matchers: str, _: Thresholds) -> str:
    return f'min by ({SERVER}) ({{__name__=~"up|pg_up",job="postgres"{matchers}}}) == 0'


DOWN = Alert(
    name="PostgresDown",
    expr=_down,
    wait="1m",
    severity="critical",
    summary="PostgreSQL " + WHERE + " does not answer",
    advice="Its exporter cannot log in, or is down itself: server stopped, password changed, or no connection left.",
    board="postgres",
)
CONNECTIONS = Alert(
    name="PostgresConnections",
    expr=worst("fleetwatch_pg_connections_ratio", SERVER, "> postgres_connections"),
    keys=("postgres_connections",),
    summary="PostgreSQL " + WHERE + " has {{ $value | humanizePercentage }} of its connections in use",
    advice="With all of max_connections in use nobody else can log in. Find who holds them; a pool helps.",
    board="postgres",
)
LONG_TRANSACTION = Alert(
    name="PostgresLongTransaction",
    expr=worst("fleetwatch_pg_oldest_transaction_seconds", DATNAME, "> postgres_transaction"),
    keys=("postgres_transaction",),
    wait="1m",
    summary="A transaction in " + WHICH + " has been open for {{ $value | humanizeDuration }}",
    advice="It keeps its locks, and dead rows of all tables of that database cannot be cleaned up meanwhile.",
    board="postgres",
)
WRAPAROUND = Alert(
    name="PostgresWraparound",
    expr=worst("fleetwatch_pg_wraparound_ratio", DATNAME, "> postgres_wraparound"),
    keys=("postgres_wraparound",),
    wait="10m",
    summary="{{ $value | humanizePercentage }} of the transaction ids of " + WHICH + " are used",
    advice="Vacuum does not keep up. At the end PostgreSQL takes no more writes until a long clean-up is through.",
    board="postgres",
)
LAG = Alert(
    name="PostgresReplicationLag",
    expr=worst("fleetwatch_pg_replication_lag_seconds", SERVER, "> postgres_lag"),
    keys=("postgres_lag",),
    wait="2m",
    summary="Standby " + WHERE + " is {{ $value | humanizeDuration }} behind its primary",
    advice="Who reads there sees old data, and a failover now would lose that much.",
    board="postgres",
    empty=f"a server that is no standby is behind nobody; {SHOWN_BY} has one",
)
SLOT = Alert(
    name="PostgresReplicationSlot",
    expr=worst("fleetwatch_pg_replication_slot_retained_bytes", f"{SERVER}, slot", "> postgres_retained_wal"),
    keys=("postgres_retained_wal",),
    wait="5m",
    summary="PostgreSQL " + WHERE + " keeps {{ $value | humanize1024 }}B of WAL for slot {{ $labels.slot }}",
    advice="Whoever reads that slot does not. The WAL goes on growing until the disk is full and the server stops.",
    board="postgres",
    empty=f"a server without slots keeps nothing for them; {SHOWN_BY} has one",
)


def _deadlocks(matchers: str, _: Thresholds) -> str:
    return f'round(sum by ({DATNAME}) (increase(pg_stat_database_deadlocks{{job="postgres"{matchers}}}[15m]))) > 0'


DEADLOCKS = Alert(
    name="PostgresDeadlocks",
    expr=_deadlocks,
    wait="0s",
    severity="info",
    summary="Deadlocks in " + WHICH + " in 15 minutes: " + COUNT,
    advice="Transactions waited for each other and PostgreSQL ended one of them; its log has both statements.",
    board="postgres",
)


def _query_fails(settings: Settings) -> Alert:
    """What a query would have said is missing, and nothing else tells: alerts about it stay silent.

    Not for a login that fails (then no query is named), which is PostgresDown's. The exporter counts the failure of a
    query that it asks every ten minutes at each scrape until then; with half an hour it was asked three times.
    """

    def failed(matchers: str, _: Thresholds) -> str:
        errors = grown_or_new("fleetwatch_sql_errors_total", f'job="sql",query!=""{matchers}', "15m")
        return whole(f"sum by ({SERVER}, collector, query) ({errors})")

    return Alert(
        name="SqlQueryFails",
        expr=failed,
        wait="30m",
        summary="Query {{ $labels.query }} of server " + WHERE + " failed " + COUNT + " times in 15 minutes",
        advice="What it asks is missing on dashboards, and alerts about it cannot fire. The exporter's log says why "
        f"(docker logs {names.container(settings.prefix, 'sql-exporter')}): a right that is missing, a time-out, "
        "another version of PostgreSQL.",
        board="postgres",
        empty=f"the exporter has this counter from the first query on that fails; {SHOWN_BY} has one",
    )
