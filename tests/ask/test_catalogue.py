"""The catalogue: complete, equal for equal settings, and every expression survives the printer and the limits."""

from __future__ import annotations

import json
import re

import pytest

from ask import catalogue as catalogues
from ask import promql, safety, wording
from configs import rules
from configs.catalogue import catalogue, every_board, phrasings, queries, render, rule_phrasings, runbooks
from configs.rules.model import Alert, Record
from tests.ask.evaluate import settings as seeded
from tests.fixtures.fleets import cluster
from tests.fixtures.full import full, in_bucket

EXAMPLES = (full(), in_bucket(), cluster())
ENTRIES = list({one["id"]: one for settings in EXAMPLES for one in catalogue(settings)["entries"]}.values())
PROMQL = [one for one in ENTRIES if one["language"] == "promql"]


def test_every_entry_has_phrasings() -> None:
    without = [one["id"] for one in ENTRIES if not one["phrasings"]]
    assert not without, "configs/catalogue: add how people call these panels, alerts and records"


def test_every_panel_alert_and_record_is_an_entry() -> None:
    ids = {one["id"] for one in ENTRIES}
    for board in (board for settings in EXAMPLES for board in every_board(settings)):
        for panel in (panel for row in board.rows for panel in row.panels):
            assert queries(panel), f"{panel.title}: a kind of panel that the catalogue does not read"
            assert any(one.startswith(f"{board.name}/{panel.title}") for one in ids)
    groups = [group for one in EXAMPLES for group in (*rules.groups(one), *rules.ruler_groups(one))]
    for rule in (rule for group in groups for rule in group.rules):
        assert f"{'alert' if isinstance(rule, Alert) else 'record'}/{rule.name}" in ids


def test_phrasings_are_of_panels_and_rules_that_exist() -> None:
    ids = {re.sub(r"\{\{.*?\}\} *", "", one["id"]).rstrip("/") for one in ENTRIES}
    titles = {
        f"{board.name}/{panel.title}"
        for settings in EXAMPLES
        for board in every_board(settings)
        for row in board.rows
        for panel in row.panels
    }
    keys = {f"{board}/{key}" for board, table in phrasings.BOARDS.items() for key in table}
    assert keys - ids - titles == set()
    groups = [group for one in EXAMPLES for group in (*rules.groups(one), *rules.ruler_groups(one))]
    records = {rule.name for group in groups for rule in group.rules if isinstance(rule, Record)}
    assert set(rule_phrasings.RECORDS) - records == set()
    # SamplesTooOld exists only with `honor_timestamps`.
    assert set(rule_phrasings.ALERTS) - {one.name for settings in EXAMPLES for one in rules.alerts(settings)} == {
        "SamplesTooOld"
    }


def test_equal_settings_give_equal_bytes() -> None:
    assert render(full()) == render(full())


def test_no_secret_is_in_the_catalogue() -> None:
    assert "s3cret" not in render(full())


@pytest.mark.parametrize("entry", PROMQL, ids=lambda one: one["id"])
def test_printing_a_tree_keeps_it(entry: dict[str, str]) -> None:
    tree = promql.parse(catalogues.filled(entry["expr"]))
    printed = promql.text(tree)
    assert promql.parse(printed).prettify() == tree.prettify()
    assert wording.describe(tree)


@pytest.mark.parametrize("entry", PROMQL, ids=lambda one: one["id"])
def test_every_shipped_expression_passes_the_safety_check(entry: dict[str, str]) -> None:
    safety.check(catalogues.filled(entry["expr"]), frozenset(), safety.Limits())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a catalogue file"),
        ("[]", "not a catalogue file"),
        ('{"format": 99}', "format 99, expected 1"),
        (json.dumps({"format": 1, "jobs": [], "entries": [{}]}), "not a catalogue file"),
    ],
)
def test_a_file_that_is_no_catalogue_is_refused_with_a_sentence(text: str, message: str) -> None:
    with pytest.raises(catalogues.CatalogueError, match=message):
        catalogues.load(text)


def test_databases_are_in_the_catalogue_of_a_stack_without_one() -> None:
    small = catalogue(seeded())
    assert any(one["id"].startswith("postgres/") for one in small["entries"])


def test_every_alert_has_the_first_checks_of_its_runbook() -> None:
    alerts = {one["title"]: one["checks"] for one in ENTRIES if one["kind"] == "alert"}
    assert "`df -h`" in alerts["DiskUsed"][0]
    for title, checks in alerts.items():
        assert 1 <= len(checks) <= runbooks.MOST, title
        assert all(one[0].isupper() and "```" not in one for one in checks), title
    assert runbooks.checks("AnAlertOfMine") == []
