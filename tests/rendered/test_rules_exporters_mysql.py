"""The alerts of MySQL and MariaDB in promtool."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.rendered.rules_rig import Case, check, fired, groups_of, settings_of

OF = '{job="mysql",env="test",host="hub",server="shop"}'
SHOP = {"server": "shop"}
ENTRY = {"mariadb": "db", "user": "fleetwatch", "password": "unread"}  # pragma: allowlist secret
SETTINGS = settings_of({"hub": {"exporters": {"shop": ENTRY}}})
UNREACHABLE = "MySQL shop on hub is unreachable"
USED, LIMIT = f"mysql_global_status_threads_connected{OF}", f"mysql_global_variables_max_connections{OF}"

CASES = [
    Case(
        alert="MysqlDown",
        when="the server does not answer its exporter",
        series={f"up{OF}": "1x60", f"mysql_up{OF}": "1x20 0x40"},
        fires=[fired(UNREACHABLE, **SHOP)],
    ),
    Case(
        alert="MysqlDown",
        when="the exporter is down",
        series={f"up{OF}": "1x20 0x40"},
        fires=[fired(UNREACHABLE, **SHOP)],
    ),
    Case(alert="MysqlDown", when="it answers", series={f"up{OF}": "1x60", f"mysql_up{OF}": "1x60"}),
    Case(
        alert="MysqlConnections",
        when="90 % are in use",
        series={USED: "135x60", LIMIT: "150x60"},
        fires=[fired("MySQL shop on hub uses 90% of its connections", **SHOP)],
    ),
    Case(alert="MysqlConnections", when="half are in use", series={USED: "75x60", LIMIT: "150x60"}),
]


def test_mysql_alerts_fire_or_stay_silent(tool: Any, tmp_path: Path) -> None:
    check(tool, tmp_path, SETTINGS, groups_of(SETTINGS, "mysql"), CASES)


def test_every_mysql_alert_has_a_firing_and_a_silent_case() -> None:
    alerts = {rule.name for group in groups_of(SETTINGS, "mysql") for rule in group.rules}
    assert {case.alert for case in CASES if case.fires} == alerts == {case.alert for case in CASES if not case.fires}
