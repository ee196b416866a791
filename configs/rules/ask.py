"""Alerts about the assistant."""

from __future__ import annotations

from configs.rules.model import Alert, Group
from configs.settings import Settings

JOB = 'job="ask"'


def group(settings: Settings) -> Group:
    """Empty without the assistant."""
    return Group(name="ask", rules=(DOWN, DEPENDENCY_DOWN) if settings.hub.ask is not None else ())


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
