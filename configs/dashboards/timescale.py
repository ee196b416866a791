"""TimescaleDB: hypertables, chunks, compression, jobs, continuous aggregates of every database with the extension."""

from __future__ import annotations

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

OF = 'job="sql",env=~"$env",host=~"$host",database=~"$database",datname=~"$datname"'
BY_DATNAME = "by (env, host, database, datname)"
BY_TABLE = "by (env, host, database, datname, hypertable)"
BY_JOB = "by (env, host, database, datname, job_id, proc, hypertable)"
BY_VIEW = "by (env, host, database, datname, view)"
TABLE_NAME = "{{database}} {{datname}} {{hypertable}}"
JOB_NAME = "{{database}} {{datname}} {{proc}} {{job_id}} {{hypertable}}"
NO_EXTENSION = declared("a database without TimescaleDB")
NONE = "no TimescaleDB here"
NO_JOBS, NO_VIEWS = "no jobs of TimescaleDB here", "no continuous aggregates here"
LATE = ((None, "green"), (600, "yellow"), (3600, "red"))


def _max(metric: str, by: str) -> str:
    return f"max {by} (fleetwatch_timescale_{metric}{{{OF}}})"


def _query(metric: str, by: str, legend: str) -> Query:
    return Query(expr=_max(metric, by), legend=legend, empty=NO_EXTENSION)


def _column(title: str, metric: str, by: str, unit: str, **more: object) -> Column:
    return Column(title=title, expr=_max(metric, by), unit=unit, empty=NO_EXTENSION, **more)  # type: ignore[arg-type]


BEFORE, AFTER = (_max(f"{when}_compression_bytes", BY_TABLE) for when in ("before", "after"))
# 0 where nothing is compressed yet: such a table has no ratio.
RATIO = f"{BEFORE} / ({AFTER} > 0)"

_numbers = Row(
    height=4,
    panels=(
        Stat(
            title="Databases with TimescaleDB",
            about="None: no watched database has the extension, and the rest of this page stays empty.",
            nothing=NONE,
            unit="none",
            query=Query(expr=f"count({_max('info', BY_DATNAME)}) or vector(0)", empty=NO_EXTENSION),
            words={0: ("none: this page stays empty", "text")},
        ),
        Stat(
            title="Hypertables",
            about="In all databases that are chosen.",
            nothing=NONE,
            unit="none",
            query=Query(expr=f"count({_max('hypertable_chunks', BY_TABLE)}) or vector(0)", empty=NO_EXTENSION),
        ),
        Stat(
            title="Size",
            about="Of all hypertables on disk, with indexes and compressed chunks.",
            nothing=NONE,
            unit="bytes",
            query=Query(expr=f"sum({_max('hypertable_bytes', BY_TABLE)}) or vector(0)", empty=NO_EXTENSION),
        ),
        Stat(
            title="Saved by compression",
            about="Bytes that the compressed chunks would take more if they were not.",
            nothing=NONE,
            unit="bytes",
            query=Query(expr=f"sum({BEFORE} - {AFTER}) or vector(0)", empty=NO_EXTENSION),
        ),
        Stat(
            title="Jobs that failed last",
            about="Jobs (compression, retention, refresh) whose last run failed.",
            nothing=NONE,
            unit="none",
            query=Query(expr=f"count({_max('job_failed', BY_JOB)} > 0) or vector(0)", empty=NO_EXTENSION),
            steps=ANY_IS_BAD,
        ),
        Stat(
            title="Chunks to compress",
            about="Chunks older than their compression policy says that are not compressed yet.",
            nothing=NONE,
            unit="none",
            query=Query(expr=f"sum({_max('chunks_uncompressed', BY_TABLE)}) or vector(0)", empty=NO_EXTENSION),
            steps=ANY_IS_WORTH_A_LOOK,
        ),
    ),
)

_tables = Row(
    height=8,
    panels=(
        Table(
            title="Each hypertable",
            about="The state of the last look, every few minutes. A host leads to its own page.",
            nothing=NONE,
            labels={
                "env": "Environment",
                "host": "Host",
                "database": "Server",
                "datname": "Database",
                "hypertable": "Hypertable",
            },
            columns=(
                _column("Size", "hypertable_bytes", BY_TABLE, "bytes"),
                _column("Chunks", "hypertable_chunks", BY_TABLE, "none"),
                _column("To compress", "chunks_uncompressed", BY_TABLE, "none", steps=ANY_IS_WORTH_A_LOOK),
                _column("Before compression", "before_compression_bytes", BY_TABLE, "bytes"),
                _column("After compression", "after_compression_bytes", BY_TABLE, "bytes"),
                Column(title="Times smaller", expr=RATIO, unit="short", empty=NO_EXTENSION),
            ),
            links={"Host": ("This host", link("hosts", "var-host=${__data.fields.Host}"))},
            sort="Size",
        ),
    ),
)

_growth = Row(
    heading="Hypertables",
    panels=(
        Graph(
            title="Size of each hypertable",
            about="On disk, with indexes.",
            nothing=NONE,
            unit="bytes",
            queries=(_query("hypertable_bytes", BY_TABLE, TABLE_NAME),),
        ),
        Graph(
            title="Chunks of each hypertable",
            about="A number that only grows means that no retention policy takes old chunks away.",
            nothing=NONE,
            unit="none",
            queries=(_query("hypertable_chunks", BY_TABLE, TABLE_NAME),),
        ),
        Graph(
            title="Times smaller by compression",
            about="Size before by size after, of the compressed chunks of each hypertable.",
            unit="short",
            nothing=NONE,
            queries=(Query(expr=RATIO, legend=TABLE_NAME, empty=NO_EXTENSION),),
        ),
    ),
)

_jobs = Row(
    heading="Jobs and continuous aggregates",
    panels=(
        Table(
            title="Each job",
            about="Compression, retention, refresh and jobs of your own. Late: seconds since it should have begun.",
            nothing=NO_JOBS,
            labels={
                "env": "Environment",
                "host": "Host",
                "database": "Server",
                "datname": "Database",
                "job_id": "Job",
                "proc": "Procedure",
                "hypertable": "Hypertable",
            },
            columns=(
                _column("Last run", "job_failed", BY_JOB, "none", words={0: ("well", "green"), 1: ("failed", "red")}),
                Column(
                    title="Last success",
                    # 0 before the first one
                    expr=f"time() - ({_max('job_last_success_timestamp_seconds', BY_JOB)} > 0)",
                    unit="s",
                    empty=NO_EXTENSION,
                ),
                _column("Late", "job_late_seconds", BY_JOB, "s", steps=LATE),
                _column("Took", "job_last_duration_seconds", BY_JOB, "s"),
                _column("Runs", "job_runs_total", BY_JOB, "none"),
                _column("Failures", "job_failures_total", BY_JOB, "none", steps=ANY_IS_WORTH_A_LOOK),
            ),
            sort="Late",
        ),
    ),
)

_lag = Row(
    panels=(
        Graph(
            title="Failures of jobs",
            about="New failures of each job in the interval.",
            nothing=NO_JOBS,
            unit="none",
            bars=True,
            queries=(
                Query(
                    expr=f"sum {BY_JOB} (increase(fleetwatch_timescale_job_failures_total{{{OF}}}[$__rate_interval]))",
                    legend=JOB_NAME,
                    empty=NO_EXTENSION,
                ),
            ),
        ),
        Graph(
            title="Jobs behind their schedule",
            about="Seconds since each job should have begun.",
            nothing=NO_JOBS,
            unit="s",
            queries=(_query("job_late_seconds", BY_JOB, JOB_NAME),),
        ),
        Graph(
            title="Continuous aggregates behind",
            about="How far each continuous aggregate is behind the present.",
            nothing=NO_VIEWS,
            unit="s",
            queries=(_query("continuous_aggregate_lag_seconds", BY_VIEW, "{{database}} {{datname}} {{view}}"),),
        ),
    ),
)

BOARD = Dashboard(
    name="timescale",
    title="TimescaleDB",
    about="Hypertables, chunks, compression, jobs and continuous aggregates.",
    of=SOME_HOSTS,
    variables=(
        *env_and_host('pg_up{job="postgres"}'),
        Variable(
            name="database",
            title="Server",
            selector='pg_up{job="postgres",env=~"$env",host=~"$host"}',
            label="database",
        ),
        Variable(
            name="datname",
            title="Database",
            selector='fleetwatch_timescale_info{job="sql",env=~"$env",host=~"$host",database=~"$database"}',
            label="datname",
        ),
    ),
    rows=(_numbers, _tables, _growth, _jobs, _lag),
)
