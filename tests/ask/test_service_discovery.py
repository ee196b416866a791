"""When the fleet is discovered: often while a new one appears, then at the interval of the settings."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from ask.service import discovery
from ask.world import World
from tests.ask.servers import Server
from tests.ask.stage import Stage, fresh_database, replica

FLEET = World(labels={"host": frozenset({"web-1"})}, logs={"job": frozenset({"docker"})}, metrics=frozenset({"up"}))


@pytest.mark.parametrize(
    ("after", "grown"),
    [
        (FLEET, False),
        (World(), False),
        (replace(FLEET, metrics=frozenset({"up", "x"})), True),
        (replace(FLEET, labels={"host": frozenset({"web-1", "web-2"})}), True),
        (replace(FLEET, logs={"job": frozenset({"docker", "journal"})}), True),
        (replace(FLEET, labels={"container": frozenset({"api"})}), True),
    ],
)
def test_fleet_has_grown_if_something_is_known_that_was_not(after: World, grown: bool) -> None:
    assert discovery.grown(FLEET, after) is grown


@pytest.fixture(scope="module")
def stage(postgres: Server, valkey: Server) -> Iterator[Stage]:
    with replica(postgres, valkey, fresh_database(postgres)) as made:
        yield made


def _later(stage: Stage, seconds: float) -> bool:
    """Whether it discovers so long after the last discovery."""
    stage.service.knowledge.at = time.time() - seconds
    stage.service.store.delete("world")
    return stage.service.knowledge.refresh()


def test_new_fleet_is_discovered_often_until_nothing_is_new_or_the_start_is_long_ago(stage: Stage) -> None:
    knowledge = stage.service.knowledge
    knowledge.world = World()
    assert knowledge.refresh(force=True)
    assert not _later(stage, discovery.EARLY - 5)
    assert _later(stage, discovery.EARLY + 5), "the fleet has just appeared"
    assert not _later(stage, discovery.EARLY + 5), "nothing was new"
    knowledge.world = World()
    assert knowledge.refresh(force=True)
    knowledge._began -= discovery.YOUNG
    assert not _later(stage, discovery.EARLY + 5), "the start is long ago"
    assert _later(stage, knowledge.seconds + 5)


@pytest.mark.parametrize("seconds", [-86400.0, 86400.0])
def test_fleet_is_discovered_at_once_after_the_clock_has_jumped(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    knowledge, clock = stage.service.knowledge, time.time
    assert knowledge.refresh(force=True)
    monkeypatch.setattr("ask.service.discovery.time.time", lambda: clock() + seconds)
    assert knowledge.refresh()
    assert abs(knowledge.at - clock() - seconds) < 60
    assert not knowledge.refresh(), "once"
