"""Other readings: three where there is no query, two or three beside an answer, and each may be asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ask import fitting, safety
from ask.__main__ import context_of
from ask.reading import Context
from ask.reply import reply
from ask.safety import Limits
from tests.ask import references
from tests.ask.offline import engine, world
from tests.ask.seed import AT
from tests.ask.test_answer import Played, hub
from tests.ask.test_explain import FIRING, matrix

QUESTIONS = references.questions("a")
ABSTAINING = (
    "log lines of web-99", "cpu except web-1", "containers that do not restart",
    "cpu of web-1 at what time was it highest",
    "errors in the logs of db-1 except pgbouncer", "ratio of cpu of web-1 and web-2", "memory of db-9",
    "log lines of vps-1 compared to last week that contain x", "<script>alert(1)</script>", "", "x" * 600,
)  # fmt: skip


def checked(question: str, readings: tuple[str, ...]) -> None:
    """Each is a question of its own that may be asked."""
    folded = [fitting.folded(one) for one in readings]
    assert len(set(folded)) == len(folded)
    assert fitting.folded(question) not in folded
    for one in readings:
        assert safety.question(one, Limits()) == one


@pytest.mark.parametrize("one", QUESTIONS, ids=lambda one: one["id"])
def test_every_question_has_other_readings(one: dict[str, str]) -> None:
    plan = engine().plan(one["question"], world(), AT, context_of(one.get("context")))
    checked(one["question"], plan.readings)
    assert len(plan.readings) == 3 if plan.query is None else len(plan.readings) in {2, 3}


@pytest.mark.parametrize("question", ABSTAINING)
def test_a_question_without_a_query_has_three(question: str) -> None:
    plan = engine().plan(question, world(), AT)
    assert plan.query is None
    assert len(plan.readings) == 3
    checked(question, plan.readings)


def test_the_value_is_offered_without_what_the_question_leaves_out() -> None:
    assert "cpu usage" in engine().plan("cpu except web-1", world(), AT).readings


def test_a_name_that_no_question_may_have_is_in_no_reading() -> None:
    named = replace(world(), labels={**world().labels, "host": frozenset({"<script>", "a\x07b"})})
    for question in ("show me everything", "log lines of <b", "<script>"):
        plan = engine().plan(question, named, AT)
        assert len(plan.readings) == 3
        checked(question, plan.readings)


def test_every_reading_that_is_offered_first_is_answered() -> None:
    for one in engine().plan("show me everything", world(), AT).readings:
        assert engine().plan(one, world(), AT).query is not None


def test_an_explanation_has_other_readings() -> None:
    played = Played({"/api/v1/query": FIRING, "/api/v1/series": [{}], "/api/v1/query_range": matrix()})
    question = "why did DiskUsed fire?"
    found = reply(engine(), hub(played), world(), question, AT, Context(), "https://hub.test")
    assert found.title == "DiskUsed"
    assert len(found.readings) >= 2
    checked(question, tuple(found.readings))
