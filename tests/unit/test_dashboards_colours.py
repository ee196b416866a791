"""Red on a page is what an alert fires at: the fleet's thresholds, where the stack file has one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from configs.dashboards import render
from configs.settings import Settings, load
from tests.fixtures.full import small

DSN = {"dsn": "postgresql://watch:secret@db/shop"}  # pragma: allowlist secret
HOST = {"postgres": {"main": DSN}, "apps": {"shop": {"target": "shop:8000", "http": {}}}}
# Board, panel, column if it is a table; the threshold; what the stack file says, and what is red then.
RED = [
    ("fleet", "Each host", "Memory used", "memory_used", 0.7, 0.7),
    ("fleet", "Each host", "Fullest disk", "disk_used", 0.6, 0.6),
    ("fleet", "Each host", "Last sample", "host_silent", "9m", 540),
    ("hosts", "Each host", "Memory used", "memory_used", 0.7, 0.7),
    ("hosts", "Each host", "Fullest disk", "disk_used", 0.6, 0.6),
    ("hosts", "Each host", "Load per core", "load_per_core", 5, 5),
    ("hosts", "Each host", "Clock off", "clock_skew", 4, 4),
    ("hosts", "Each host", "Last sample", "host_silent", "9m", 540),
    ("hub", "Each host", "Last sample", "host_silent", "9m", 540),
    ("hub", "Each host", "Behind", "remote_write_behind", "7m", 420),
    ("containers", "Each container", "Of its limit", "container_memory", 0.55, 0.55),
    ("http", "Errors", "", "http_errors", 0.2, 0.2),
    ("http", "Slowest service", "", "http_latency", 3, 3),
    ("http", "Each service", "Errors", "http_errors", 0.2, 0.2),
    ("postgres", "Each server", "Of its limit", "postgres_connections", 0.65, 0.65),
    ("postgres", "Each server", "Oldest transaction", "postgres_transaction", "2h", 7200),
    ("postgres", "Each server", "Transaction ids used", "postgres_wraparound", 0.3, 0.3),
    ("timescale", "Chunks to compress", "", "timescale_uncompressed", 12, 12),
    ("timescale", "Each hypertable", "To compress", "timescale_uncompressed", 12, 12),
    ("timescale", "Each job", "Late", "timescale_job_late", "5h", 18000),
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


@pytest.mark.parametrize(("board", "title", "column", "name", "said", "red"), RED)
def test_red_begins_at_the_fleets_threshold(
    board: str, title: str, column: str, name: str, said: Any, red: float
) -> None:
    steps = _steps(_settings(**{name: said}), board, title, column)
    assert [step["color"] for step in steps] == ["green", "yellow", "red"]
    assert steps[2]["value"] == red
    assert steps[1]["value"] < red, "a warning comes before"
    assert _steps(_settings(), board, title, column)[2]["value"] != red, "it was another by default"


@pytest.mark.parametrize("board", ["fleet", "hosts"])
def test_a_disk_that_fills_is_red_below_the_time_of_its_alert(board: str) -> None:
    steps = _steps(_settings(disk_full_in="2d"), board, "Each host", "Until full")
    assert [(step["value"], step["color"]) for step in steps] == [
        (None, "red"), (172800, "yellow"), (7 * 172800, "green"),
    ]  # fmt: skip


def test_the_page_of_the_hub_draws_the_line_at_which_its_disk_alerts() -> None:
    text = render(_settings(hub_disk_used=0.77))["fleetwatch-hub.json"]
    assert "vector(0.77)" in text
