"""The alerts of hosts, pipeline and hub in promtool: when each fires, with which summary, and when it is silent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from configs.rules.model import Alert
from configs.rules.recording import REACH
from tests.fixtures import fleets, full
from tests.fixtures.programs import Tool
from tests.rendered import (
    cases_ask,
    cases_backup,
    cases_bucket,
    cases_cluster,
    cases_hosts,
    cases_hub,
    cases_pipeline,
    cases_reload,
    cases_sources,
)
from tests.rendered.rules_rig import Case, ask, check, fired, groups_of, run, settings_of

SUBJECTS = {
    "hosts": cases_hosts.CASES,
    "pipeline": (*cases_pipeline.CASES, *cases_reload.CASES),
    "sources": cases_sources.CASES,
    "hub": cases_hub.CASES,
    "backup": cases_backup.CASES,
    "ask": cases_ask.CASES,
}
IN_BUCKET = settings_of(storage=full.STORAGE)
SETTINGS = settings_of(
    {"hub": {"apps": {"shop": {"target": "shop:8000", "honor_timestamps": True}}}},
    backup=cases_backup.BACKUP,
    ask={"model": cases_ask.MODEL, "embeddings": cases_ask.EMBEDDINGS},
)
TWO = {"hub": {}, "web-1": {"local": {"docker": "unix:///run/web-1/docker.sock"}, "via": "vpc"}}


def test_alerts_about_a_bucket_fire_or_stay_silent(tool: Tool, tmp_path: Path) -> None:
    check(tool, tmp_path, IN_BUCKET, groups_of(IN_BUCKET, "bucket"), cases_bucket.CASES)
    check(tool, tmp_path, IN_BUCKET, groups_of(IN_BUCKET, "hub"), cases_bucket.UNDELIVERED)


def test_alerts_about_nodes_fire_or_stay_silent(tool: Tool, tmp_path: Path) -> None:
    nodes = fleets.cluster()
    cases = [*cases_cluster.CASES, *cases_cluster.DATABASE, *cases_cluster.ALONE, *cases_cluster.NO_LOGS]
    cases += cases_cluster.COPIES
    check(tool, tmp_path, nodes, groups_of(nodes, "cluster"), cases)
    check(tool, tmp_path, nodes, groups_of(nodes, "hub"), [*cases_cluster.UNDELIVERED, *cases_cluster.UNREACHED])
    check(tool, tmp_path, nodes, groups_of(nodes, "pipeline"), cases_cluster.SILENT)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_alerts_fire_with_expected_summary_or_stay_silent(subject: str, tool: Tool, tmp_path: Path) -> None:
    groups = groups_of(SETTINGS, subject, *(["agents"] if subject == "pipeline" else []))
    check(tool, tmp_path, SETTINGS, groups, SUBJECTS[subject])


def test_alerts_about_vmagent_use_its_own_metrics(tool: Tool, tmp_path: Path) -> None:
    settings = settings_of({"hub": {"metrics": {"agent": "vmagent"}}})
    check(tool, tmp_path, settings, groups_of(settings, "pipeline", "agents"), cases_pipeline.VMAGENT_CASES)
    check(tool, tmp_path, settings, groups_of(settings, "hosts"), cases_hosts.VMAGENT_CASES)


def test_a_fleet_with_both_agents_has_each_expression_in_both_variants(tool: Tool, tmp_path: Path) -> None:
    settings = settings_of({**TWO, "web-1": {**TWO["web-1"], "metrics": {"agent": "vmagent"}}})
    cases = [case for case in cases_pipeline.CASES if case.alert in ("SamplesDropped", "AgentBufferFilling")]
    web = [
        replace(
            case,
            when=f"{case.when}, web-1",
            series={name.replace('host="hub"', 'host="web-1"'): values for name, values in case.series.items()},
            fires=[fired(one.summary.replace("hub", "web-1", 1), host="web-1") for one in case.fires],
        )
        for case in cases_pipeline.VMAGENT_CASES
        if case.when != "when the hub refused blocks of vmagent"
    ]
    check(tool, tmp_path, settings, groups_of(settings, "pipeline", "agents"), [*cases, *web])


def test_hub_without_ingestion_is_distinguished_from_a_silent_host(tool: Tool, tmp_path: Path) -> None:
    settings = settings_of(TWO)
    check(tool, tmp_path, settings, groups_of(settings, "hub"), cases_hub.CASES_OF_SEVERAL)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_alert_has_a_firing_and_a_silent_case(subject: str) -> None:
    (group,) = groups_of(SETTINGS, subject)
    alerts = {rule.name for rule in group.rules if isinstance(rule, Alert)}
    cases = SUBJECTS[subject]
    assert {case.alert for case in cases if case.fires} == alerts
    assert {case.alert for case in cases if not case.fires} == alerts - {"Watchdog"}


def test_wrong_cases_fail(tool: Tool, tmp_path: Path) -> None:
    """Without this, a rig that compares nothing would pass every test above."""
    disk = {cases_hosts.AVAILABLE: "5x60", cases_hosts.SIZE: "100x60"}
    wrong = [
        Case(alert="DiskUsed", when="though it must not", series=disk),
        Case(
            alert="DiskUsed",
            when="in other words",
            series=disk,
            fires=[fired("File system / on hub is 94% full", **cases_hosts.DISK_LABELS)],
        ),
        Case(alert="DiskUsed", when="never", series={}, fires=[fired("File system / on hub is 95% full")]),
    ]
    settings = settings_of()
    said = run(tool, tmp_path, settings, groups_of(settings, "hosts"), wrong)
    assert len(said) == len(wrong), f"these came out as they should not: {list(said)}"


def test_long_scrape_intervals_are_neither_gaps_nor_lag(tool: Tool, tmp_path: Path) -> None:
    settings = settings_of({"hub": {"scrape": {"agents": "2m"}}})
    rarely = "1 " + "_ _ _ _ _ _ _ 1 " * 60
    cases = [
        Case(alert="SamplesLost", when="in a pause", series={cases_pipeline.AGENT: rarely}, at="50m"),
        Case(alert="RemoteWriteBehind", when="in a pause", series={cases_pipeline.AGENT: rarely}, at="50m"),
    ]
    check(tool, tmp_path, settings, groups_of(settings, "records", "pipeline"), cases)


def test_silent_host_is_detected_from_raw_samples(tool: Tool, tmp_path: Path) -> None:
    """As the cases of HostSilent, but with the recording rule itself."""
    settings = settings_of()
    stopped = {cases_pipeline.AGENT: "1x40"}
    fires = [fired("Host hub sends no data")]
    cases = [
        Case(alert="HostSilent", when="yet", series=stopped, at="15m"),
        Case(alert="HostSilent", when="when it stopped", series=stopped, at="18m", fires=fires),
        Case(alert="HostSilent", when="hours later", series=stopped, at="2h", fires=fires, step="1m"),
    ]
    check(tool, tmp_path, settings, groups_of(settings, "records", "pipeline"), cases)


def test_host_silent_threshold_per_host(tool: Tool, tmp_path: Path) -> None:
    """One that is asked every two minutes is not silent between; one with a threshold of its own is told sooner."""
    stopped = {cases_pipeline.AGENT: "1x40"}
    soon = settings_of({"hub": {"alerts": {"thresholds": {"host_silent": "1m"}}}})
    rarely = settings_of({"hub": {"scrape": {"agents": "2m"}, "alerts": {"thresholds": {"host_silent": "1m"}}}})
    fires = [fired("Host hub sends no data")]
    for settings, at, told in (
        (soon, "12m30s", []),
        (soon, "13m30s", fires),
        (rarely, "17m", []),
        (rarely, "19m", fires),
    ):
        cases = [Case(alert="HostSilent", when=f"at {at}", series=stopped, at=at, fires=told)]
        check(tool, tmp_path, settings, groups_of(settings, "records", "pipeline"), cases)


def test_a_new_host_may_boot_before_it_counts_as_silent(tool: Tool, tmp_path: Path) -> None:
    """With the series of the stack file's hosts themselves, which begin when the host is added."""
    fires = [fired("Host hub sends no data")]
    shorter = {"hub": {"alerts": {"thresholds": {"host_first_sample": "5m"}}}}
    for hosts, at, told in ((None, "21m", []), (None, "23m", fires), (shorter, "6m", []), (shorter, "8m", fires)):
        settings = settings_of(hosts)
        cases = [Case(alert="HostSilent", when=f"at {at}", series={}, at=at, fires=told)]
        check(tool, tmp_path, settings, groups_of(settings, "records", "fleet", "pipeline"), cases)


STORED = {
    "lowest_timestamp_seconds": "0x60",
    "retention_limit_bytes": "10000000000x60",
    "storage_blocks_bytes": "1000000000x24 2000000000x30",
    "size_retentions_total": "0x60",
}
PACES = {
    "25 h are there, and eight more GB fill in as many days": ({}, 25 * 3600 + 8 * 86400),
    "the limit cuts already": (
        {"storage_blocks_bytes": "9990000000x60", "size_retentions_total": "0x20 3x30"},
        25 * 3600,
    ),
}


@pytest.mark.parametrize("pace", PACES)
def test_retention_forecast(pace: str, tool: Tool, tmp_path: Path) -> None:
    settings = settings_of()
    changed, reaches = PACES[pace]
    labels = '{job="prometheus",env="test",host="hub"}'
    series = {f"prometheus_tsdb_{name}{labels}": values for name, values in {**STORED, **changed}.items()}
    case = Case(alert=REACH, when=pace, series=series, step="1h", at="25h")
    found = {f'{REACH}{{env="test", host="hub"}}': float(reaches)}
    ask(tool, tmp_path, settings, groups_of(settings, "records"), case, found)
