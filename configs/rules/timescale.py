"""Alerts about jobs, compression and continuous aggregates of TimescaleDB, from sql_exporter (job `sql`)."""

from __future__ import annotations

from configs.rules.counters import COUNT
from configs.rules.model import Alert, Group
from configs.rules.postgres import BY_DATABASE, DATABASE_LABELS, has_databases, threshold_expression
from configs.settings import Settings
from configs.settings.thresholds import Thresholds

NO_EXTENSION = "the database does not have TimescaleDB"
BY_JOB = f"{BY_DATABASE}, job_id, proc, hypertable"
JOB_NAME = (
    "Job {{ $labels.job_id }} ({{ $labels.proc }}{{ with $labels.hypertable }} of {{ . }}{{ end }}) in "
    + DATABASE_LABELS
)


def group(settings: Settings) -> Group:
    """Whether a server has TimescaleDB is known only at run time; without it these series do not exist."""
    rules = (JOB_FAILED, JOB_LATE, UNCOMPRESSED, AGGREGATE_LAG)
    return Group(name="timescale", rules=rules if has_databases(settings) else ())


def _failed(matchers: str, _: Thresholds) -> str:
    return f'max by ({BY_JOB}) (fleetwatch_timescale_job_failed{{job="sql"{matchers}}}) == 1'


JOB_FAILED = Alert(
    name="TimescaleJobFailed",
    expr=_failed,
    wait="0s",
    summary=JOB_NAME + " failed",
    description="Its work (compression, retention or refresh) is not done until a run succeeds. The errors are in "
    "timescaledb_information.job_errors.",
    board="timescale",
    empty=NO_EXTENSION,
)
JOB_LATE = Alert(
    name="TimescaleJobLate",
    expr=threshold_expression("fleetwatch_timescale_job_late_seconds", BY_JOB, "> timescale_job_late"),
    keys=("timescale_job_late",),
    wait="1m",
    summary=JOB_NAME + " is {{ $value | humanizeDuration }} late",
    description="Usually all workers are busy or the scheduler is stopped. Check max_background_workers and "
    "timescaledb.max_background_workers.",
    board="timescale",
    empty=NO_EXTENSION,
)
UNCOMPRESSED = Alert(
    name="TimescaleUncompressed",
    expr=threshold_expression(
        "fleetwatch_timescale_chunks_uncompressed", f"{BY_DATABASE}, hypertable", ">= timescale_uncompressed"
    ),
    keys=("timescale_uncompressed",),
    wait="30m",
    summary=COUNT + " chunks of {{ $labels.hypertable }} in " + DATABASE_LABELS + " are overdue for compression",
    description="The compression policy does not keep up, or its job fails. The table uses much more disk space.",
    board="timescale",
    empty=NO_EXTENSION,
)
AGGREGATE_LAG = Alert(
    name="TimescaleAggregateLag",
    expr=threshold_expression(
        "fleetwatch_timescale_continuous_aggregate_lag_seconds", f"{BY_DATABASE}, view", "> timescale_aggregate_lag"
    ),
    keys=("timescale_aggregate_lag",),
    wait="15m",
    summary="Continuous aggregate {{ $labels.view }} in "
    + DATABASE_LABELS
    + " is {{ $value | humanizeDuration }} behind",
    description="Its refresh policy does not run or does not cover the newest data. Queries compute that data each "
    "time, or do not return it.",
    board="timescale",
    empty=NO_EXTENSION,
)
