"""The TimescaleDB dashboard: hypertables, chunks, compression, jobs and continuous aggregates."""

from __future__ import annotations

from configs.dashboards.model import (
    ANY_IS_BAD,
    ANY_IS_WORTH_A_LOOK,
    NOT_SHOWN,
    SOME_HOSTS,
    Column,
    Dashboard,
    Graph,
    Mappings,
    Query,
    Row,
    Stat,
    Steps,
    Table,
    Variable,
    env_and_host,
    largest,
    link,
)
from configs.dashboards.panel_thresholds import fleet_thresholds, red_above
from configs.dashboards.postgres import SERVER_VARIABLE
from configs.settings import Settings

SELECTED = 'job="sql",env=~"$env",host=~"$host",database=~"$database",datname=~"$datname"'
BY_DATNAME = "by (env, host, database, datname)"
BY_TABLE = "by (env, host, database, datname, hypertable)"
BY_JOB = "by (env, host, database, datname, job_id, proc, hypertable)"
BY_VIEW = "by (env, host, database, datname, view)"
TABLE_NAME = "{{host}} {{database}} {{datname}} {{hypertable}}"
JOB_NAME = "{{host}} {{database}} {{datname}} {{proc}} {{job_id}} {{hypertable}}"
NO_EXTENSION = "the database does not have TimescaleDB"
NO_DATABASES = "no TimescaleDB"
NO_JOBS, NO_VIEWS = "no TimescaleDB jobs", "no continuous aggregates"


def newest(metric: str, by: str) -> str:
    """The newest value of each series."""
    return f"max {by} (fleetwatch_timescale_{metric}{{{SELECTED}}})"


def query(metric: str, by: str, legend: str) -> Query:
    """A query of one metric for a graph."""
    return Query(expr=largest(newest(metric, by)), legend=legend, empty=NO_EXTENSION)


def column(title: str, metric: str, by: str, unit: str, steps: Steps = (), mappings: Mappings | None = None) -> Column:
    """A table column of one metric."""
    return Column(
        title=title, expr=newest(metric, by), unit=unit, steps=steps, mappings=mappings or {}, empty=NO_EXTENSION
    )


BEFORE, AFTER = (newest(f"{when}_compression_bytes", BY_TABLE) for when in ("before", "after"))
# 0 without compressed chunks: such a hypertable has no ratio.
RATIO = f"{BEFORE} / ({AFTER} > 0)"


def _uncompressed_chunks_steps(settings: Settings) -> Steps:
    limit = fleet_thresholds(settings).timescale_uncompressed
    return ((None, "green"), *(((1.0, "yellow"),) if limit > 1 else ()), (limit, "red"))


def _stats(settings: Settings) -> Row:
    return Row(
        height=4,
        panels=(
            Stat(
                title="Databases with TimescaleDB",
                description="Databases with the extension. Without one the other panels stay empty.",
                no_value=NO_DATABASES,
                unit="none",
                query=Query(expr=f"count({newest('info', BY_DATNAME)}) or vector(0)", empty=NO_EXTENSION),
                mappings={0: ("none: no data below", "text")},
            ),
            Stat(
                title="Hypertables",
                description="Hypertables in the selected databases.",
                no_value=NO_DATABASES,
                unit="none",
                query=Query(expr=f"count({newest('hypertable_chunks', BY_TABLE)}) or vector(0)", empty=NO_EXTENSION),
            ),
            Stat(
                title="Hypertable size",
                description="Size of all hypertables on disk, with indexes and compressed chunks.",
                no_value=NO_DATABASES,
                unit="bytes",
                query=Query(expr=f"sum({newest('hypertable_bytes', BY_TABLE)}) or vector(0)", empty=NO_EXTENSION),
            ),
            Stat(
                title="Compression savings",
                description="Size of the compressed chunks before compression, minus their size after it.",
                no_value=NO_DATABASES,
                unit="bytes",
                query=Query(expr=f"sum({BEFORE} - {AFTER}) or vector(0)", empty=NO_EXTENSION),
            ),
            Stat(
                title="Failed jobs",
                description="Jobs (compression, retention, refresh) whose last run failed.",
                no_value=NO_DATABASES,
                unit="none",
                query=Query(expr=f"count({newest('job_failed', BY_JOB)} > 0) or vector(0)", empty=NO_EXTENSION),
                steps=ANY_IS_BAD,
            ),
            Stat(
                title="Overdue chunks",
                description="Chunks that the compression policy should have compressed already.",
                no_value=NO_DATABASES,
                unit="none",
                query=Query(expr=f"sum({newest('chunks_uncompressed', BY_TABLE)}) or vector(0)", empty=NO_EXTENSION),
                steps=_uncompressed_chunks_steps(settings),
            ),
        ),
    )


def _tables(settings: Settings) -> Row:
    return Row(
        panels=(
            Table(
                title="Hypertable overview",
                rows=5,
                description="Values of the last query, every few minutes. Uncompressed and compressed are the sizes of "
                "the compressed chunks before and after compression, ratio is their quotient. Links: host to Hosts.",
                no_value=NO_DATABASES,
                labels={
                    "env": NOT_SHOWN,
                    "host": "Host",
                    "database": "Server",
                    "datname": "Database",
                    "hypertable": "Hypertable",
                },
                columns=(
                    column("Size", "hypertable_bytes", BY_TABLE, "bytes"),
                    column("Chunks", "hypertable_chunks", BY_TABLE, "none"),
                    column(
                        "Overdue chunks",
                        "chunks_uncompressed",
                        BY_TABLE,
                        "none",
                        steps=_uncompressed_chunks_steps(settings),
                    ),
                    column("Uncompressed", "before_compression_bytes", BY_TABLE, "bytes"),
                    column("Compressed", "after_compression_bytes", BY_TABLE, "bytes"),
                    Column(title="Ratio", expr=RATIO, unit="short", empty=NO_EXTENSION),
                ),
                links={"Host": ("Host details", link("hosts", "var-host=${__data.fields.Host}"))},
                sort="Size",
            ),
        ),
    )


_sizes = Row(
    title="Hypertables",
    panels=(
        Graph(
            title="Size by hypertable",
            description="Size on disk, with indexes.",
            no_value=NO_DATABASES,
            unit="bytes",
            queries=(query("hypertable_bytes", BY_TABLE, TABLE_NAME),),
        ),
        Graph(
            title="Chunks by hypertable",
            description="A number that only grows means that no retention policy drops old chunks.",
            no_value=NO_DATABASES,
            unit="none",
            queries=(query("hypertable_chunks", BY_TABLE, TABLE_NAME),),
        ),
        Graph(
            title="Compression ratio",
            description="Size of the compressed chunks before compression, divided by their size after it.",
            unit="short",
            no_value=NO_DATABASES,
            queries=(Query(expr=largest(RATIO), legend=TABLE_NAME, empty=NO_EXTENSION),),
        ),
    ),
)


def _jobs(settings: Settings) -> Row:
    return Row(
        title="Jobs and continuous aggregates",
        panels=(
            Table(
                title="Job overview",
                rows=6,
                description="Compression, retention, refresh and user-defined jobs. Success is the time since the last "
                "successful run, duration that of the last run, delay the time since the scheduled start.",
                no_value=NO_JOBS,
                labels={
                    "env": NOT_SHOWN,
                    "host": "Host",
                    "database": "Server",
                    "datname": "Database",
                    "job_id": "Job",
                    "proc": "Procedure",
                    "hypertable": "Hypertable",
                },
                columns=(
                    column(
                        "Last run",
                        "job_failed",
                        BY_JOB,
                        "none",
                        mappings={0: ("success", "green"), 1: ("failed", "red")},
                    ),
                    Column(
                        title="Success",
                        # 0 before the first one
                        expr=f"time() - ({newest('job_last_success_timestamp_seconds', BY_JOB)} > 0)",
                        unit="s",
                        empty=NO_EXTENSION,
                    ),
                    column(
                        "Delay",
                        "job_late_seconds",
                        BY_JOB,
                        "s",
                        steps=red_above(fleet_thresholds(settings).timescale_job_late, 1 / 6),
                    ),
                    column("Duration", "job_last_duration_seconds", BY_JOB, "s"),
                    column("Failures", "job_failures_total", BY_JOB, "none", steps=ANY_IS_WORTH_A_LOOK),
                ),
                sort="Delay",
            ),
        ),
    )


_lag = Row(
    panels=(
        Graph(
            title="Job failures",
            description="Failures of each job per interval.",
            no_value=NO_JOBS,
            unit="none",
            bars=True,
            queries=(
                Query(
                    expr=largest(
                        f"sum {BY_JOB} "
                        f"(increase(fleetwatch_timescale_job_failures_total{{{SELECTED}}}[$__rate_interval]))"
                    ),
                    legend=JOB_NAME,
                    empty=NO_EXTENSION,
                ),
            ),
        ),
        Graph(
            title="Job delay",
            description="Time since the scheduled start of each job.",
            no_value=NO_JOBS,
            unit="s",
            queries=(query("job_late_seconds", BY_JOB, JOB_NAME),),
        ),
        Graph(
            title="Continuous aggregate lag",
            description="Time between the end of the materialized data and now.",
            no_value=NO_VIEWS,
            unit="s",
            queries=(query("continuous_aggregate_lag_seconds", BY_VIEW, "{{host}} {{database}} {{datname}} {{view}}"),),
        ),
    ),
)


def board(settings: Settings) -> Dashboard:
    """Depends on the settings only for thresholds."""
    return Dashboard(
        name="timescale",
        title="TimescaleDB",
        description="Hypertables, chunks, compression, jobs and continuous aggregates.",
        coverage=SOME_HOSTS,
        variables=(
            *env_and_host('pg_up{job="postgres"}'),
            SERVER_VARIABLE,
            Variable(
                name="datname",
                title="Database",
                selector='fleetwatch_timescale_info{job="sql",env=~"$env",host=~"$host",database=~"$database"}',
                label="datname",
            ),
        ),
        rows=(_stats(settings), _tables(settings), _sizes, _jobs(settings), _lag),
    )
