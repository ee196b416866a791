"""The lower part of PostgreSQL's page, from queries of our own (job `sql`): tables, transaction ids, replication."""

from __future__ import annotations

from configs.dashboards.model import Column, Graph, Query, Row, Table, Variable, declared

SQL = 'job="sql",env=~"$env",host=~"$host",database=~"$database"'
SQL_EACH = SQL + ',datname=~"$datname"'
BY = "by (env, host, database)"
BY_DATNAME = "by (env, host, database, datname)"
BY_TABLE = "by (env, host, database, datname, schema, table)"
SERVER, NAME = "{{database}}", "{{database}} {{datname}}"
WHICH_SERVER = Variable(
    name="database", title="Server", selector='pg_up{job="postgres",env=~"$env",host=~"$host"}', label="database"
)
NO_TABLES = declared("a database without tables of its own has none to show")

_replication = Row(
    heading="Replication",
    panels=(
        Graph(
            title="Standby behind in time",
            about="On a standby: how old the last transaction is that it has replayed.",
            nothing="not a standby",
            unit="s",
            queries=(
                Query(
                    expr=f"max {BY} (fleetwatch_pg_replication_lag_seconds{{{SQL}}})",
                    legend=SERVER,
                    empty=declared("a server that is no standby is behind nobody"),
                ),
            ),
        ),
        Graph(
            title="Standbys behind in bytes",
            about="On a primary: how much of its log each standby has still to replay.",
            nothing="no standbys",
            unit="bytes",
            queries=(
                Query(
                    expr=f"max by (env, host, database, application_name) (fleetwatch_pg_standby_lag_bytes{{{SQL}}})",
                    legend=SERVER + " {{application_name}}",
                    empty=declared("a server without standbys has nothing to send them"),
                ),
            ),
        ),
        Graph(
            title="Kept for replication slots",
            about="Log that stays because a slot's reader has not read it yet. A forgotten slot fills the disk.",
            nothing="no replication slots",
            unit="bytes",
            queries=(
                Query(
                    expr=f"max by (env, host, database, slot) (fleetwatch_pg_replication_slot_retained_bytes{{{SQL}}})",
                    legend=SERVER + " {{slot}}",
                    empty=declared("a server without slots keeps nothing for them"),
                ),
            ),
        ),
    ),
)

_upkeep = Row(
    heading="Tables and upkeep",
    height=9,
    panels=(
        Table(
            title="Largest tables",
            about="The twenty largest of each database, and the share of their rows that are dead and wait for vacuum.",
            nothing="no tables",
            width=14,
            labels={
                "env": "Environment",
                "host": "Host",
                "database": "Server",
                "datname": "Database",
                "schema": "Schema",
                "table": "Table",
            },
            columns=(
                Column(
                    title="Size",
                    expr=f"max {BY_TABLE} (fleetwatch_pg_table_bytes{{{SQL_EACH}}})",
                    unit="bytes",
                    empty=NO_TABLES,
                ),
                Column(
                    title="Dead rows",
                    expr=f"max {BY_TABLE} (fleetwatch_pg_dead_rows_ratio{{{SQL_EACH}}})",
                    unit="percentunit",
                    steps=((None, "green"), (0.2, "yellow"), (0.5, "red")),
                    empty=NO_TABLES,
                ),
            ),
            sort="Size",
        ),
        Graph(
            title="Transaction ids used",
            about="Share of the transaction ids that there are, since the oldest row was frozen; at 1 it stops.",
            unit="percentunit",
            queries=(
                Query(
                    expr=f"max {BY_DATNAME} (fleetwatch_pg_wraparound_ratio{{{SQL_EACH}}})",
                    legend=NAME,
                ),
            ),
        ),
    ),
)

ROWS = (_upkeep, _replication)
