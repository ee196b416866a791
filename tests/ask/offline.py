"""The seeded fleet's world without a Prometheus: what discovery finds, from the seed itself."""

from __future__ import annotations

import functools

from ask import catalogue as catalogues
from ask.engine import Engine
from ask.plan import Plan
from ask.reading import Context
from ask.world import LABELS, LOG_LABELS, World, app_metrics
from configs.catalogue import render
from tests.ask import seed, seed_logs
from tests.ask.evaluate import settings


@functools.cache
def engine() -> Engine:
    """The engine over the seeded fleet's catalogue."""
    return Engine(catalogues.load(render(settings())))


@functools.cache
def world() -> World:
    """The labels and metrics of the seed."""
    series = [{"__name__": one.name, **one.labels} for one in seed.series()]
    streams = [stream["stream"] for batch in seed_logs.batches() for stream in batch]
    own = set(engine().catalogue.jobs)
    return World(
        labels={label: frozenset(one[label] for one in series if label in one) for label in LABELS},
        logs={
            label: frozenset(str(one[label]) for one in streams if isinstance(one, dict) and label in one)
            for label in LOG_LABELS
        },
        metrics=frozenset(one["__name__"] for one in series),
        apps=app_metrics([one for one in series if one.get("job") not in {*own, None}], engine().catalogue.metrics),
    )


def plan(question: str, before: str = "") -> Plan:
    """The plan for a question after another one, at the seed's time."""
    return engine().plan(question, world(), seed.AT, Context(before))


def query(question: str, before: str = "") -> str:
    """The plan's query; empty if there is none."""
    found = plan(question, before).query
    return found.text if found is not None else ""
