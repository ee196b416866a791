"""The alerts of nginx in promtool."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from configs import rules
from tests.rendered.rules_rig import Case, check, fired, groups_of, settings_of

OF = '{job="nginx",env="test",host="hub",server="web"}'
SETTINGS = settings_of({"hub": {"exporters": {"web": {"nginx": "http://web:8080/stub_status"}}}})
ACCEPTED, HANDLED = f"nginx_connections_accepted{OF}", f"nginx_connections_handled{OF}"
DOWN = fired("nginx web on hub is unreachable", server="web")

CASES = [
    Case(
        alert="NginxDown",
        when="the exporter cannot read the page",
        series={f"up{OF}": "1x60", f"nginx_up{OF}": "1x20 0x40"},
        fires=[DOWN],
    ),
    Case(alert="NginxDown", when="the exporter is down", series={f"up{OF}": "1x20 0x40"}, fires=[DOWN]),
    Case(alert="NginxDown", when="it answers", series={f"up{OF}": "1x60", f"nginx_up{OF}": "1x60"}),
    Case(
        alert="NginxDropsConnections",
        when="ten connections were not handled",
        series={ACCEPTED: "1000+5x100", HANDLED: "1000+5x48 1240 1240 1245+5x49"},
        at="20m",
        fires=[fired("nginx web on hub dropped 10 connections in 10 minutes", server="web")],
    ),
    Case(
        alert="NginxDropsConnections",
        when="it handles all, after a restart too",
        series={ACCEPTED: "1000+5x50 1+5x48", HANDLED: "1000+5x50 1+5x48"},
        at="20m",
    ),
    Case(
        alert="NginxDropsConnections",
        when="a connection came between the reading of both counters",
        series={ACCEPTED: "1000+5x50 1256+5x48", HANDLED: "1000+5x50 1255+5x48"},
        at="20m",
    ),
    Case(
        alert="NginxDropsConnections",
        when="it dropped some an hour ago",
        series={ACCEPTED: "1000+5x300", HANDLED: "990+5x300"},
        at="1h",
    ),
]


def test_nginx_alerts_fire_or_stay_silent(tool: Any, tmp_path: Path) -> None:
    check(tool, tmp_path, SETTINGS, groups_of(SETTINGS, "nginx"), CASES)


def test_every_alert_of_nginx_has_a_firing_and_a_silent_case() -> None:
    alerts = {rule.name for group in groups_of(SETTINGS, "nginx") for rule in group.rules}
    assert {case.alert for case in CASES if case.fires} == alerts == {case.alert for case in CASES if not case.fires}


def test_no_nginx_rules_without_such_a_server() -> None:
    assert "nginx" not in {group.name for group in rules.groups(settings_of())}
