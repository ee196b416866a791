"""The PostgreSQL dashboard: every monitored server, from postgres_exporter (`postgres`) and sql_exporter (`sql`).

`database` is the name of the entry in the stack file (a server), `datname` a database on that server. The metric names
hold from postgres_exporter 0.11 to 0.20.
"""

from __future__ import annotations

from configs.dashboards.layout import visible_rows
from configs.dashboards.model import (
    ANY_IS_BAD,
    ANY_IS_WORTH_A_LOOK,
    NOT_SHOWN,
    PER_SECOND,
    SOME_HOSTS,
    Column,
    Dashboard,
    Graph,
    Query,
    Row,
    Stat,
    Table,
    Variable,
    env_and_host,
    largest,
    link,
)
from configs.dashboards.panel_thresholds import fleet_thresholds, red_above
from configs.settings import Settings

SQL = 'job="sql",env=~"$env",host=~"$host",database=~"$database"'
SQL_DATABASES = SQL + ',datname=~"$datname"'
BY = "by (env, host, database)"
BY_DATNAME = "by (env, host, database, datname)"
BY_TABLE = "by (env, host, database, datname, schema, table)"
SERVER, NAME = "{{host}} {{database}}", "{{host}} {{database}} {{datname}}"
SERVER_VARIABLE = Variable(
    name="database", title="Server", selector='pg_up{job="postgres",env=~"$env",host=~"$host"}', label="database"
)
NO_TABLES = "the database has no tables"
SELECTED = 'job="postgres",env=~"$env",host=~"$host",database=~"$database"'
SELECTED_DATABASES = SELECTED + ',datname=~"$datname",datname!~"template.*"'
CACHE_HITS = f"sum {BY} (rate(pg_stat_database_blks_hit{{{SELECTED}}}[$__rate_interval]))"
DISK_READS = f"sum {BY} (rate(pg_stat_database_blks_read{{{SELECTED}}}[$__rate_interval]))"
SIZE = f"max {BY_DATNAME} (pg_database_size_bytes{{{SELECTED_DATABASES}}})"
USED_CONNECTIONS = f"sum {BY} (pg_stat_database_numbackends{{{SELECTED}}})"


def _rate(metric: str, by: str = BY_DATNAME) -> str:
    return f"sum {by} (rate({metric}{{{SELECTED_DATABASES}}}[$__rate_interval]))"


_stats = Row(
    height=4,
    panels=(
        Stat(
            title="Servers up",
            description="PostgreSQL servers that the exporter can log in to.",
            unit="none",
            query=Query(expr=f"sum(pg_up{{{SELECTED}}})"),
        ),
        Stat(
            title="Servers down",
            description="PostgreSQL servers that are unreachable or reject the exporter's login.",
            unit="none",
            query=Query(expr=f"count(pg_up{{{SELECTED}}} == 0) or vector(0)"),
            steps=ANY_IS_BAD,
        ),
        Stat(
            title="Deadlocks",
            description="Transactions that PostgreSQL aborted because of a deadlock in the time range.",
            unit="none",
            query=Query(expr=f"ceil(sum(increase(pg_stat_database_deadlocks{{{SELECTED_DATABASES}}}[$__range])))"),
            steps=ANY_IS_WORTH_A_LOOK,
        ),
        Stat(
            title="Failed exporter queries",
            description="Failed queries of the SQL exporter in the time range; their metrics are missing on the "
            "dashboards.",
            unit="none",
            query=Query(
                expr=f'ceil(sum(increase(fleetwatch_sql_errors_total{{{SQL},query!=""}}[$__range]))) or vector(0)',
                empty="the exporter exposes this counter after the first failed query",
            ),
            no_value="none",
            steps=ANY_IS_WORTH_A_LOOK,
        ),
    ),
)


def _overview(settings: Settings) -> Row:
    limits = fleet_thresholds(settings)
    return Row(
        panels=(
            Table(
                title="Server overview",
                description="Current values. Transaction IDs is the share in use since the oldest unfrozen row. Links: "
                "host to Hosts.",
                labels={"env": NOT_SHOWN, "host": "Host", "database": "Server"},
                rows=visible_rows(sum(len(edge.postgres) for edge in settings.edges.values())),
                columns=(
                    Column(
                        title="State",
                        expr=f"max {BY} (pg_up{{{SELECTED}}})",
                        unit="none",
                        mappings={1: ("up", "green"), 0: ("down", "red")},
                    ),
                    Column(title="Connections", expr=USED_CONNECTIONS, unit="none"),
                    Column(
                        title="Connection usage",
                        expr=f"max {BY} (fleetwatch_pg_connections_ratio{{{SQL}}})",
                        unit="percentunit",
                        steps=red_above(limits.postgres_connections),
                    ),
                    Column(title="Transaction rate", expr=_rate("pg_stat_database_xact_commit", BY), unit="ops"),
                    Column(title="Size", expr=f"sum {BY} ({SIZE})", unit="bytes"),
                    Column(
                        title="Oldest transaction",
                        expr=f"max {BY} (fleetwatch_pg_oldest_transaction_seconds{{{SQL}}})",
                        unit="s",
                        steps=red_above(limits.postgres_transaction, 1 / 3),
                    ),
                    Column(
                        title="Transaction IDs",
                        expr=f"max {BY} (fleetwatch_pg_wraparound_ratio{{{SQL}}})",
                        unit="percentunit",
                        steps=red_above(limits.postgres_wraparound, 0.5),
                    ),
                ),
                links={"Host": ("Host details", link("hosts", "var-host=${__data.fields.Host}"))},
                sort="Connections",
            ),
        ),
    )


_load = Row(
    title="Load",
    panels=(
        Graph(
            title="Connections by state",
            description="Connections that are idle in transaction hold locks and delay vacuum.",
            unit="none",
            stack=True,
            queries=(
                Query(
                    expr=f"sum by (env, host, database, state) (pg_stat_activity_count{{{SELECTED_DATABASES}}})",
                    legend=SERVER + " {{state}}",
                ),
            ),
        ),
        Graph(
            title="Transaction rate",
            description="Committed and rolled-back transactions per second.",
            unit="ops",
            queries=(
                Query(expr=largest(_rate("pg_stat_database_xact_commit")), legend=NAME + " committed"),
                Query(expr=largest(_rate("pg_stat_database_xact_rollback")), legend=NAME + " rolled back"),
            ),
        ),
        Graph(
            title="Row activity",
            description="Fetched and changed rows per second.",
            unit=PER_SECOND,
            queries=(
                Query(expr=largest(_rate("pg_stat_database_tup_fetched")), legend=NAME + " fetched"),
                Query(
                    expr=largest(
                        " + ".join(_rate(f"pg_stat_database_tup_{what}") for what in ("inserted", "updated", "deleted"))
                    ),
                    legend=NAME + " changed",
                ),
            ),
        ),
    ),
)

_waits = Row(
    title="Locks, cache and disk",
    panels=(
        Graph(
            title="Oldest transaction",
            description="Age of the oldest open transaction. Long transactions delay vacuum.",
            unit="s",
            queries=(
                Query(
                    expr=largest(f"max {BY_DATNAME} (pg_stat_activity_max_tx_duration{{{SELECTED_DATABASES}}})"),
                    legend=NAME,
                ),
            ),
        ),
        Graph(
            title="Locks by mode",
            description="Held locks; exclusive modes block other sessions.",
            unit="none",
            stack=True,
            queries=(
                Query(
                    expr=f"sum by (env, host, database, mode) (pg_locks_count{{{SELECTED_DATABASES}}})",
                    legend=SERVER + " {{mode}}",
                ),
            ),
        ),
        Graph(
            title="Cache hit ratio",
            description="Share of block reads that were served from PostgreSQL's shared buffers. There is no value "
            "without reads.",
            unit="percentunit",
            axis_max=1,
            queries=(Query(expr=f"{CACHE_HITS} / ({CACHE_HITS} + {DISK_READS} > 0)", legend=SERVER),),
        ),
    ),
)

_space = Row(
    panels=(
        Graph(
            title="Database size",
            description="Size on disk, with indexes.",
            unit="bytes",
            queries=(Query(expr=largest(SIZE), legend=NAME),),
        ),
        Graph(
            title="Temporary file writes",
            description="Bytes per second written to temporary files by sorts and joins that exceed work_mem.",
            unit="binBps",
            queries=(Query(expr=largest(_rate("pg_stat_database_temp_bytes")), legend=NAME),),
        ),
        Graph(
            title="Transaction ID usage",
            description="Share of the transaction IDs in use since the oldest unfrozen row. At 1 PostgreSQL rejects "
            "writes.",
            unit="percentunit",
            queries=(
                Query(
                    expr=largest(f"max {BY_DATNAME} (fleetwatch_pg_wraparound_ratio{{{SQL_DATABASES}}})"),
                    legend=NAME,
                ),
            ),
        ),
    ),
)


_replication = Row(
    title="Replication",
    panels=(
        Graph(
            title="Replication lag (time)",
            description="On a standby: age of the last replayed transaction.",
            no_value="not a standby",
            unit="s",
            queries=(
                Query(
                    expr=f"max {BY} (fleetwatch_pg_replication_lag_seconds{{{SQL}}})",
                    legend=SERVER,
                    empty="the server is not a standby",
                ),
            ),
        ),
        Graph(
            title="Replication lag (bytes)",
            description="On a primary: WAL that each standby has not replayed yet.",
            no_value="no standbys",
            unit="bytes",
            queries=(
                Query(
                    expr=largest(
                        f"max by (env, host, database, application_name) (fleetwatch_pg_standby_lag_bytes{{{SQL}}})"
                    ),
                    legend=SERVER + " {{application_name}}",
                    empty="the server has no standbys",
                ),
            ),
        ),
        Graph(
            title="WAL retained by replication slots",
            description="WAL that is kept because the consumer of the slot has not read it. An unused slot fills the "
            "disk.",
            no_value="no replication slots",
            unit="bytes",
            queries=(
                Query(
                    expr=largest(
                        f"max by (env, host, database, slot) (fleetwatch_pg_replication_slot_retained_bytes{{{SQL}}})"
                    ),
                    legend=SERVER + " {{slot}}",
                    empty="the server has no replication slots",
                ),
            ),
        ),
    ),
)

_tables = Row(
    title="Tables",
    panels=(
        Table(
            title="Largest tables",
            description="The twenty largest tables of each database, and the share of their rows that are dead and "
            "not yet vacuumed.",
            no_value="no tables",
            rows=8,
            labels={
                "env": NOT_SHOWN,
                "host": "Host",
                "database": "Server",
                "datname": "Database",
                "schema": "Schema",
                "table": "Table",
            },
            columns=(
                Column(
                    title="Size",
                    expr=f"max {BY_TABLE} (fleetwatch_pg_table_bytes{{{SQL_DATABASES}}})",
                    unit="bytes",
                    empty=NO_TABLES,
                ),
                Column(
                    title="Dead row ratio",
                    expr=f"max {BY_TABLE} (fleetwatch_pg_dead_rows_ratio{{{SQL_DATABASES}}})",
                    unit="percentunit",
                    steps=((None, "green"), (0.2, "yellow"), (0.5, "red")),
                    empty=NO_TABLES,
                ),
            ),
            sort="Size",
        ),
    ),
)


def board(settings: Settings) -> Dashboard:
    """Depends on the settings only for thresholds."""
    return Dashboard(
        name="postgres",
        title="PostgreSQL",
        description="Connections, transactions, locks, cache and size of every monitored server.",
        coverage=SOME_HOSTS,
        variables=(
            *env_and_host('pg_up{job="postgres"}'),
            SERVER_VARIABLE,
            Variable(
                name="datname",
                title="Database",
                selector=f'pg_database_size_bytes{{{SELECTED},datname!~"template.*"}}',
                label="datname",
            ),
        ),
        rows=(_stats, _overview(settings), _load, _waits, _space, _tables, _replication),
    )
