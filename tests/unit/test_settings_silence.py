"""The warning about a cluster whose outage nobody would notice."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from components import program_settings
from configs.settings import Settings
from tests.fixtures.fleets import cluster
from tests.fixtures.full import in_bucket

HEARTBEAT = {"webhook": {"url": "https://heartbeat.example/x"}}


def _warnings(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", found.append)
    program_settings._warn_of_silence(settings)
    return found


def test_cluster_without_a_watchdog_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    (said,) = _warnings(monkeypatch, cluster())
    assert "only hub and hub-b evaluate rules" in said


@pytest.mark.parametrize("kind", ["watched", "one hub"])
def test_others_are_not(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    alerts: dict[str, Any] = {"receivers": {"beat": HEARTBEAT}, "watchdog": "beat"}
    assert not _warnings(monkeypatch, cluster({"alerts": alerts}) if kind == "watched" else in_bucket())
