"""The questions are whole, and the engine answers them as it did when they were last measured by execution.

`make ask-eval` measures; with `--write` it writes verdicts.json, which this compares with: a change of the engine that
changes an answer is seen here, and measured again there.
"""

from __future__ import annotations

import json

import promql_parser
import pytest

from ask import safety
from ask.__main__ import context_of
from ask.compose import Query
from ask.safety import Limits
from tests.ask import references
from tests.ask.evaluate import VERDICTS
from tests.ask.offline import engine, world
from tests.ask.seed import AT

HALVES = {half: references.questions(half) for half in "ab"}
EVERY = [one for half in HALVES.values() for one in half]
MEASURED: dict[str, tuple[str, str]] = json.loads(VERDICTS.read_text())
KINDS = {
    "direct", "hosts-and-times", "comparing", "topN", "thresholds", "app metrics", "logs", "unanswerable", "ambiguous",
    "hostile",
}  # fmt: skip


def test_there_are_at_least_two_hundred_of_every_kind() -> None:
    assert len(EVERY) >= 200
    assert len({one["id"] for one in EVERY}) == len(EVERY)
    for half in HALVES.values():
        assert {one["kind"] for one in half} == KINDS


def test_references_are_valid_queries() -> None:
    known = references.blocks()
    for one in EVERY:
        for option in references.expected(one["expect"], known):
            if isinstance(option, Query) and option.language == "promql":
                promql_parser.parse(option.text)


@pytest.mark.parametrize("one", EVERY, ids=lambda one: one["id"])
def test_answers_are_those_that_were_measured(one: dict[str, str]) -> None:
    plan = engine().plan(one["question"], world(), AT, context_of(one.get("context")))
    _, query = MEASURED[one["id"]]
    assert (plan.query.text if plan.query else "") == query, "measure again: python -m tests.ask.evaluate --write"
    if plan.query is not None and plan.query.language == "promql":
        safety.check(plan.query.text, world().metrics, Limits())
    elif plan.query is None:
        assert plan.refusal or plan.abstention


@pytest.mark.parametrize("half", HALVES)
def test_the_measured_shares_are_as_good_as_promised(half: str) -> None:
    verdicts = [MEASURED[one["id"]][0] for one in HALVES[half]]
    assert verdicts.count("right") / len(verdicts) >= 0.85
    assert verdicts.count("wrong") / len(verdicts) <= 0.03
