"""PostgreSQL: what its exporter says about every watched server. Metric names that hold from exporter 0.11 to 0.20.

`database` is the name of the entry in the stack file (a server), `datname` a database on that server.
"""

from __future__ import annotations

from configs.dashboards import colours, postgres_upkeep
from configs.dashboards.model import (
    ANY_IS_BAD,
    ANY_IS_WORTH_A_LOOK,
    SOME_HOSTS,
    Column,
    Dashboard,
    Graph,
    Query,
    Row,
    Stat,
    Table,
    Variable,
    declared,
    env_and_host,
    link,
)
from configs.dashboards.postgres_upkeep import BY, BY_DATNAME, NAME, SERVER, SQL, WHICH_SERVER
from configs.settings import Settings

OF = 'job="postgres",env=~"$env",host=~"$host",database=~"$database"'
EACH = OF + ',datname=~"$datname",datname!~"template.*"'
HITS = f"sum {BY} (rate(pg_stat_database_blks_hit{{{OF}}}[$__rate_interval]))"
READS = f"sum {BY} (rate(pg_stat_database_blks_read{{{OF}}}[$__rate_interval]))"
SIZE = f"max {BY_DATNAME} (pg_database_size_bytes{{{EACH}}})"
IN_USE = f"sum {BY} (pg_stat_database_numbackends{{{OF}}})"


def _rate(metric: str, by: str = BY_DATNAME) -> str:
    return f"sum {by} (rate({metric}{{{EACH}}}[$__rate_interval]))"


_numbers = Row(
    height=4,
    panels=(
        Stat(
            title="Servers that answer",
            about="Servers that the exporter can log in to.",
            unit="none",
            query=Query(expr=f"sum(pg_up{{{OF}}})"),
        ),
        Stat(
            title="Servers that do not",
            about="Servers that refuse the exporter or cannot be reached.",
            unit="none",
            query=Query(expr=f"count(pg_up{{{OF}}} == 0) or vector(0)"),
            steps=ANY_IS_BAD,
        ),
        Stat(
            title="Deadlocks",
            about="Transactions broken off in the chosen time range because they waited for each other.",
            unit="none",
            query=Query(expr=f"ceil(sum(increase(pg_stat_database_deadlocks{{{EACH}}}[$__range])))"),
            steps=ANY_IS_WORTH_A_LOOK,
        ),
        Stat(
            title="Queries that failed",
            about="Of the SQL exporter, in the chosen time range: what such a query asks is missing on these pages.",
            unit="none",
            query=Query(
                expr=f'ceil(sum(increase(fleetwatch_sql_errors_total{{{SQL},query!=""}}[$__range]))) or vector(0)',
                empty=declared("the exporter has no such counter before the first failure"),
            ),
            nothing="none",
            steps=ANY_IS_WORTH_A_LOOK,
        ),
    ),
)


def _each(settings: Settings) -> Row:
    limits = colours.limits(settings)
    return Row(
        height=6,
        panels=(
            Table(
                title="Each server",
                about="The state of now. A host leads to its own page.",
                labels={"env": "Environment", "host": "Host", "database": "Database"},
                columns=(
                    Column(
                        title="Answers",
                        expr=f"max {BY} (pg_up{{{OF}}})",
                        unit="none",
                        words={1: ("yes", "green"), 0: ("no", "red")},
                    ),
                    Column(title="Connections", expr=IN_USE, unit="none"),
                    Column(
                        title="Of its limit",
                        expr=f"max {BY} (fleetwatch_pg_connections_ratio{{{SQL}}})",
                        unit="percentunit",
                        steps=colours.up_to(limits.postgres_connections),
                    ),
                    Column(title="Transactions per second", expr=_rate("pg_stat_database_xact_commit", BY), unit="ops"),
                    Column(title="Size", expr=f"sum {BY} ({SIZE})", unit="bytes"),
                    Column(
                        title="Oldest transaction",
                        expr=f"max {BY} (fleetwatch_pg_oldest_transaction_seconds{{{SQL}}})",
                        unit="s",
                        steps=colours.up_to(limits.postgres_transaction, 1 / 3),
                    ),
                    Column(
                        title="Transaction ids used",
                        expr=f"max {BY} (fleetwatch_pg_wraparound_ratio{{{SQL}}})",
                        unit="percentunit",
                        steps=colours.up_to(limits.postgres_wraparound, 0.5),
                    ),
                ),
                links={"Host": ("This host", link("hosts", "var-host=${__data.fields.Host}"))},
                sort="Connections",
            ),
        ),
    )


_load = Row(
    heading="Load",
    panels=(
        Graph(
            title="Connections by state",
            about="What the connections do. Many that are idle in transaction hold locks and keep old rows alive.",
            unit="none",
            stack=True,
            queries=(
                Query(
                    expr=f"sum by (env, host, database, state) (pg_stat_activity_count{{{EACH}}})",
                    legend=SERVER + " {{state}}",
                ),
            ),
        ),
        Graph(
            title="Transactions",
            about="Per second: committed, and rolled back.",
            unit="ops",
            queries=(
                Query(expr=_rate("pg_stat_database_xact_commit"), legend=NAME + " committed"),
                Query(expr=_rate("pg_stat_database_xact_rollback"), legend=NAME + " rolled back"),
            ),
        ),
        Graph(
            title="Rows",
            about="Rows per second: fetched, and changed in any way.",
            unit="ops",
            queries=(
                Query(expr=_rate("pg_stat_database_tup_fetched"), legend=NAME + " fetched"),
                Query(
                    expr=" + ".join(
                        _rate(f"pg_stat_database_tup_{what}") for what in ("inserted", "updated", "deleted")
                    ),
                    legend=NAME + " changed",
                ),
            ),
        ),
    ),
)

_waits = Row(
    heading="Locks, cache and disk",
    panels=(
        Graph(
            title="Longest transaction",
            about="How long the oldest open transaction has been running. Long ones stop the clean-up of old rows.",
            unit="s",
            queries=(Query(expr=f"max {BY_DATNAME} (pg_stat_activity_max_tx_duration{{{EACH}}})", legend=NAME),),
        ),
        Graph(
            title="Locks held",
            about="By mode; the exclusive ones keep others waiting.",
            unit="none",
            stack=True,
            queries=(
                Query(
                    expr=f"sum by (env, host, database, mode) (pg_locks_count{{{EACH}}})",
                    legend=SERVER + " {{mode}}",
                ),
            ),
        ),
        Graph(
            title="Found in memory",
            about="Share of page reads that PostgreSQL's own cache could answer. Empty while nothing is read.",
            unit="percentunit",
            top=1,
            queries=(Query(expr=f"{HITS} / ({HITS} + {READS} > 0)", legend=SERVER),),
        ),
    ),
)

_space = Row(
    panels=(
        Graph(
            title="Size of each database",
            about="On disk, with indexes.",
            unit="bytes",
            queries=(Query(expr=SIZE, legend=NAME),),
        ),
        Graph(
            title="Temporary files",
            about="Bytes per second written because a sort or a join did not fit into its memory.",
            unit="binBps",
            queries=(Query(expr=_rate("pg_stat_database_temp_bytes"), legend=NAME),),
        ),
    ),
)


def board(settings: Settings) -> Dashboard:
    """The same for every stack but for colours."""
    return Dashboard(
        name="postgres",
        title="PostgreSQL",
        about="Every watched PostgreSQL server: connections, transactions, locks, cache, size.",
        of=SOME_HOSTS,
        variables=(
            *env_and_host('pg_up{job="postgres"}'),
            WHICH_SERVER,
            Variable(
                name="datname",
                title="Database",
                selector=f'pg_database_size_bytes{{{OF},datname!~"template.*"}}',
                label="datname",
            ),
        ),
        rows=(_numbers, _each(settings), _load, _waits, _space, *postgres_upkeep.ROWS),
    )
