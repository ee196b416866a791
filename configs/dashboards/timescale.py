"""TimescaleDB: hypertables, chunks and compression of every database with the extension; its jobs below them."""

from __future__ import annotations

from configs.dashboards import colours, timescale_jobs
from configs.dashboards.model import (
    ANY_IS_BAD,
    SOME_HOSTS,
    Column,
    Dashboard,
    Graph,
    Query,
    Row,
    Stat,
    Steps,
    Table,
    Variable,
    env_and_host,
    link,
)
from configs.dashboards.postgres_upkeep import WHICH_SERVER
from configs.dashboards.timescale_jobs import (
    BY_DATNAME,
    BY_JOB,
    BY_TABLE,
    NO_EXTENSION,
    NONE,
    TABLE_NAME,
    column,
    newest,
    query,
)
from configs.settings import Settings

BEFORE, AFTER = (newest(f"{when}_compression_bytes", BY_TABLE) for when in ("before", "after"))
# 0 where nothing is compressed yet: such a table has no ratio.
RATIO = f"{BEFORE} / ({AFTER} > 0)"


def _late_chunks(settings: Settings) -> Steps:
    limit = colours.limits(settings).timescale_uncompressed
    return ((None, "green"), *(((1.0, "yellow"),) if limit > 1 else ()), (limit, "red"))


def _numbers(settings: Settings) -> Row:
    return Row(
        height=4,
        panels=(
            Stat(
                title="Databases with TimescaleDB",
                about="None: no watched database has the extension, and the rest of this page stays empty.",
                nothing=NONE,
                unit="none",
                query=Query(expr=f"count({newest('info', BY_DATNAME)}) or vector(0)", empty=NO_EXTENSION),
                words={0: ("none: this page stays empty", "text")},
            ),
            Stat(
                title="Hypertables",
                about="In all databases that are chosen.",
                nothing=NONE,
                unit="none",
                query=Query(expr=f"count({newest('hypertable_chunks', BY_TABLE)}) or vector(0)", empty=NO_EXTENSION),
            ),
            Stat(
                title="Size",
                about="Of all hypertables on disk, with indexes and compressed chunks.",
                nothing=NONE,
                unit="bytes",
                query=Query(expr=f"sum({newest('hypertable_bytes', BY_TABLE)}) or vector(0)", empty=NO_EXTENSION),
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
                query=Query(expr=f"count({newest('job_failed', BY_JOB)} > 0) or vector(0)", empty=NO_EXTENSION),
                steps=ANY_IS_BAD,
            ),
            Stat(
                title="Chunks to compress",
                about="Chunks older than their compression policy says that are not compressed yet.",
                nothing=NONE,
                unit="none",
                query=Query(expr=f"sum({newest('chunks_uncompressed', BY_TABLE)}) or vector(0)", empty=NO_EXTENSION),
                steps=_late_chunks(settings),
            ),
        ),
    )


def _tables(settings: Settings) -> Row:
    return Row(
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
                    column("Size", "hypertable_bytes", BY_TABLE, "bytes"),
                    column("Chunks", "hypertable_chunks", BY_TABLE, "none"),
                    column("To compress", "chunks_uncompressed", BY_TABLE, "none", steps=_late_chunks(settings)),
                    column("Before compression", "before_compression_bytes", BY_TABLE, "bytes"),
                    column("After compression", "after_compression_bytes", BY_TABLE, "bytes"),
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
            queries=(query("hypertable_bytes", BY_TABLE, TABLE_NAME),),
        ),
        Graph(
            title="Chunks of each hypertable",
            about="A number that only grows means that no retention policy takes old chunks away.",
            nothing=NONE,
            unit="none",
            queries=(query("hypertable_chunks", BY_TABLE, TABLE_NAME),),
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


def board(settings: Settings) -> Dashboard:
    """The same for every stack but for colours."""
    return Dashboard(
        name="timescale",
        title="TimescaleDB",
        about="Hypertables, chunks, compression, jobs and continuous aggregates.",
        of=SOME_HOSTS,
        variables=(
            *env_and_host('pg_up{job="postgres"}'),
            WHICH_SERVER,
            Variable(
                name="datname",
                title="Database",
                selector='fleetwatch_timescale_info{job="sql",env=~"$env",host=~"$host",database=~"$database"}',
                label="datname",
            ),
        ),
        rows=(_numbers(settings), _tables(settings), _growth, *timescale_jobs.rows(settings)),
    )
