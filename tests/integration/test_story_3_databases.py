"""The story, third part, databases: what the queries say arrives under the right names, labels and values.

TimescaleDB is a stand-in here (tests/fixtures/timescale_standin.sql): views and functions, as recorded from the real
one.
"""

from __future__ import annotations

import subprocess
import time

import pytest

from tests.fixtures import timescale
from tests.fixtures.sql_metrics import LABELS
from tests.integration import databases
from tests.integration.rig import docker, eventually
from tests.integration.story import Story

pytestmark = pytest.mark.xdist_group("story")

ALWAYS = {"__name__", "env", "host", "job", "instance", "database"}
# On a primary, on a standby: the rest is of every server.
ELSEWHERE = {"fleetwatch_pg_replication_lag_seconds": "standby", "fleetwatch_pg_standby_lag_bytes": "main"}


def _values(story: Story, metric: str, label: str, database: str = "main") -> dict[str, float]:
    """Value by one label, through Grafana's data source."""
    found = story.metrics(f'{metric}{{job="sql",env="test",host="hub",database="{database}"}}')
    return {one["metric"].get(label, ""): float(one["value"][1]) for one in found}


@pytest.fixture(scope="module", autouse=True)
def answered(story: Story) -> None:
    """Both databases have been asked."""
    query = 'sum(fleetwatch_sql_up{job="sql",host="hub",database=~"main|standby"}) == 2'
    eventually("answers of both databases", lambda: story.metrics(query), 90)


def test_the_stand_in_has_the_columns_and_types_of_the_real_one(story: Story) -> None:
    found = timescale.shape(databases.psql(story, timescale.SHAPE))
    assert found == timescale.RECORDED["shape"], f"not what TimescaleDB {timescale.RECORDED['version']} has"


@pytest.mark.parametrize("metric", LABELS)
def test_a_metric_arrives_under_its_labels(story: Story, metric: str) -> None:
    database = ELSEWHERE.get(metric, "main")
    wanted = f'{metric}{{env="test",host="hub",job="sql",database="{database}"}}'
    found = eventually(metric, lambda: story.metrics(wanted), 30)
    for one in found:
        assert set(one["metric"]) <= ALWAYS | LABELS[metric], "a label that nobody asked for"
    assert set().union(*(one["metric"] for one in found)) == ALWAYS | LABELS[metric]


def test_sizes_chunks_and_compression_of_each_hypertable(story: Story) -> None:
    def of(what: str) -> dict[str, float]:
        return _values(story, f"fleetwatch_timescale_{what}", "hypertable")

    assert of("hypertable_bytes") == {
        "public.metrics": 123456789, "app.counts": 1234, "public.metrics_hourly": 1234, "public.metrics_never": 1234
    }  # fmt: skip
    assert of("hypertable_chunks") == {
        "public.metrics": 4, "app.counts": 1, "public.metrics_hourly": 1, "public.metrics_never": 0
    }  # fmt: skip
    assert of("chunks_uncompressed") == {"public.metrics": 2}, "older than the policy's 7 days; without a policy none"
    assert of("before_compression_bytes") == {"public.metrics": 1000}
    assert of("after_compression_bytes") == {"public.metrics": 100}


def test_jobs_that_failed_and_jobs_that_are_late(story: Story) -> None:
    def of(what: str) -> dict[str, float]:
        return _values(story, f"fleetwatch_timescale_job_{what}", "job_id")

    assert of("failed") == {"1000": 0, "1001": 1}, "1002 never ran; 1 is TimescaleDB's own"
    assert of("late_seconds") == {"1000": 0, "1001": pytest.approx(3600, abs=1), "1002": 0}
    assert of("runs_total") == {"1000": 12, "1001": 5}
    assert of("failures_total") == {"1000": 2, "1001": 5}
    assert of("last_success_timestamp_seconds") == {"1000": 1767323045}, "1001 never succeeded"
    assert of("last_duration_seconds") == {"1000": 90, "1001": 1}
    named = _values(story, "fleetwatch_timescale_job_late_seconds", "hypertable")
    assert set(named) == {"public.metrics", "public.metrics_hourly", ""}, "tidy_up is of no hypertable"


def test_the_lag_of_a_continuous_aggregate(story: Story) -> None:
    lag = _values(story, "fleetwatch_timescale_continuous_aggregate_lag_seconds", "view")
    assert lag == {"public.metrics_hourly": pytest.approx(7200, abs=1)}, "one that was never refreshed has none"


def test_tables_transactions_and_replication(story: Story) -> None:
    assert _values(story, "fleetwatch_pg_dead_rows_ratio", "table")["orders"] == 0.25
    assert _values(story, "fleetwatch_pg_table_bytes", "table")["orders"] >= 8192
    assert set(_values(story, "fleetwatch_pg_replication_slot_retained_bytes", "slot")) == {"kept"}
    assert 0 < _values(story, "fleetwatch_pg_connections_ratio", "database")["main"] < 0.5
    assert 0 < _values(story, "fleetwatch_pg_wraparound_ratio", "datname")["shop"] < 0.01
    assert list(_values(story, "fleetwatch_pg_standby_lag_bytes", "application_name")) == ["walreceiver"]
    assert _values(story, "fleetwatch_pg_replication_lag_seconds", "database") == {}, "a primary has no lag"


def test_an_open_transaction_ages(story: Story) -> None:
    words = ["docker", "exec", "-i", story.rig.container("db"), "psql", "-q", "-U", "postgres", "-d", "shop"]
    began = time.time()
    with subprocess.Popen(words, stdin=subprocess.PIPE, text=True) as session:
        assert session.stdin
        session.stdin.write("BEGIN; SELECT 1 \\g /dev/null\n")
        session.stdin.flush()

        def age() -> bool:
            seconds = _values(story, "fleetwatch_pg_oldest_transaction_seconds", "datname")["shop"]
            return 5 < seconds <= time.time() - began + 1

        try:
            eventually("an oldest transaction of more than 5 s", age, 40)
        finally:
            session.stdin.close()


def test_a_plain_postgresql_gives_its_own_metrics_no_error_and_nothing_of_timescaledb(story: Story) -> None:
    assert _values(story, "fleetwatch_pg_wraparound_ratio", "datname", "standby"), "the plain one was not asked"
    assert story.metrics('{__name__=~"fleetwatch_timescale_.+",database="standby"}') == []
    # On a busy machine its first scrape may come before its container is on the user's network.
    assert story.metrics("increase(fleetwatch_sql_errors_total[1m]) > 0") == []
    done = subprocess.run(
        ["docker", "logs", story.rig.container("sql-exporter")], capture_output=True, text=True, check=True
    )
    assert "level=WARN" in done.stderr, "its log was not read"
    errors = [line for line in done.stderr.splitlines() if "level=ERROR" in line]
    assert not [line for line in errors if "could not translate host name" not in line], done.stderr


def test_the_exporters_own_up_does_not_pass_for_prometheus(story: Story) -> None:
    found = story.metrics('up{job="sql"}')
    assert [set(one["metric"]) for one in found] == [{"__name__", "env", "host", "job", "instance"}]


def test_every_container_says_that_it_is_healthy(story: Story) -> None:
    """Each image's own check works; the databases are there, so every kind of service of an edge runs but Alloy."""

    def unhealthy() -> dict[str, str]:
        found = {name: docker("inspect", "-f", "{{.State.Health.Status}}", name).strip() for name in names}
        return {name: state for name, state in found.items() if state != "healthy"}

    names = story.our_containers()
    assert len(names) >= 12, names
    eventually("every container to be healthy", lambda: not unhealthy(), 90)
