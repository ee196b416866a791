"""Panels turn red at the alert thresholds of the fleet."""

from __future__ import annotations

import json
from typing import Any

import pytest

from configs.dashboards import render
from configs.settings import Settings, load
from tests.fixtures.full import small

DSN = {"dsn": "postgresql://watch:secret@db/shop"}  # pragma: allowlist secret
HOST = {"postgres": {"main": DSN}, "apps": {"shop": {"target": "shop:8000", "http": {}}}}
# Dashboard, panel, column of a table; the threshold; its value in the stack file, and the value of the red step.
RED = [
    ("fleet", "Host overview", "Memory", "memory_used", 0.7, 0.7),
    ("fleet", "Host overview", "Disk", "disk_used", 0.6, 0.6),
    ("fleet", "Host overview", "Last sample", "host_silent", "9m", 540),
    ("hosts", "Host overview", "Memory", "memory_used", 0.7, 0.7),
    ("hosts", "Host overview", "Disk", "disk_used", 0.6, 0.6),
    ("hosts", "Host overview", "Load per core", "load_per_core", 5, 5),
    ("hosts", "Host overview", "Clock offset", "clock_skew", 4, 4),
    ("hosts", "Host overview", "Last sample", "host_silent", "9m", 540),
    ("hub", "Ingestion by host", "Last sample", "host_silent", "9m", 540),
    ("hub", "Ingestion by host", "Remote write lag", "remote_write_behind", "7m", 420),
    ("containers", "Container overview", "Of limit", "container_memory", 0.55, 0.55),
    ("http", "Error ratio", "", "http_errors", 0.2, 0.2),
    ("http", "Max p95 latency", "", "http_latency", 3, 3),
    ("http", "Service overview", "Error ratio", "http_errors", 0.2, 0.2),
    ("postgres", "Server overview", "Connection usage", "postgres_connections", 0.65, 0.65),
    ("postgres", "Server overview", "Oldest transaction", "postgres_transaction", "2h", 7200),
    ("postgres", "Server overview", "Transaction IDs", "postgres_wraparound", 0.3, 0.3),
    ("timescale", "Overdue chunks", "", "timescale_uncompressed", 12, 12),
    ("timescale", "Hypertable overview", "Overdue chunks", "timescale_uncompressed", 12, 12),
    ("timescale", "Job overview", "Delay", "timescale_job_late", "5h", 18000),
]


def _settings(**thresholds: Any) -> Settings:
    raw = small(hosts={"hub": HOST})
    raw["hub"] = {**raw["hub"], "alerts": {**raw["hub"].get("alerts", {}), "thresholds": thresholds}}
    return load(raw, "stacks/Pulumi.test.yaml")


def _steps(settings: Settings, board: str, title: str, column: str) -> list[dict[str, Any]]:
    panels = json.loads(render(settings)[f"fleetwatch-{board}.json"])["panels"]
    (panel,) = [one for one in panels if one["title"] == title and one["type"] in {"stat", "table"}]
    config = panel["fieldConfig"]
    if not column:
        found: list[dict[str, Any]] = config["defaults"]["thresholds"]["steps"]
        return found
    mine = [one["properties"] for one in config["overrides"] if one["matcher"]["options"] == column]
    (found,) = [item["value"]["steps"] for items in mine for item in items if item["id"] == "thresholds"]
    return found


@pytest.mark.parametrize(("board", "title", "column", "name", "value", "red"), RED)
def test_red_starts_at_the_fleet_threshold(
    board: str, title: str, column: str, name: str, value: Any, red: float
) -> None:
    steps = _steps(_settings(**{name: value}), board, title, column)
    assert [step["color"] for step in steps] == ["green", "yellow", "red"]
    assert steps[2]["value"] == red
    assert steps[1]["value"] < red, "yellow comes before red"
    assert _steps(_settings(), board, title, column)[2]["value"] != red, "the default differs"


@pytest.mark.parametrize("board", ["fleet", "hosts"])
def test_time_to_full_is_red_below_the_alert_threshold(board: str) -> None:
    steps = _steps(_settings(disk_full_in="2d"), board, "Host overview", "Time to full")
    assert [(step["value"], step["color"]) for step in steps] == [
        (None, "red"), (172800, "yellow"), (7 * 172800, "green"),
    ]  # fmt: skip


def test_hub_disk_panel_shows_the_alert_threshold() -> None:
    text = render(_settings(hub_disk_used=0.77))["fleetwatch-hub.json"]
    assert "vector(0.77)" in text
