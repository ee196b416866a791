"""When the alerts about the assistant fire, and when not."""

from __future__ import annotations

from tests.rendered.rules_rig import Case, fired

UP = 'up{job="ask",env="test",host="hub",instance="fleetwatch-ask:8081"}'
COMPONENT = 'ask_component_up{job="ask",env="test",host="hub",instance="fleetwatch-ask:8081",component="database"}'


MODEL = {"provider": "anthropic", "name": "a-model", "api_key": "a-key"}  # pragma: allowlist secret


EMBEDDINGS = {"provider": "ollama", "name": "m", "dimensions": 768, "base_url": "http://10.0.0.5:11434"}
EMBEDDINGS_FAIL = "Most requests of the assistant for embeddings from ollama fail"


def _requests(sent: str, errors: str, reason: str = "server", of: str = "llm") -> dict[str, str]:
    """Counters of one minute each."""
    provider = "anthropic" if of == "llm" else "ollama"
    here = f'job="ask",env="test",host="hub",instance="fleetwatch-ask:8081",provider="{provider}"'
    return {f"{of}_requests_total{{{here}}}": sent, f'{of}_errors_total{{{here},reason="{reason}"}}': errors}


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
    Case(
        alert="AskModelFails",
        when="when most requests fail",
        series=_requests("0+1x90", "0+1x90"),
        at="80m",
        step="1m",
        fires=[fired("Most requests of the assistant to anthropic fail", provider="anthropic")],
    ),
    Case(
        alert="AskModelFails",
        when="when it is not even tried any more",
        series=_requests("0x90", "0+1x90", reason="paused"),
        at="80m",
        step="1m",
        fires=[fired("Most requests of the assistant to anthropic fail", provider="anthropic")],
    ),
    Case(
        alert="AskModelFails", when="for one failure in ten", series=_requests("0+10x90", "0+1x90"), at="80m", step="1m"
    ),
    Case(
        alert="AskModelFails", when="for two failures", series=_requests("0x60 2x30", "0x60 2x30"), at="80m", step="1m"
    ),
    Case(
        alert="AskModelFails",
        when="when the budget is used up",
        series=_requests("0x90", "0+1x90", "budget"),
        at="80m",
        step="1m",
    ),
    Case(
        alert="AskModelBudgetUsed",
        when="when a question could not be sent",
        series=_requests("0x90", "0x60 1x30", "budget"),
        at="70m",
        step="1m",
        fires=[fired("The daily tokens for anthropic are used up", provider="anthropic")],
    ),
    Case(
        alert="AskEmbeddingsFail",
        when="when the provider does not answer",
        series=_requests("0+1x90", "0+1x90", of="embedding"),
        at="80m",
        step="1m",
        fires=[fired(EMBEDDINGS_FAIL, provider="ollama")],
    ),
    Case(
        alert="AskEmbeddingsFail",
        when="when the catalogue stays incomplete",
        series=_requests("0x90", "0+1x90", "incomplete", of="embedding"),
        at="80m",
        step="1m",
        fires=[fired(EMBEDDINGS_FAIL, provider="ollama")],
    ),
    Case(
        alert="AskEmbeddingsFail",
        when="for one failure in ten",
        series=_requests("0+10x90", "0+1x90", of="embedding"),
        at="80m",
        step="1m",
    ),
    Case(
        alert="AskModelBudgetUsed", when="for other errors", series=_requests("0+1x90", "0+1x90"), at="70m", step="1m"
    ),
)
