"""Alerts about the assistant."""

from __future__ import annotations

from configs.rules.model import Alert, Group, Record
from configs.settings import Settings

JOB = 'job="ask"'


def group(settings: Settings) -> Group:
    """Empty without the assistant."""
    ask = settings.hub.ask
    if ask is None:
        return Group(name="ask", rules=())
    model = (MODEL_FAILS, BUDGET_USED) if ask.model else ()
    aliases = CLAUDE if ask.model and ask.model.provider == "anthropic" else ()
    embeddings = (EMBEDDINGS_FAIL,) if ask.embeddings else ()
    return Group(name="ask", rules=(*aliases, DOWN, DEPENDENCY_DOWN, *model, *embeddings))


def _alias(metric: str, more: str = "") -> Record:
    """The name that a metric of the model has where Claude is the only provider."""
    by, selector = f"sum by (env, host, instance{more})", f'{{{JOB},provider="anthropic"}}'
    return Record(name=f"claude_api_{metric}", expr=f"{by} (llm_{metric}{selector})")


CLAUDE = (_alias("requests_total"), _alias("errors_total"), _alias("token_usage_total", ", direction"))

DOWN = Alert(
    name="AskDown",
    expr=lambda matchers, _: f"up{{{JOB}{matchers}}} == 0",
    summary="The assistant is down",
    description="The hub's agent cannot scrape {{ $labels.instance }}: users cannot send questions at /ask/. Metrics, "
    "logs and alerts are not affected.",
    board="hub",
    per="hub",
)

DEPENDENCY_DOWN = Alert(
    name="AskDependencyDown",
    expr=lambda matchers, _: f"min by (env, host, component) (ask_component_up{{{JOB}{matchers}}}) == 0",
    summary="The assistant cannot reach its {{ $labels.component }}",
    description="Without database or valkey it answers nothing, without prometheus or loki no questions about metrics "
    "or logs.",
    board="hub",
    per="hub",
)

_PER = "sum by (env, host, provider)"
# Reasons of errors of a language model that are not its provider's: an answer of no use comes now and then. `invalid`
# embeddings count: `dimensions` or the model is wrong, and each request fails.
NOT_ITS_FAULT = "budget|busy|invalid|internal"


def _failing(of: str, errors: str, matchers: str) -> str:
    """`errors`: more matchers of those that count."""
    failed = f"{_PER} (increase({of}_errors_total{{{JOB}{errors}{matchers}}}[1h]))"
    requests = f"{_PER} (increase({of}_requests_total{{{JOB}{matchers}}}[1h]))"
    return f"{failed} > 3 and {failed} > 0.5 * {requests}"


MODEL_FAILS = Alert(
    name="AskModelFails",
    expr=lambda matchers, _: _failing("llm", f',reason!~"{NOT_ITS_FAULT}"', matchers),
    wait="10m",
    summary="Most requests of the assistant to {{ $labels.provider }} fail",
    description="Answers are those without the language model: more questions have no answer. No data is affected.",
    board="hub",
    per="hub",
)

BUDGET_USED = Alert(
    name="AskModelBudgetUsed",
    expr=lambda matchers, _: f'{_PER} (increase(llm_errors_total{{{JOB},reason="budget"{matchers}}}[1h])) > 0',
    wait="0s",
    severity="info",
    summary="The daily tokens for {{ $labels.provider }} are used up",
    description="Until the end of the day (UTC) answers are those without the language model. Raise "
    "`hub.ask.model.daily_tokens` if this is too early.",
    board="hub",
    per="hub",
)

EMBEDDINGS_FAIL = Alert(
    name="AskEmbeddingsFail",
    expr=lambda matchers, _: _failing("embedding", "", matchers),
    wait="10m",
    summary="Most requests of the assistant for embeddings from {{ $labels.provider }} fail",
    description="Values are found by their names alone: a question with a term that the assistant does not know has "
    "no answer. No data is affected.",
    board="hub",
    per="hub",
)
