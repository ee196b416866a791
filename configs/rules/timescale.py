"""Alerts about TimescaleDB: its jobs, compression and continuous aggregates, as sql_exporter (job `sql`) sees them."""

from __future__ import annotations

from configs.rules.counting import COUNT
from configs.rules.model import Alert, Group
from configs.rules.postgres import DATNAME, SHOWN_BY, WHICH, watched, worst
from configs.settings import Settings
from configs.settings.thresholds import Thresholds

NO_EXTENSION = f"without TimescaleDB there are no such series; {SHOWN_BY} has them"
JOB = f"{DATNAME}, job_id, proc, hypertable"
NAMED = "Job {{ $labels.job_id }} ({{ $labels.proc }}{{ with $labels.hypertable }} of {{ . }}{{ end }}) in " + WHICH


def group(settings: Settings) -> Group:
    """Whether a server has TimescaleDB is known at run time only: without it there are no such series."""
    rules = (JOB_FAILED, JOB_LATE, UNCOMPRESSED, AGGREGATE_LAG)
    return Group(name="timescale", rules=rules if watched(settings) else ())


def _failed(matchers: str, _: Thresholds) -> str:
    return f'max by ({JOB}) (fleetwatch_timescale_job_failed{{job="sql"{matchers}}}) == 1'


JOB_FAILED = Alert(
    name="TimescaleJobFailed",
    expr=_failed,
    wait="0s",
    summary=NAMED + " failed",
    advice="Until it succeeds its work is not done: compression, retention, a refresh. The errors are in "
    "timescaledb_information.job_errors.",
    board="timescale",
    empty=NO_EXTENSION,
)
JOB_LATE = Alert(
    name="TimescaleJobLate",
    expr=worst("fleetwatch_timescale_job_late_seconds", JOB, "> timescale_job_late"),
    keys=("timescale_job_late",),
    wait="1m",
    summary=NAMED + " should have started {{ $value | humanizeDuration }} ago",
    advice="Usually the workers are all busy or the scheduler is stopped: see max_background_workers and "
    "timescaledb.max_background_workers.",
    board="timescale",
    empty=NO_EXTENSION,
)
UNCOMPRESSED = Alert(
    name="TimescaleUncompressed",
    expr=worst("fleetwatch_timescale_chunks_uncompressed", f"{DATNAME}, hypertable", ">= timescale_uncompressed"),
    keys=("timescale_uncompressed",),
    wait="30m",
    summary=COUNT + " chunks of {{ $labels.hypertable }} in " + WHICH + " should be compressed and are not",
    advice="The compression policy does not keep up, or its job fails. The table grows much faster meanwhile.",
    board="timescale",
    empty=NO_EXTENSION,
)
AGGREGATE_LAG = Alert(
    name="TimescaleAggregateLag",
    expr=worst(
        "fleetwatch_timescale_continuous_aggregate_lag_seconds", f"{DATNAME}, view", "> timescale_aggregate_lag"
    ),
    keys=("timescale_aggregate_lag",),
    wait="15m",
    summary="Continuous aggregate {{ $labels.view }} in " + WHICH + " ends {{ $value | humanizeDuration }} ago",
    advice="Its refresh policy does not run or does not reach the present; what is newer is computed at each query, "
    "or missing.",
    board="timescale",
    empty=NO_EXTENSION,
)
