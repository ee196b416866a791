"""The alerts of PostgreSQL and TimescaleDB in promtool: when each fires, with which summary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from configs.settings import Settings
from tests.rendered.rules_rig import Case, check, fired, groups_of, settings_of

DSN = "postgresql://fleetwatch:x@shop-db:5432/shop"
WHERE = 'env="test",host="hub",database="main"'
IN_SHOP = f'job="sql",{WHERE},datname="shop"'
JOB = f'{IN_SHOP},job_id="1003",proc="policy_compression",hypertable="public.readings"'
OWN = f'{IN_SHOP},job_id="1004",proc="tidy",hypertable=""'
IT = "database shop of server main on hub"
JOB_1003 = f"Job 1003 (policy_compression of public.readings) in {IT}"
MAIN = {"database": "main"}
SHOP = {**MAIN, "datname": "shop"}
COMPRESSION = {**SHOP, "job_id": "1003", "proc": "policy_compression", "hypertable": "public.readings"}
ANSWERS = {f'up{{job="postgres",{WHERE}}}': "1x400", f'pg_up{{job="postgres",{WHERE}}}': "1x400"}
DOWN = [fired("PostgreSQL main on hub is unreachable", **MAIN)]
DEADLOCKS = f'pg_stat_database_deadlocks{{job="postgres",{WHERE},datname="shop",datid="16384"}}'

QUERY = {"collector": "timescaledb_sizes", "query": "chunks"}
FAILED_QUERIES = f'fleetwatch_sql_errors_total{{job="sql",{WHERE},collector="timescaledb_sizes",query="chunks"}}'


def _sql(name: str, value: object, labels: str = IN_SHOP) -> dict[str, str]:
    return {f"fleetwatch_{name}{{{labels}}}": f"{value}x400"}


def _pair(
    alert: str, metric: str, bad: object, good: object, says: str, told: dict[str, str], labels: str
) -> list[Case]:
    """Above the threshold after an hour, and just below it."""
    return [
        Case(
            alert=alert, when="above", series=_sql(metric, bad, labels), at="1h", step="1m", fires=[fired(says, **told)]
        ),
        Case(alert=alert, when="below", series=_sql(metric, good, labels), at="1h", step="1m"),
    ]


SERVER = f'job="sql",{WHERE}'
CASES = [
    Case(
        alert="PostgresDown",
        when="it refuses the exporter",
        series={**ANSWERS, f'pg_up{{job="postgres",{WHERE}}}': "1x20 0x40"},
        fires=DOWN,
    ),
    Case(
        alert="PostgresDown",
        when="its exporter is down",
        series={f'up{{job="postgres",{WHERE}}}': "1x20 0x40", f'pg_up{{job="postgres",{WHERE}}}': "1x20 stale"},
        fires=DOWN,
    ),
    Case(alert="PostgresDown", when="it answers", series=ANSWERS),
    Case(
        alert="PostgresDown",
        when="it restarts",
        series={**ANSWERS, f'pg_up{{job="postgres",{WHERE}}}': "1x20 0x2 1x40"},
        at="5m45s",
    ),
    *_pair(
        "PostgresConnections", "pg_connections_ratio", 0.9, 0.8,
        "PostgreSQL main on hub uses 90% of its connections", MAIN, SERVER,
    ),
    *_pair(
        "PostgresLongTransaction", "pg_oldest_transaction_seconds", 3600, 1700,
        f"A transaction in {IT} has been open for 1h 0m 0s", SHOP, IN_SHOP,
    ),
    *_pair(
        "PostgresWraparound", "pg_wraparound_ratio", 0.6, 0.09,
        f"D{IT[1:]} uses 60% of its transaction IDs", SHOP, IN_SHOP,
    ),
    *_pair(
        "PostgresReplicationLag", "pg_replication_lag_seconds", 600, 20,
        "Standby main on hub is 10m 0s behind its primary", MAIN, SERVER,
    ),
    *_pair(
        "PostgresReplicationSlot", "pg_replication_slot_retained_bytes", 16 * 1024**3, 1024**3,
        "PostgreSQL main on hub retains 16GiB of WAL for slot etl", {**MAIN, "slot": "etl"}, SERVER + ',slot="etl"',
    ),
    Case(
        alert="PostgresDeadlocks",
        when="one came",
        series={DEADLOCKS: "2x20 3x60"},
        fires=[fired(f"1 deadlocks in {IT} in 15 minutes", **SHOP)],
    ),
    Case(alert="PostgresDeadlocks", when="all are old", series={DEADLOCKS: "3x60"}),
    Case(
        alert="SqlQueryFails",
        when="it has failed since it was first asked",
        series={FAILED_QUERIES: "_x20 1+1x100"},
        step="1m",
        at="55m",
        fires=[fired("Query chunks of server main on hub failed 15 times in 15 minutes", **MAIN, **QUERY)],
    ),
    Case(
        alert="SqlQueryFails",
        when="it failed once and ten minutes later it did not",
        series={FAILED_QUERIES: "_x20 1+1x9 10x100"},
        step="1m",
        at="51m",
    ),
    Case(
        alert="SqlQueryFails",
        when="it failed in the past",
        series={FAILED_QUERIES: "25x200"},
        step="1m",
        at="2h",
    ),
    Case(
        alert="SqlQueryFails",
        when="nobody can log in, which PostgresDown tells",
        series={f'fleetwatch_sql_errors_total{{job="sql",{WHERE}}}': "_x20 1+1x100"},
        step="1m",
        at="55m",
    ),
    Case(
        alert="TimescaleJobFailed",
        when="the last run failed",
        series=_sql("timescale_job_failed", 1, JOB),
        fires=[fired(f"{JOB_1003} failed", **COMPRESSION)],
    ),
    Case(
        alert="TimescaleJobFailed",
        when="the last run of one without a hypertable failed",
        series=_sql("timescale_job_failed", 1, OWN),
        fires=[fired(f"Job 1004 (tidy) in {IT} failed", **SHOP, job_id="1004", proc="tidy")],
    ),
    Case(alert="TimescaleJobFailed", when="it succeeded", series=_sql("timescale_job_failed", 0, JOB)),
    *_pair(
        "TimescaleJobLate", "timescale_job_late_seconds", 7200, 3000,
        f"{JOB_1003} is 2h 0m 0s late",
        COMPRESSION, JOB,
    ),
    *_pair(
        "TimescaleUncompressed", "timescale_chunks_uncompressed", 4, 3,
        f"4 chunks of public.readings in {IT} are overdue for compression",
        {**SHOP, "hypertable": "public.readings"}, IN_SHOP + ',hypertable="public.readings"',
    ),
    *_pair(
        "TimescaleAggregateLag", "timescale_continuous_aggregate_lag_seconds", 4 * 86400, 2 * 86400,
        f"Continuous aggregate public.hourly in {IT} is 4d 0h 0m 0s behind",
        {**SHOP, "view": "public.hourly"}, IN_SHOP + ',view="public.hourly"',
    ),
]  # fmt: skip


def _settings(**alerts: Any) -> Settings:
    return settings_of({"hub": {"postgres": {"main": {"dsn": DSN}}, "alerts": alerts}})


def test_database_alerts_fire_or_stay_silent(tool: Any, tmp_path: Path) -> None:
    settings = _settings()
    check(tool, tmp_path, settings, groups_of(settings, "postgres", "timescale"), CASES)


def test_thresholds_per_host(tool: Any, tmp_path: Path) -> None:
    settings = _settings(thresholds={"postgres_connections": 0.5, "postgres_retained_wal": "500MB"})
    (slot,) = [c for c in CASES if c.alert == "PostgresReplicationSlot" and not c.fires]
    told = "PostgreSQL main on hub retains 1GiB of WAL for slot etl"
    cases = [
        Case(
            alert="PostgresConnections",
            when="above its own",
            series=_sql("pg_connections_ratio", 0.8, SERVER),
            fires=[fired("PostgreSQL main on hub uses 80% of its connections", **MAIN)],
        ),
        Case(
            alert=slot.alert, when="above its own", series=slot.series, at="1h", fires=[fired(told, **MAIN, slot="etl")]
        ),
    ]
    check(tool, tmp_path, settings, groups_of(settings, "postgres"), cases)


def test_no_database_rules_without_a_database() -> None:
    assert not [group.rules for group in groups_of(settings_of(), "postgres", "timescale") if group.rules]


def test_every_alert_has_a_firing_and_a_silent_case() -> None:
    alerts = {rule.name for group in groups_of(_settings(), "postgres", "timescale") for rule in group.rules}
    assert {case.alert for case in CASES if case.fires} == alerts
    assert {case.alert for case in CASES if not case.fires} == alerts
