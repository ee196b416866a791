"""A move back from three nodes that goes on long after it was interrupted."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.fixtures.three_nodes import HOSTS, SAMPLES, World, made, place, settings, stack
from tools import grow_cluster, grow_record, hub_move, hub_node
from tools.errors import ToolError
from tools.grow_counts import Counts
from tools.hub_move import Move


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return made(monkeypatch)


def _a_day_after_all_was_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An update failed then, after the nodes had stopped."""
    move = Move(stack("bucket", world), settings("bucket"))
    made = grow_record.write(move, "bucket", Counts({1.0: SAMPLES}, {}), written=True)
    world.stopped = {(host, role) for host in HOSTS[1:] for role in hub_node.PARTS}
    world.memory = dict.fromkeys(HOSTS, False)
    monkeypatch.setattr(time, "time", lambda: made.at + 25 * hub_move.HOUR)


@pytest.mark.parametrize(
    "removed", [{}, {"bare": {"hub-b"}}, {"gone": {"hub-b"}, "left": {"hub-b"}}, {"bare": {"hub-b", "hub-c"}}]
)
def test_a_move_goes_on_however_long_ago_it_was_stopped(
    world: World, monkeypatch: pytest.MonkeyPatch, removed: dict[str, Any]
) -> None:
    _a_day_after_all_was_written(world, monkeypatch)
    for key, value in removed.items():
        setattr(world, key, value)
    assert grow_cluster.to_bucket(stack("bucket", world), settings("bucket"), yes=True) == 0
    assert not [call for call in world.calls if call[1:2] in (("start",), ("stop",))]
    assert world.record is None


def test_a_node_that_was_started_and_stopped_since_writes_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _a_day_after_all_was_written(world, monkeypatch)
    world.year = 2099
    assert grow_cluster.to_bucket(stack("bucket", world), settings("bucket"), yes=True) == 0
    assert place(world, "hub-c", "start", "receive") < place(world, "hub-c", "stop", "receive")


def test_a_node_that_is_there_and_does_not_answer_for_long_is_a_sentence(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _a_day_after_all_was_written(world, monkeypatch)
    world.gone.add("hub-b")
    with pytest.raises(ToolError, match="failed on hub-b: no connection. .*`kind: cluster` and .* HOST=hub-b`"):
        grow_cluster.to_bucket(stack("bucket", world), settings("bucket"), yes=True)
    assert ("up",) not in world.calls
