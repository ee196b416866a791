"""The grammar: times, bounds, names, spelling, follow-ups. Other sentences than those of the questions."""

from __future__ import annotations

import pytest

from ask import apps, compose, examples, explain, grammar, logs, times, words
from ask.compose import Bound
from ask.grammar import Wants
from ask.reading import Context
from ask.world import AppMetric, World
from tests.ask.offline import engine, query, world
from tests.ask.seed import AT

HOUR, DAY = 3600, 86400


@pytest.mark.parametrize(
    ("text", "op", "value"),
    [
        ("hosts over 85 percent", ">", 0.85),
        ("tables larger than 2 gib", ">", 2 * 2**30),
        ("at least 3 restarts", ">=", 3),
        ("queries slower than 250 ms", ">", 0.25),
        ("disks below 10%", "<", 0.1),
        ("backups older than 2 days", ">", 2 * DAY),
    ],
)
def test_thresholds(text: str, op: str, value: float) -> None:
    found = grammar.parse(text, False, True).threshold
    assert found is not None
    assert found.op == op
    assert found.value == pytest.approx(value)


@pytest.mark.parametrize(
    ("left", "right", "edits"), [("disk", "disk", 0), ("dsik", "disk", 1), ("latncy", "latency", 1), ("a", "xyz", 3)]
)
def test_distance(left: str, right: str, edits: int) -> None:
    assert words.distance(left, right, 2) == edits


def test_a_name_is_taken_in_other_spellings() -> None:
    assert 'host="db-1"' in query("load of db1")
    assert 'host="db-1"' in query("load of db 1")
    assert 'host="db-1"' in query("load of DB-1")
    assert query("load of db-7") == ""


def test_several_names_are_joined() -> None:
    assert 'host=~"db-1|db-2"' in query("load of db-2 and db-1") or 'host=~"db-2|db-1"' in query(
        "load of db-2 and db-1"
    )


def test_a_follow_up_keeps_what_it_leaves_out() -> None:
    before = Context(question="load of db-1 over the last 3 hours")
    plan = engine().plan("and for web-1?", world(), AT, before)
    assert plan.query is not None
    assert 'host="web-1"' in plan.query.text
    assert "db-1" not in plan.query.text
    assert plan.query.end - plan.query.start == 3 * HOUR


def test_a_follow_up_goes_back_over_several_questions() -> None:
    """The value is named in the first, the host in the second, the time in the third."""
    context = Context("and for db-1?", earlier=("load of web-1",))
    plan = engine().plan("and in the last 3 hours?", world(), AT, context)
    assert plan.query is not None
    assert "node_load1" in plan.query.text
    assert 'host="db-1"' in plan.query.text
    assert plan.query.end - plan.query.start == 3 * HOUR
    assert engine().plan("and in the last 3 hours?", world(), AT, Context("and for db-1?")).query is None


def test_a_new_value_ends_what_came_before() -> None:
    context = Context("memory of web-2", earlier=("load of db-1 over the last 3 hours",))
    plan = engine().plan("and for db-1?", world(), AT, context)
    assert plan.query is not None
    assert "MemAvailable" in plan.query.text
    assert plan.query.start == plan.query.end, "the time of the first question is not that of the second"


def test_misspelt_words_are_named_in_the_assumptions() -> None:
    plan = engine().plan("inodse usage", world(), AT)
    assert any("inodse" in one for one in plan.assumptions)


@pytest.mark.parametrize("of", ["foo-bar-baz", "container foo-bar"])
def test_lines_of_a_name_that_does_not_exist_are_no_lines_of_all(of: str) -> None:
    assert query(f"show the last log lines of {of}") == "", "the lines of every source would be a wrong answer"


def test_an_abstention_offers_other_readings() -> None:
    plan = engine().plan("how slow is it", world(), AT)
    assert plan.query is None
    assert len(plan.readings) == 3


BOUND: Bound = {"host": ("db.1", "web|2")}
WHEN = times.parse("", AT)
ORDERS = apps.Candidate(AppMetric("shop_orders_total", "counter", {}), 1.0)


@pytest.mark.parametrize(
    "query",
    [
        apps.build(ORDERS, "orders", BOUND, Wants(), WHEN).text,
        logs.build("log lines", "", BOUND, Wants(), WHEN).text,
        compose.build(engine().entries["fleet/CPU usage"], BOUND, Wants(), WHEN).text,
    ],
    ids=["app", "logs", "panel"],
)
def test_several_names_are_taken_literally(query: str) -> None:
    assert r'host=~"db\\.1|web\\|2"' in query


def test_every_example_is_answered_by_this_fleet() -> None:
    found = examples.of(engine(), world(), AT)
    assert len(found) == examples.MOST
    for one in found[:-1]:
        assert engine().plan(one, world(), AT).query is not None
    assert explain.alert_of(found[-1], engine().catalogue) is not None
    assert any("db-1" in one for one in found)


def test_an_empty_fleet_has_examples_too() -> None:
    assert "how full are the disks?" in examples.of(engine(), World(), AT)


@pytest.mark.parametrize(
    ("question", "matcher"),
    [
        ("which containers use the most memory", 'container!=""'),
        ("memory usage by container", 'container!=""'),
        ("memory of container nginx", 'container="nginx"'),
        ("size of the databases", 'datname!=""'),
    ],
)
def test_a_series_without_the_label_of_a_board_is_none_of_its_values(question: str, matcher: str) -> None:
    """The sums of a host are no container: the dashboard's "All" leaves them out too."""
    text = query(question)
    assert matcher in text
    assert "compose_project" not in text, "most containers belong to no project"
    assert 'host!=""' not in text, "every series has a host"


@pytest.mark.parametrize(
    ("question", "beginning"),
    [
        ("which containers use the most memory", "topk(5, "),
        ("which hosts have the lowest load", "bottomk(5, "),
        ("which container uses the most memory", "topk(1, "),
        ("which 3 hosts have the highest load", "topk(3, "),
    ],
)
def test_a_plural_without_a_number_is_several(question: str, beginning: str) -> None:
    assert query(question).startswith(beginning)
