"""A model that is slow or away, retries, the pause after failures, and the budget of the day."""

from __future__ import annotations

import time

import pytest

from ask.model import client as clients
from ask.model import pause, protocol
from tests.ask import fake_model, model_rig

QUESTION = "how quickly does money arrive in the till"
GOOD = model_rig.proposing(promql="shop_cart_items")


@pytest.mark.parametrize("reply", [{"wait": 4.0}, {"drip": 4.0}])
def test_a_slow_model_is_not_waited_for(reply: dict[str, float]) -> None:
    with model_rig.rig(reply, GOOD, timeout=1.0) as made:
        began = time.monotonic()
        found = made.ask(QUESTION)
        took = time.monotonic() - began
    assert found.model == "unavailable"
    assert "did not answer within 1 seconds" in found.sentence
    assert took < 3.0
    assert len(made.fake.received) == 1, "a response that is late is not requested again"


def test_all_rounds_together_are_bounded_in_time() -> None:
    with model_rig.rig({"wait": 0.6}, {"raw": "{}"}, {"wait": 0.6}, {"raw": "{}"}, timeout=1.0) as made:
        found = made.ask(QUESTION)
    assert found.model == "unavailable"
    assert len(made.fake.received) == 2


def test_a_provider_that_cannot_be_reached_is_tried_again_a_few_times() -> None:
    with model_rig.rig(GOOD, base_url="http://127.0.0.1:9/v1") as made:
        found = made.ask(QUESTION)
    assert "cannot be reached" in found.sentence
    assert made.observed.counts["request"] == clients.RETRIES + 1
    first, second = made.waited
    assert 0.3 < first < second, "each wait is longer"
    assert sum(made.budget.used.values()) == 0, "what was not sent costs nothing"


@pytest.mark.parametrize(("key", "sentence"), [("wrong-s3cret", "does not accept the key (HTTP 401)")])
@pytest.mark.parametrize("provider", ["anthropic", "openai"])
def test_a_key_that_is_not_accepted_is_not_tried_again(provider: str, key: str, sentence: str) -> None:
    with model_rig.rig(GOOD, provider=provider, key=key) as made:
        found = made.ask(QUESTION)
    assert sentence in found.sentence
    assert key not in found.sentence, "the provider repeats the key in its error"
    assert len(made.fake.received) == 1


def test_a_model_that_the_provider_does_not_have_is_not_tried_again() -> None:
    with model_rig.rig({"status": 404}) as made:
        assert "does not have the model" in made.ask(QUESTION).sentence
    assert len(made.fake.received) == 1


def test_retry_after_is_respected() -> None:
    with model_rig.rig({"status": 429, "after": 2}, GOOD) as made:
        assert made.ask(QUESTION).engine == "model"
    assert made.waited == [2.0]


def test_after_several_failures_nothing_is_sent_for_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with model_rig.rig({"status": 401}) as made:
        for _ in range(pause.FAILURES):
            made.ask(QUESTION)
        sent = len(made.fake.received)
        found = made.ask(QUESTION)
        assert "failed several times" in found.sentence
        assert made.advisor.client.paused
        assert len(made.fake.received) == sent
        later = time.monotonic() + pause.PAUSE + 1
        monkeypatch.setattr(time, "monotonic", lambda: later)
        made.fake.replies[:] = [GOOD]
        assert made.ask(QUESTION).engine == "model", "then it is tried again"


def test_a_success_forgets_earlier_failures() -> None:
    replies = [{"status": 401}, {"status": 401}, GOOD, {"status": 401}, {"status": 401}, GOOD]
    with model_rig.rig(*replies) as made:
        engines = [made.ask(QUESTION).engine for _ in replies]
    assert engines == ["deterministic", "deterministic", "model"] * 2


def test_tokens_are_counted_and_the_reservation_is_returned() -> None:
    with model_rig.rig(GOOD) as made:
        made.ask(QUESTION)
    assert sum(made.budget.used.values()) == sum(fake_model.TOKENS) == made.observed.counts["tokens"]


@pytest.mark.parametrize("usage", [False])
def test_a_response_without_usage_costs_the_whole_reservation(usage: bool) -> None:
    with model_rig.rig(GOOD | {"usage": usage}) as made:
        made.ask(QUESTION)
    (body,) = [one.partition(b"\r\n\r\n")[2] for one in made.fake.received]
    assert sum(made.budget.used.values()) == len(body) + protocol.OUTPUT


def test_a_late_response_may_have_cost_what_was_reserved() -> None:
    with model_rig.rig({"wait": 3.0}, GOOD, timeout=0.5) as made:
        made.ask(QUESTION)
    assert sum(made.budget.used.values()) > protocol.OUTPUT


def test_without_budget_nothing_is_sent() -> None:
    with model_rig.rig(GOOD, daily=3000) as made:
        found = made.ask(QUESTION)
    assert made.fake.received == []
    assert found.model == "unavailable"
    assert "budget of 3000 tokens for today does not allow another request; this is the answer" in found.sentence
    assert made.observed.counts["error budget"] == 1


def test_the_budget_counts_all_requests_of_a_day() -> None:
    with model_rig.rig(GOOD | {"usage": False}) as made:
        made.ask(QUESTION)
        made.budget.daily = 2 * sum(made.budget.used.values()) - 1
        assert "budget" in made.ask(QUESTION).sentence
    assert len(made.fake.received) == 1
