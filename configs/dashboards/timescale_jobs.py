"""The lower half of TimescaleDB's page: jobs and continuous aggregates; and how both halves ask."""

from __future__ import annotations

from configs.dashboards import colours
from configs.dashboards.model import ANY_IS_WORTH_A_LOOK, Column, Graph, Query, Row, Table, declared
from configs.settings import Settings

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


def newest(metric: str, by: str) -> str:
    return f"max {by} (fleetwatch_timescale_{metric}{{{OF}}})"


def query(metric: str, by: str, legend: str) -> Query:
    return Query(expr=newest(metric, by), legend=legend, empty=NO_EXTENSION)


def column(title: str, metric: str, by: str, unit: str, **more: object) -> Column:
    return Column(title=title, expr=newest(metric, by), unit=unit, empty=NO_EXTENSION, **more)  # type: ignore[arg-type]


def _jobs(settings: Settings) -> Row:
    return Row(
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
                    column(
                        "Last run", "job_failed", BY_JOB, "none", words={0: ("well", "green"), 1: ("failed", "red")}
                    ),
                    Column(
                        title="Last success",
                        # 0 before the first one
                        expr=f"time() - ({newest('job_last_success_timestamp_seconds', BY_JOB)} > 0)",
                        unit="s",
                        empty=NO_EXTENSION,
                    ),
                    column(
                        "Late",
                        "job_late_seconds",
                        BY_JOB,
                        "s",
                        steps=colours.up_to(colours.limits(settings).timescale_job_late, 1 / 6),
                    ),
                    column("Took", "job_last_duration_seconds", BY_JOB, "s"),
                    column("Runs", "job_runs_total", BY_JOB, "none"),
                    column("Failures", "job_failures_total", BY_JOB, "none", steps=ANY_IS_WORTH_A_LOOK),
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
            queries=(query("job_late_seconds", BY_JOB, JOB_NAME),),
        ),
        Graph(
            title="Continuous aggregates behind",
            about="How far each continuous aggregate is behind the present.",
            nothing=NO_VIEWS,
            unit="s",
            queries=(query("continuous_aggregate_lag_seconds", BY_VIEW, "{{database}} {{datname}} {{view}}"),),
        ),
    ),
)


def rows(settings: Settings) -> tuple[Row, ...]:
    """What each job did, then how late they are."""
    return (_jobs(settings), _lag)
