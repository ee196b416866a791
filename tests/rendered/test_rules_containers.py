"""The alerts of containers and attached volumes in promtool: when each fires, with which summary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from configs.rules.model import Alert
from configs.settings import load
from tests.fixtures.full import small
from tests.rendered.cases_containers import CASES, DB, EXPECTED, GONE_CASES, UP, ran
from tests.rendered.rules_rig import Case, check, groups_of, settings_of

GROUPS = ("containers", "containers-gone")


@pytest.mark.parametrize(("group", "cases"), [("containers", CASES), ("containers-gone", GONE_CASES)])
def test_container_alerts_fire_or_stay_silent(group: str, cases: list[Case], tool: Any, tmp_path: Path) -> None:
    settings = settings_of()
    check(tool, tmp_path, settings, groups_of(settings, group), cases)


def test_missing_expected_container_fires_immediately(tool: Any, tmp_path: Path) -> None:
    settings = settings_of({"hub": {"expected": ["shop-db"]}})
    check(tool, tmp_path, settings, groups_of(settings, *GROUPS), EXPECTED)


def test_muted_and_abandoned_containers_do_not_fire(tool: Any, tmp_path: Path) -> None:
    quiet = {"containers": {"shop-db": {"mute": ["ContainerDown"]}}}
    old = {"server": {"address": "203.0.113.7"}, "abandoned": True, "expected": ["shop-db"]}
    hosts = {"hub": {"expected": ["shop-db"], "alerts": quiet}, "old": old}
    settings = load(
        small(env="test", hub={"server": {"address": "203.0.113.1"}}, hosts=hosts), "stacks/Pulumi.test.yaml"
    )
    gone = Case(alert="ContainerDown", when="it is muted", series={**UP, **ran(DB, 20)}, at="25m")
    away = {key.replace('"hub"', '"old"'): values for key, values in UP.items()}
    left = Case(alert="ContainerDown", when="its host is abandoned", series=away, at="25m")
    check(tool, tmp_path, settings, groups_of(settings, *GROUPS), [gone, left])


def test_every_alert_has_a_firing_and_a_silent_case() -> None:
    rules = [rule for group in groups_of(settings_of(), *GROUPS) for rule in group.rules]
    alerts = {rule.name for rule in rules if isinstance(rule, Alert)}
    cases = [*CASES, *GONE_CASES]
    assert {case.alert for case in cases if case.fires} == alerts
    assert {case.alert for case in cases if not case.fires} == alerts
