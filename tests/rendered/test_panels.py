"""The panels' PromQL in promtool: every expression parses, and declared empty queries return data with their series."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from configs.dashboards import boards
from configs.dashboards.containers import NO_NETWORK
from configs.dashboards.hosts import NO_PRESSURE
from configs.dashboards.model import MOST_SERIES, Graph, largest
from tests.fixtures import assistant, exporters
from tests.fixtures.declared_empty import PANELS, SHOWN_BY
from tests.fixtures.full import full
from tests.unit.test_dashboards import expressions, expressions_as_rules
from tools.doctor import queries, short_lived

HERE = 'env="full",host="hub"'
SQL = f'job="sql",{HERE},database="main",datname="shop"'
JOB = f'{SQL},job_id="1000",proc="policy_compression",hypertable="public.readings"'
TABLE = f'{SQL},hypertable="public.readings"'
# One series of every metric that a healthy stack may lack, as its exporter exposes it.
SERIES = {
    f'ALERTS{{alertname="DiskUsed",alertstate="firing",severity="warning",{HERE}}}': "1x40",
    f'node_filesystem_files{{job="node",{HERE},mountpoint="/",fstype="ext4"}}': "100x40",
    f'node_filesystem_files_free{{job="node",{HERE},mountpoint="/",fstype="ext4"}}': "40x40",
    **assistant.series(HERE),
    f'pg_up{{job="postgres",{HERE},database="main"}}': "1x40",
    f'fleetwatch_sql_errors_total{{{SQL},query="pg_locks"}}': "0+1x40",
    f'fleetwatch_pg_replication_lag_seconds{{job="sql",{HERE},database="main"}}': "3x40",
    f'fleetwatch_pg_standby_lag_bytes{{job="sql",{HERE},database="main",application_name="two"}}': "9x40",
    f'fleetwatch_pg_replication_slot_retained_bytes{{job="sql",{HERE},database="main",slot="two"}}': "9x40",
    f'fleetwatch_pg_table_bytes{{{SQL},schema="public",table="orders"}}': "8192x40",
    f'fleetwatch_pg_dead_rows_ratio{{{SQL},schema="public",table="orders"}}': "0.1x40",
    f'fleetwatch_timescale_info{{{SQL},version="2.17.2"}}': "1x40",
    f'fleetwatch_timescale_continuous_aggregate_lag_seconds{{{SQL},view="public.hourly"}}': "60x40",
    **{
        f'memcached_commands_total{{job="memcached",{HERE},server="sessions",command="get",status="{one}"}}': "0+5x40"
        for one in ("hit", "miss")
    },
    f'probe_http_status_code{{job="probe",{HERE},probe="site"}}': "200x40",
    f'probe_ssl_earliest_cert_expiry{{job="probe",{HERE},probe="site"}}': "99999x40",
    **exporters.series("full", "hub"),
    **{
        f"fleetwatch_timescale_{name}{{{TABLE}}}": "7x40"
        for name in (
            "hypertable_bytes", "hypertable_chunks", "chunks_uncompressed", "before_compression_bytes",
            "after_compression_bytes",
        )
    },
    **{
        f"fleetwatch_timescale_{name}{{{JOB}}}": "1x40"
        for name in (
            "job_last_success_timestamp_seconds", "job_failures_total", "job_runs_total", "job_failed",
            "job_late_seconds", "job_last_duration_seconds",
        )
    },
    **{
        f'{counter}{{job="{job}",{HERE},{status}="{code}"}}': f"0+{step}x40"
        for counter, job, status in (("http_requests_total", "shop", "status"), ("slow_answers_total", "slow", "code"))
        for code, step in (("200", 9), ("503", 1))
    },
    **{
        f'{histogram}_bucket{{job="{job}",{HERE},le="{le}"}}': f"0+{step}x40"
        for histogram, job in (("http_request_duration_seconds", "shop"), ("slow_answer_seconds", "slow"))
        for le, step in (("0.1", 5), ("1", 9), ("+Inf", 10))
    },
}  # fmt: skip


def _declared_here() -> list[str]:
    """The expressions that the test below is listed for, as written in the dashboards."""
    return [one.expr for one in queries.panel_queries(boards(full())) if one.place in SHOWN_BY[PANELS]]


def _filled(expr: str) -> str:
    values = {"__rate_interval": "60s", "__interval": "15s", "__range": "600s"}
    return re.sub(r"\$([A-Za-z_]\w*)", lambda match: values.get(match[1], ".+"), expr)


def test_every_expression_parses(tool: Any, tmp_path: Path) -> None:
    path = tmp_path / "panels.yml"
    path.write_text(expressions_as_rules())
    done = tool("promtool")("check", "rules", path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(expressions('prometheus'))} rules found" in done.stdout


def _unit_test(asked: list[str], series: dict[str, str]) -> str:
    one = [{"labels": "{}", "value": 1}]
    tests = [
        {"expr": f"count({_filled(expr)}) > bool 0", "eval_time": "8m", "exp_samples": one} for expr in sorted(asked)
    ]
    known = [{"series": key, "values": values} for key, values in series.items()]
    return yaml.safe_dump(
        {"tests": [{"interval": "15s", "input_series": known, "promql_expr_test": tests}]}, width=1000
    )


def test_declared_empty_queries_return_data_with_their_series(tool: Any, tmp_path: Path) -> None:
    """Each query has a result with the series above, and none without them."""
    asked = _declared_here()
    assert len(asked) > 20
    path = tmp_path / "test.yml"
    path.write_text(_unit_test(asked, SERIES))
    done = tool("promtool")("test", "rules", path)
    assert done.returncode == 0, done.stdout + done.stderr
    path.write_text(_unit_test(asked, {}))
    done = tool("promtool")("test", "rules", path)
    assert done.returncode != 0
    # `or vector(0)` always has a result; the declaration is about the metric in front of it.
    alone = [expr for expr in asked if "or vector(0)" not in expr]
    assert (done.stdout + done.stderr).count("got:") >= len(alone), "a query that is never empty must not be declared"


def test_a_host_is_excused_only_if_it_reports_that_it_lacks_pressure_information(tool: Any, tmp_path: Path) -> None:
    """Several hosts only if all of them do, and none that reports nothing."""

    def collected(host: str, value: int) -> dict[str, str]:
        labels = f'job="node",env="full",host="{host}",collector="pressure"'
        return {f"node_scrape_collector_success{{{labels}}}": f"{value}x40"}

    path = tmp_path / "lacking.yml"
    one = [{"labels": "{}", "value": 0}]
    for series, excused in (
        ({}, False),
        (collected("old", 0), True),
        (collected("old", 0) | collected("older", 0), True),
        (collected("old", 0) | collected("new", 1), False),
        (collected("new", 1), False),
    ):
        test = {"expr": _filled(NO_PRESSURE.hosts), "eval_time": "8m", "exp_samples": one if excused else []}
        known = [{"series": key, "values": values} for key, values in series.items()]
        path.write_text(
            yaml.safe_dump({"tests": [{"interval": "15s", "input_series": known, "promql_expr_test": [test]}]})
        )
        done = tool("promtool")("test", "rules", path)
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_container_is_short_lived_as_long_as_it_ran_for_less_than_a_minute(tool: Any, tmp_path: Path) -> None:
    path = tmp_path / "short.yml"
    for seen, started, excused in (
        ("30 45 _x38", "10 10 _x38", True),
        ("30 45 60 75 90 _x35", "10x4 _x35", False),
        ("_x38 570 585", "_x38 560x1", True),
        ("_x40", "_x40", False),
    ):
        labels = 'job="cadvisor",host="hub",container="job.1"'
        known = [
            {"series": f"container_last_seen{{{labels}}}", "values": seen},
            {"series": f"container_start_time_seconds{{{labels}}}", "values": started},
        ]
        expr = f"count({short_lived.query('hub', 'job.1')})"
        test = {"expr": expr, "eval_time": "10m", "exp_samples": [{"labels": "{}", "value": 1}] if excused else []}
        path.write_text(
            yaml.safe_dump({"tests": [{"interval": "15s", "input_series": known, "promql_expr_test": [test]}]})
        )
        done = tool("promtool")("test", "rules", path)
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_limited_graph_keeps_the_series_with_the_highest_peaks(tool: Any, tmp_path: Path) -> None:
    """The same ones at every point, also where another one is higher."""
    path = tmp_path / "largest.yml"
    peaks = {f'held{{name="{name}"}}': values for name, values in (("flat", "5x40"), ("early", "9 9 0x38"))}
    text = _filled(largest("sum by (name) (held)").replace(f"topk({MOST_SERIES},", "topk(1,"))
    tests = [
        {"expr": text, "eval_time": "9m", "exp_samples": [{"labels": '{name="early"}', "value": 0}]},
        {"expr": f"count({_filled(largest('sum by (name) (held)'))})", "eval_time": "9m",
         "exp_samples": [{"labels": "{}", "value": 2}]},
    ]  # fmt: skip
    known = [{"series": key, "values": values} for key, values in peaks.items()]
    path.write_text(yaml.safe_dump({"tests": [{"interval": "15s", "input_series": known, "promql_expr_test": tests}]}))
    done = tool("promtool")("test", "rules", path)
    assert done.returncode == 0, done.stdout + done.stderr


def _panel_exprs(board: str, title: str) -> list[str]:
    (found,) = [one for one in boards(full()) if one.name == board]
    (panel,) = [panel for row in found.rows for panel in row.panels if panel.title == title]
    assert isinstance(panel, Graph)
    return [query.expr for query in panel.queries]


def test_capacity_panels_show_seconds_until_full(tool: Any, tmp_path: Path) -> None:
    """Two hours of a disk of which 10 bytes a second are used up, and of an agent that writes 100 a second."""
    node = f'job="node",{HERE},mountpoint="/",fstype="ext4"'
    series = {
        f"node_filesystem_avail_bytes{{{node}}}": "1000000-150x480",
        f"node_filesystem_size_bytes{{{node}}}": "2000000x480",
        f'prometheus_tsdb_retention_limit_seconds{{job="prometheus",{HERE}}}': "86400x480",
        f'prometheus_tsdb_lowest_timestamp_seconds{{job="prometheus",{HERE}}}': "3600x480",
        f"host:agent_written:bytes_per_second{{{HERE}}}": "100x480",
        f"host:agent_buffer:bytes{{{HERE}}}": "402653184x480",
    }
    used, *_ = _panel_exprs("hub", "Hub disk usage")
    full_in, grow = _panel_exprs("hub", "Time until hub disk is full")
    keep, budget = _panel_exprs("hub", "Agent buffer headroom")
    hub = '{env="full", host="hub"}'
    expected = [
        (f"round({used}, 0.001)", '{mountpoint="/"}', 0.536),
        (f"round({full_in})", '{mountpoint="/"}', 92800),
        (grow, "{}", 86400 - 3600),
        (f"round({keep})", hub, 9280),  # 928000 bytes are free; three segments would last longer
        (budget, "{}", 36 * 3600),
    ]
    tests = [
        {"expr": _filled(expr), "eval_time": "2h", "exp_samples": [{"labels": labels, "value": value}]}
        for expr, labels, value in expected
    ]
    known = [{"series": key, "values": values} for key, values in series.items()]
    path = tmp_path / "capacity.yml"
    path.write_text(
        yaml.safe_dump({"tests": [{"interval": "15s", "input_series": known, "promql_expr_test": tests}]}, width=1000)
    )
    done = tool("promtool")("test", "rules", path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_container_without_counters_of_traffic_is_excused_where_others_have_some(tool: Any, tmp_path: Path) -> None:
    path = tmp_path / "network.yml"
    labels = 'job="cadvisor",env="full",host="hub",compose_project="shop",container='
    seen = {f'container_last_seen{{{labels}"{name}"}}': "1x40" for name in ("alone", "web")}
    web = {f'container_network_receive_bytes_total{{{labels}"web"}}': "1x40"}
    alone = NO_NETWORK.hosts.replace('container=~"$container"', 'container=~"alone"')
    for known, expr, excused in (
        (seen | web, alone, True),
        (seen, alone, False),
        (seen | web, NO_NETWORK.hosts, False),
        (seen, NO_NETWORK.hosts, False),
    ):
        samples = [{"labels": "{}", "value": 1}] if excused else []
        test = {"expr": _filled(expr), "eval_time": "8m", "exp_samples": samples}
        series = [{"series": key, "values": values} for key, values in known.items()]
        path.write_text(
            yaml.safe_dump({"tests": [{"interval": "15s", "input_series": series, "promql_expr_test": [test]}]})
        )
        done = tool("promtool")("test", "rules", path)
        assert done.returncode == 0, done.stdout + done.stderr
