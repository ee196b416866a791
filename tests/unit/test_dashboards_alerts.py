"""The dashboard that an alert links to shows one of its metrics."""

from __future__ import annotations

import re

import pytest

from configs import rules
from configs.rules.model import Alert, Record, expression
from tests.fixtures.full import full
from tests.unit.test_dashboards import expressions
from tools.doctor import selectors

SETTINGS = full()
RECORDS = {rule.name: rule.expr for group in rules.groups(SETTINGS) for rule in group.rules if isinstance(rule, Record)}
# On nearly every dashboard, so they count only for alerts that use no other metric.
GENERAL = {"up", "node_time_seconds"}
APART = {
    "Watchdog": "it fires always",
    "LogsSilent": "it uses a counter of the log agent; the dashboard shows the lines themselves",
}
ALERTS = [alert for alert in rules.alerts(SETTINGS) if not alert.logs and alert.name not in APART]


def _metrics(expr: str) -> set[str]:
    """The metrics of an expression; recording rules are replaced by theirs."""
    found: set[str] = set()
    for one in selectors.metric_names(expr):
        pattern = re.fullmatch(r'{__name__=~"(.*)"}', one)
        found |= {pattern[1]} if pattern else _metrics(RECORDS[one]) if one in RECORDS else {one}
    return found


def _same(one: str, other: str) -> bool:
    """Either may be the pattern of several names."""
    return one == other or bool(re.fullmatch(one, other) or re.fullmatch(other, one))


@pytest.mark.parametrize("alert", ALERTS, ids=[f"{n}-{alert.name}" for n, alert in enumerate(ALERTS)])
def test_linked_dashboard_shows_a_metric_of_the_alert(alert: Alert) -> None:
    place = f"fleetwatch-{alert.board}.json: "
    shown = set().union(*(_metrics(expr) for where, expr in expressions("prometheus") if where.startswith(place)))
    asked = _metrics(expression(SETTINGS, alert))
    telling = asked - GENERAL or asked
    assert any(_same(one, other) for one in telling for other in shown), f"{alert.board} has none of {sorted(telling)}"


@pytest.mark.parametrize("alert", [one for one in rules.alerts(SETTINGS) if one.logs], ids=lambda alert: alert.name)
def test_linked_dashboard_of_a_log_alert_shows_lines(alert: Alert) -> None:
    place = f"fleetwatch-{alert.board}.json: "
    assert any(where.startswith(place) for where, _ in expressions("loki"))


def test_exceptions_are_existing_alerts() -> None:
    assert set(APART) <= {alert.name for alert in rules.alerts(SETTINGS)}
