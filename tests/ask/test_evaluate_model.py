"""`make ask-eval` with a model: its options, and the plans that are judged."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import pytest

from tests.ask import evaluate_model, model_rig, offline
from tests.ask.fake_model import KEY, MODEL
from tests.ask.seed import AT

QUESTION = "how quickly does money arrive in the till"


def _options(*argv: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    evaluate_model.arguments(parser)
    return parser.parse_args(argv)


def test_without_the_option_there_is_no_model() -> None:
    assert evaluate_model.of(_options()) is None


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (("--model", "anthropic"), "expected PROVIDER:NAME"),
        (("--model", "claude:x"), "expected PROVIDER:NAME"),
        (("--model", "anthropic:x"), "expected KEY_FILE, a file with the key"),
        (("--model", "ollama:x"), "expected MODEL_URL, the address of the server"),
        (("--model", "openai:x", "--key-file", "/none/key"), "/none/key: cannot be read: No such file"),
    ],
)
def test_options_that_cannot_be_used(argv: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(SystemExit, match=sentence):
        evaluate_model.of(_options(*argv))


def test_the_plan_that_is_judged_is_the_proposed_one(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(KEY + "\n")
    with model_rig.rig(model_rig.proposing(promql="shop_cart_items")) as made:
        argv = ("--model", f"openai:{MODEL}", "--model-url", made.fake.url, "--key-file", str(key))
        model = evaluate_model.of(_options(*argv))
        assert model is not None
        plans = [
            model.plan(offline.engine(), made.world, made.hub, {"question": question}, AT)
            for question in (QUESTION, "cpu of web-1")
        ]
        model.advisor.client.close()
    assert plans[0].query is not None
    assert plans[0].query.text == "shop_cart_items"
    assert plans[1].entry is not None, "the engine's own"
    assert model.counts == Counter(
        {"requests": 1, "milliseconds": model.counts["milliseconds"], "tokens sent": 1200, "tokens received": 80}
        | {"questions: accepted": 1}
    )
    assert model.report().startswith(f"openai {MODEL}: milliseconds ")
    assert KEY not in model.report()


def test_alone_means_that_nothing_else_answers() -> None:
    with model_rig.rig(model_rig.proposing(promql="shop_cart_items"), model_rig.proposing(answer="none")) as made:
        model = evaluate_model.Model(made.advisor, Counter(), alone=True)
        first, second, logs, unknown = (
            model.plan(offline.engine(), made.world, made.hub, {"question": question}, AT)
            for question in ("cpu of web-1", "cpu of web-2", "errors in the logs of web-1", "cpu of web-9")
        )
    assert first.query is not None
    assert first.query.text == "shop_cart_items", "although the engine is certain"
    assert second.query is None
    assert logs.query is None, "questions about log lines are for the model too"
    assert "Did you mean" in unknown.abstention, "no model is used for a name that nothing has"
