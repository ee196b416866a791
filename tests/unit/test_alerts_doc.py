"""Each alert has its page, each page its alert, and docs/alerts.md names all of them."""

from __future__ import annotations

import re

import pytest

from configs import rules
from configs.rules import describe
from configs.settings import load
from configs.settings.thresholds import Thresholds

RUNBOOKS = describe.RUNBOOKS
ALERTS = describe.by_name()
PARTS = ["## First checks", "## Usual cause", "## Mute it, or change when it fires"]


def test_the_committed_table_is_what_the_rules_say() -> None:
    page = describe.PAGE.read_text()
    assert page == describe.renewed(page), "docs/alerts.md is behind: .venv/bin/python -m configs.rules.describe"


@pytest.mark.parametrize("name", ALERTS)
def test_the_words_that_a_runbook_promises_are_those_of_its_alert(name: str) -> None:
    page = RUNBOOKS / f"{name}.md"
    assert page.read_text() == describe.runbooks()[page], "behind the rules: .venv/bin/python -m configs.rules.describe"


def test_each_alert_has_its_page_and_each_page_its_alert() -> None:
    pages = {page.stem for page in RUNBOOKS.glob("*.md")}
    assert not set(ALERTS) - pages, "somebody woken by these finds no page"
    assert not pages - set(ALERTS), "these pages are about no alert"


@pytest.mark.parametrize("name", ALERTS)
def test_a_page_has_the_same_parts_as_all(name: str) -> None:
    page = (RUNBOOKS / f"{name}.md").read_text()
    assert page.startswith(f"# {name}\n\n"), "the page's name is the alert's"
    assert re.findall(r"^## .*", page, re.MULTILINE) == PARTS
    assert re.findall(r"^(\d)\. ", page, re.MULTILINE) == ["1", "2", "3"], "three checks come first"
    assert len(re.findall(r"```sh\n +\S", page)) == 3, "each check is a command that can be copied"


@pytest.mark.parametrize("name", ALERTS)
def test_a_page_names_what_sets_the_alert(name: str) -> None:
    page = (RUNBOOKS / f"{name}.md").read_text()
    alert = ALERTS[name]
    assert [key for key in alert.keys if f"thresholds.{key}" not in page] == [], "a person wants to change these"
    assert set(alert.keys) <= set(Thresholds.model_fields)
    if name != "Watchdog":
        assert f"mute: [{name}]" in page


def test_every_alert_says_what_is_wrong_where_and_what_it_means() -> None:
    for alert in ALERTS.values():
        assert alert.summary, alert.name
        assert alert.advice.endswith("."), f"{alert.name}: advice is whole sentences"
        assert alert.severity in ("critical", "warning", "info") or alert.name == "Watchdog"


def test_whose_log_is_named_is_a_container_of_this_stack() -> None:
    edge = {"postgres": {"main": {"dsn": "postgresql://nobody@db/shop"}}}
    settings = load({"prefix": "acme", "hub": {"local": {}}, "hosts": {"hub": edge}}, "a stack file")
    advice = {alert.name: alert.advice for alert in rules.alerts(settings)}
    assert "(docker logs acme-{{ $labels.job }})" in advice["ConfigNotRead"]
    assert not [name for name, text in advice.items() if "(docker logs)" in text], "of which container?"


def test_words_that_depend_on_the_value_are_both_in_the_table() -> None:
    assert "The clock of *host* is … *ahead or behind*" in describe.table()


def test_no_count_is_said_in_exponents() -> None:
    """Prometheus writes 3.456789e+06 for a bare value. Few are those of one container in 15 minutes."""
    bare = {alert.name for alert in rules.alerts(describe.everything()) if "{{ $value }}" in alert.summary}
    assert bare <= {"ContainerRestarts", "ContainerOutOfMemory"}


def test_every_threshold_is_used_by_an_alert() -> None:
    used = {key for alert in ALERTS.values() for key in alert.keys}
    missing = set(Thresholds.model_fields) - used
    assert not missing, "a person who sets one of these changes nothing"
