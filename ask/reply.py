"""The reply to a question: an explanation if an alert is meant, else the answer."""

from __future__ import annotations

from dataclasses import replace

from ask import explain
from ask.answer import Answer, ask
from ask.client import Hub
from ask.engine import Engine
from ask.reading import Context
from ask.world import World


def reply(engine: Engine, hub: Hub, world: World, question: str, at: float, context: Context, site: str) -> Answer:
    """Never raises for what a user wrote or for a store that is down."""
    alert = explain.alert_of(question, engine.catalogue)
    if alert is not None:
        found = explain.explain(question, alert, hub, at, site, engine.limits)
        return replace(found, readings=list(engine.plan(question, world, at, context).readings))
    return ask(engine, hub, world, question, at, context, site)
