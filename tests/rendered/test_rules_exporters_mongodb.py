"""The alerts of MongoDB in promtool."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.rendered.rules_rig import Case, check, fired, groups_of, settings_of

OF = 'job="mongodb",env="test",host="hub",server="carts"'
CARTS = {"server": "carts"}
SETTINGS = settings_of({"hub": {"exporters": {"carts": {"mongodb": "mongo"}}}})
UNREACHABLE = "MongoDB carts on hub is unreachable"
UP = f'mongodb_up{{cluster_role="mongod",{OF}}}'
DOWN = f'mongodb_up{{cluster_role="",{OF}}}'
USED = f'mongodb_ss_connections{{conn_type="current",{OF}}}'
LEFT = f'mongodb_ss_connections{{conn_type="available",{OF}}}'

CASES = [
    Case(
        alert="MongodbDown",
        when="the server does not answer its exporter",
        series={f"up{{{OF}}}": "1x60", UP: "1x20 stale", DOWN: "_x20 0x40"},
        fires=[fired(UNREACHABLE, **CARTS)],
    ),
    Case(
        alert="MongodbDown",
        when="the exporter is down",
        series={f"up{{{OF}}}": "1x20 0x40"},
        fires=[fired(UNREACHABLE, **CARTS)],
    ),
    Case(alert="MongodbDown", when="it answers", series={f"up{{{OF}}}": "1x60", UP: "1x60"}),
    Case(
        alert="MongodbConnections",
        when="90 % are in use",
        series={USED: "900x60", LEFT: "100x60"},
        fires=[fired("MongoDB carts on hub uses 90% of its connections", **CARTS)],
    ),
    Case(alert="MongodbConnections", when="half are in use", series={USED: "500x60", LEFT: "500x60"}),
]


def test_mongodb_alerts_fire_or_stay_silent(tool: Any, tmp_path: Path) -> None:
    check(tool, tmp_path, SETTINGS, groups_of(SETTINGS, "mongodb"), CASES)


def test_every_mongodb_alert_has_a_firing_and_a_silent_case() -> None:
    alerts = {rule.name for group in groups_of(SETTINGS, "mongodb") for rule in group.rules}
    assert {case.alert for case in CASES if case.fires} == alerts == {case.alert for case in CASES if not case.fires}
