"""Alerts about containers and attached disks before promtool: which situation fires them, in which words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from configs.rules.model import Alert
from configs.settings import load
from tests.fixtures.full import small
from tests.rendered.cases_containers import CASES, DB, EXPECTED, GONE_CASES, UP, ran
from tests.rendered.rules_rig import Case, check, groups_of, settings_of

ASKED = ("containers", "containers-gone")


@pytest.mark.parametrize(("group", "cases"), [("containers", CASES), ("containers-gone", GONE_CASES)])
def test_each_situation_is_told_in_these_words_or_not_at_all(
    group: str, cases: list[Case], tool: Any, tmp_path: Path
) -> None:
    settings = settings_of()
    check(tool, tmp_path, settings, groups_of(settings, group), cases)


def test_a_container_that_the_stack_file_expects_is_missed_at_once(tool: Any, tmp_path: Path) -> None:
    settings = settings_of({"hub": {"expected": ["shop-db"]}})
    check(tool, tmp_path, settings, groups_of(settings, *ASKED), EXPECTED)


def test_a_muted_or_abandoned_one_is_not_missed(tool: Any, tmp_path: Path) -> None:
    quiet = {"containers": {"shop-db": {"mute": ["ContainerDown"]}}}
    old = {"server": {"address": "203.0.113.7"}, "abandoned": True, "expected": ["shop-db"]}
    hosts = {"hub": {"expected": ["shop-db"], "alerts": quiet}, "old": old}
    settings = load(
        small(env="test", hub={"server": {"address": "203.0.113.1"}}, hosts=hosts), "stacks/Pulumi.test.yaml"
    )
    gone = Case(alert="ContainerDown", when="it is muted", series={**UP, **ran(DB, 20)}, at="25m")
    away = {key.replace('"hub"', '"old"'): values for key, values in UP.items()}
    left = Case(alert="ContainerDown", when="its host is abandoned", series=away, at="25m")
    check(tool, tmp_path, settings, groups_of(settings, *ASKED), [gone, left])


def test_each_alert_has_a_case_in_which_it_fires_and_one_in_which_it_is_silent() -> None:
    rules = [rule for group in groups_of(settings_of(), *ASKED) for rule in group.rules]
    alerts = {rule.name for rule in rules if isinstance(rule, Alert)}
    cases = [*CASES, *GONE_CASES]
    assert {case.alert for case in cases if case.fires} == alerts
    assert {case.alert for case in cases if not case.fires} == alerts
