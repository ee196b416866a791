"""A discovered world as JSON, so that one replica discovers for all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ask.world import LOKI, PROMETHEUS, AppMetric, World


def document(world: World) -> dict[str, Any]:
    """Sorted, so that equal worlds are equal texts."""
    return {
        "labels": {label: sorted(values) for label, values in world.labels.items()},
        "logs": {label: sorted(values) for label, values in world.logs.items()},
        "metrics": sorted(world.metrics),
        "apps": {
            one.name: {"kind": one.kind, "labels": {label: sorted(values) for label, values in one.labels.items()}}
            for one in world.apps.values()
        },
        "away": world.away,
        "cut": world.cut,
    }


def world(found: dict[str, Any]) -> World:
    """From the document."""
    return World(
        labels={label: frozenset(values) for label, values in found["labels"].items()},
        logs={label: frozenset(values) for label, values in found["logs"].items()},
        metrics=frozenset(found["metrics"]),
        apps={
            name: AppMetric(name, one["kind"], {label: frozenset(values) for label, values in one["labels"].items()})
            for name, one in found["apps"].items()
        },
        away=found["away"],
        cut=found["cut"],
    )


def completed(new: World, old: World) -> World:
    """The new world, with the old one's parts of the stores that did not answer."""
    if PROMETHEUS in new.away:
        new = replace(new, labels=old.labels, metrics=old.metrics, apps=old.apps, cut=old.cut)
    if LOKI in new.away:
        new = replace(new, logs=old.logs)
    return new
