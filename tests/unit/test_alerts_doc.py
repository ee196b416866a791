"""Every alert has a runbook, every runbook an alert, and docs/alerts.md lists all of them."""

from __future__ import annotations

import re

import pytest

from configs import rules
from configs.settings import load
from configs.settings.thresholds import Thresholds
from tools import alert_docs

RUNBOOKS = alert_docs.RUNBOOKS
ALERTS = alert_docs.alerts_by_name()
SECTIONS = ["## Meaning", "## Impact", "## Diagnosis", "## Mitigation", "## Tuning"]


def test_table_matches_the_rules() -> None:
    page = alert_docs.PAGE.read_text()
    assert page == alert_docs.with_current_table(page), "outdated, run .venv/bin/python -m tools.alert_docs"


@pytest.mark.parametrize("name", ALERTS)
def test_runbook_summary_matches_its_alert(name: str) -> None:
    page = RUNBOOKS / f"{name}.md"
    assert page.read_text() == alert_docs.current_runbooks()[page], "outdated, run .venv/bin/python -m tools.alert_docs"


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    pages = {page.stem for page in RUNBOOKS.glob("*.md")}
    assert not set(ALERTS) - pages, "alerts without a runbook"
    assert not pages - set(ALERTS), "runbooks without an alert"


@pytest.mark.parametrize("name", ALERTS)
def test_every_runbook_has_the_same_sections(name: str) -> None:
    page = (RUNBOOKS / f"{name}.md").read_text()
    assert page.startswith(f"# {name}\n\n"), "the page's name is the alert's"
    assert re.findall(r"^## .*", page, re.MULTILINE) == SECTIONS
    assert re.findall(r"^(\d)\. ", page, re.MULTILINE) == ["1", "2", "3"], "three checks come first"
    assert len(re.findall(r"```sh\n +\S", page)) == 3, "each check is a command that can be copied"


@pytest.mark.parametrize("name", ALERTS)
def test_runbook_names_the_thresholds_and_how_to_mute(name: str) -> None:
    page = (RUNBOOKS / f"{name}.md").read_text()
    alert = ALERTS[name]
    assert [key for key in alert.keys if f"thresholds.{key}" not in page] == [], "thresholds missing in the runbook"
    assert set(alert.keys) <= set(Thresholds.model_fields)
    if name != "Watchdog":
        assert f"mute: [{name}]" in page


def test_every_alert_has_summary_description_and_severity() -> None:
    for alert in ALERTS.values():
        assert alert.summary, alert.name
        assert alert.description.endswith("."), f"{alert.name}: the description is whole sentences"
        assert alert.severity in ("critical", "warning", "info") or alert.name == "Watchdog"


def test_descriptions_name_containers_of_this_stack() -> None:
    edge = {"postgres": {"main": {"dsn": "postgresql://nobody@db/shop"}}}
    settings = load({"prefix": "acme", "hub": {"local": {}}, "hosts": {"hub": edge}}, "a stack file")
    descriptions = {alert.name: alert.description for alert in rules.alerts(settings)}
    assert "(docker logs acme-{{ $labels.job }})" in descriptions["ConfigNotRead"]
    assert not [name for name, text in descriptions.items() if "(docker logs)" in text], "of which container?"


def test_table_lists_both_alternatives_of_a_summary() -> None:
    assert "The clock of *host* is … *ahead or behind*" in alert_docs.table()


def test_counts_are_formatted_without_exponents() -> None:
    """Prometheus writes 3.456789e+06 for a bare value. Few are those of one container in 15 minutes."""
    bare = {alert.name for alert in alert_docs.example_alerts() if "{{ $value }}" in alert.summary}
    assert bare <= {"ContainerRestarts", "ContainerOutOfMemory"}


def test_every_threshold_is_used() -> None:
    used = {key for alert in ALERTS.values() for key in alert.keys}
    missing = set(Thresholds.model_fields) - used
    assert not missing, "these thresholds have no effect"
