"""When the alerts about the assistant fire, and when not."""

from __future__ import annotations

from tests.rendered.rules_rig import Case, fired

UP = 'up{job="ask",env="test",host="hub",instance="fleetwatch-ask:8081"}'
COMPONENT = 'ask_component_up{job="ask",env="test",host="hub",instance="fleetwatch-ask:8081",component="database"}'

MODEL = {"provider": "anthropic", "name": "a-model", "api_key": "a-key"}  # pragma: allowlist secret

EMBEDDINGS = {"provider": "ollama", "name": "m", "dimensions": 768, "base_url": "http://10.0.0.5:11434"}


def _case(
    alert: str, when: str, sent: str, errors: str, reason: str = "server", at: str = "80m", fires: str = ""
) -> Case:
    """Of requests and errors, counted each minute, to the provider that the alert is about. `fires`: its summary."""
    of, provider = ("embedding", "ollama") if alert == "AskEmbeddingsFail" else ("llm", "anthropic")
    here = f'job="ask",env="test",host="hub",instance="fleetwatch-ask:8081",provider="{provider}"'
    series = {f"{of}_requests_total{{{here}}}": sent, f'{of}_errors_total{{{here},reason="{reason}"}}': errors}
    expected = [fired(fires, provider=provider)] if fires else []
    return Case(alert=alert, when=when, series=series, at=at, step="1m", fires=expected)


MODEL_FAILS = "Most requests of the assistant to anthropic fail"
BUDGET_USED = "The daily tokens for anthropic are used up"
EMBEDDINGS_FAIL = "Most requests of the assistant for embeddings from ollama fail"
EACH, NONE = "0+1x90", "0x90"

CASES = (
    Case(
        alert="AskDown",
        when="when it does not answer",
        series={UP: "0x60"},
        fires=[fired("The assistant is down", job="ask", instance="fleetwatch-ask:8081")],
    ),
    Case(alert="AskDown", when="while it answers", series={UP: "1x60"}),
    Case(alert="AskDown", when="for a restart", series={UP: "1x20 0x8 1x60"}, at="7m30s"),
    Case(
        alert="AskDependencyDown",
        when="when its database is away",
        series={COMPONENT: "0x60"},
        fires=[fired("The assistant cannot reach its database", component="database")],
    ),
    Case(alert="AskDependencyDown", when="while all answer", series={COMPONENT: "1x60"}),
    _case("AskModelFails", "when most requests fail", EACH, EACH, fires=MODEL_FAILS),
    _case("AskModelFails", "when it is not even tried any more", NONE, EACH, "paused", fires=MODEL_FAILS),
    _case("AskModelFails", "for one failure in ten", "0+10x90", EACH),
    _case("AskModelFails", "for two failures", "0x60 2x30", "0x60 2x30"),
    _case("AskModelFails", "when the model's answers are of no use", EACH, EACH, "invalid"),
    _case("AskModelFails", "when the budget is used up", NONE, EACH, "budget"),
    _case("AskModelBudgetUsed", "when a question could not be sent", NONE, "0x60 1x30", "budget", "70m", BUDGET_USED),
    _case("AskModelBudgetUsed", "for other errors", EACH, EACH, at="70m"),
    _case("AskEmbeddingsFail", "when the provider does not answer", EACH, EACH, fires=EMBEDDINGS_FAIL),
    _case("AskEmbeddingsFail", "when the catalogue stays incomplete", NONE, EACH, "incomplete", fires=EMBEDDINGS_FAIL),
    _case("AskEmbeddingsFail", "when the dimensions are wrong", EACH, EACH, "invalid", fires=EMBEDDINGS_FAIL),
    _case("AskEmbeddingsFail", "for one failure in ten", "0+10x90", EACH),
)
