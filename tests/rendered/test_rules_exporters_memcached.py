"""The alerts of memcached in promtool."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from configs import rules
from tests.rendered.rules_rig import Case, check, fired, groups_of, settings_of

OF = '{job="memcached",env="test",host="hub",server="sessions"}'
SETTINGS = settings_of({"hub": {"exporters": {"sessions": {"memcached": "sessions"}}}})
OPEN, MAX = f"memcached_current_connections{OF}", f"memcached_max_connections{OF}"
REJECTED, DISABLED = f"memcached_connections_rejected_total{OF}", f"memcached_connections_listener_disabled_total{OF}"
DOWN = fired("memcached sessions on hub is unreachable", server="sessions")

CASES = [
    Case(
        alert="MemcachedDown",
        when="the server does not answer",
        series={f"up{OF}": "1x60", f"memcached_up{OF}": "1x20 0x40"},
        fires=[DOWN],
    ),
    Case(alert="MemcachedDown", when="the exporter is down", series={f"up{OF}": "1x20 0x40"}, fires=[DOWN]),
    Case(alert="MemcachedDown", when="it answers", series={f"up{OF}": "1x60", f"memcached_up{OF}": "1x60"}),
    Case(
        alert="MemcachedConnections",
        when="most connections are used",
        series={OPEN: "950x60", MAX: "1000x60"},
        fires=[fired("memcached sessions on hub uses 95% of its connections", server="sessions")],
    ),
    Case(alert="MemcachedConnections", when="half are used", series={OPEN: "500x60", MAX: "1000x60"}),
    Case(
        alert="MemcachedRejectsConnections",
        when="it closed connections beyond its limit",
        series={REJECTED: "0x60 46x40", DISABLED: "0x100"},
        at="20m",
        fires=[fired("memcached sessions on hub rejected 46 connections in 10 minutes", server="sessions")],
    ),
    Case(
        alert="MemcachedRejectsConnections",
        when="it stopped to accept",
        series={DISABLED: "0x60 4x40"},
        at="20m",
        fires=[fired("memcached sessions on hub rejected 4 connections in 10 minutes", server="sessions")],
    ),
    Case(
        alert="MemcachedRejectsConnections",
        when="it was at its limit an hour ago",
        series={REJECTED: "46x300", DISABLED: "2x300"},
        at="1h",
    ),
]


def test_memcached_alerts_fire_or_stay_silent(tool: Any, tmp_path: Path) -> None:
    check(tool, tmp_path, SETTINGS, groups_of(SETTINGS, "memcached"), CASES)


def test_every_alert_of_memcached_has_a_firing_and_a_silent_case() -> None:
    alerts = {rule.name for group in groups_of(SETTINGS, "memcached") for rule in group.rules}
    assert {case.alert for case in CASES if case.fires} == alerts == {case.alert for case in CASES if not case.fires}


def test_no_memcached_rules_without_such_a_server() -> None:
    assert "memcached" not in {group.name for group in rules.groups(settings_of())}
