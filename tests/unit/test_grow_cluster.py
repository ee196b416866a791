"""Moves between a bucket and three nodes."""

from __future__ import annotations

import json
import time

import pytest

from configs import disk
from tests.fixtures.fleets import cluster
from tests.fixtures.three_nodes import ENTRY, HOSTS, SAMPLES, World, made, place, settings, stack
from tools import grow_cluster, grow_plan, grow_record, hub_move
from tools.errors import ToolError
from tools.grow_counts import Counts
from tools.hub_move import Move


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return made(monkeypatch)


def test_two_nodes_leave_once_the_bucket_has_what_they_had(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert grow_cluster.to_bucket(stack("bucket", world), settings("bucket"), yes=True) == 0
    flushed = [place(world, host, "ingester/shutdown?flush=true") for host in HOSTS]
    stopped = [place(world, host, "stop", "receive") for host in HOSTS[1:]]
    counted = place(world, "_grow_lines", "/loki/api/v1/query")
    assert flushed[0] < flushed[1] < stopped[0] < flushed[2] < stopped[1] < counted < world.calls.index(("up",))
    kept = place(world, "hub", "to=/data/caddy/pki/authorities/local")
    assert counted < kept < world.calls.index(("up",)), "the one Caddy goes on with the CA of all nodes"
    assert ("hub", "stop") not in [call[:2] for call in world.calls], "the first node takes data all the time"
    assert sorted(world.removed) == ["database", "hub-b-droplet", "hub-b-volume", "hub-c-droplet", "hub-c-volume"]
    assert world.record is None, "the move is complete"
    out = capsys.readouterr().out
    assert "102.00 USD before and 34.00 USD after" in out
    assert "The hub answers with what the three nodes had: " in out


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"lost_lines": True}, "hub has 35 of 70 log lines of the hour before "),
        ({"not_uploaded": True}, "hub-c has blocks that are not in the bucket: 01M8M91B4GPSSFMXR128A7WMBB"),
    ],
)
def test_nothing_is_removed_while_something_is_missing(world: World, fault: dict[str, bool], said: str) -> None:
    for key, value in fault.items():
        setattr(world, key, value)
    with pytest.raises(ToolError, match=said):
        grow_cluster.to_bucket(stack("bucket", world), settings("bucket"), yes=True)
    assert ("up",) not in world.calls
    assert not world.removed
    assert not world.stopped, "the nodes run again"
    assert json.loads(world.record or "")["written"] is False


def test_samples_that_only_a_leaving_node_has_are_noticed(world: World) -> None:
    world.keeps = True
    with pytest.raises(ToolError, match=r"hub has 250 of 500 samples of `up` of the day .* wait for two hours"):
        grow_cluster.to_bucket(stack("bucket", world), settings("bucket"), yes=True)
    assert ("up",) not in world.calls


def test_a_run_goes_on_where_the_last_one_was_stopped(world: World) -> None:
    first, wanted = stack("bucket", world), settings("bucket")
    first.quiet = lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        grow_cluster.to_bucket(first, wanted, yes=True)
    assert json.loads(world.record or "")["written"] is True
    world.calls.clear()
    world.gone.add("hub-b")  # an update began to remove it
    assert grow_cluster.to_bucket(stack("bucket", world), wanted, yes=True) == 0
    assert not [call for call in world.calls if "shutdown" in call[-1] or call[1:2] == ("stop",)]


def test_nodes_that_ran_again_write_again(world: World) -> None:
    counts = Counts({1.0: SAMPLES}, {})
    wanted = settings("bucket")
    grow_record.write(Move(stack("bucket", world), wanted), "bucket", counts, written=True)
    assert grow_cluster.to_bucket(stack("bucket", world), wanted, yes=True) == 0
    assert place(world, "hub-c", "stop", "receive") < world.calls.index(("up",))


def test_a_node_that_does_not_answer_stops_the_move(world: World) -> None:
    world.gone.add("hub-b")
    with pytest.raises(ToolError, match="failed on hub-b"):
        grow_cluster.to_bucket(stack("bucket", world), settings("bucket"), yes=True)
    assert not [call for call in world.calls if call[1:2] == ("stop",)]


def test_three_nodes_answer_with_what_one_had(world: World) -> None:
    assert grow_cluster.to_cluster(stack("cluster", world), settings("cluster"), yes=True) == 0
    written = place(world, "hub", "ingester/shutdown?flush=true")
    assert world.calls.index(("copy",)) < world.calls.index(("up",)) < written
    for host in HOSTS:
        asked = [at for at, call in enumerate(world.calls) if call[0] == host and "/loki/api" in call[-1]]
        assert max(asked) > written, "lines of the first node's memory are read on the others"
    assert world.record is None


def test_the_plan_and_a_stack_that_is_not_complete_name_the_dns_record_of_the_user(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.incomplete = True
    own = cluster({"domain": "monitor.example.com"})
    with pytest.raises(ToolError, match=rf"record of monitor\.example\.com has to name the load balancer \({ENTRY}\)"):
        grow_cluster.to_cluster(stack("cluster", world), own, yes=True)
    assert "The DNS record of monitor.example.com is yours" in capsys.readouterr().out
    for other in (cluster({"domain": "monitor.example.com", "dns_zone": "example.com"}), settings("cluster")):
        with pytest.raises(ToolError, match=r"were not compared\. Nothing was removed"):
            grow_cluster.to_cluster(stack("cluster", world), other, yes=True)
        assert "DNS record" not in capsys.readouterr().out


def test_copied_lines_are_forgotten_after_the_bucket_merged_or_deleted_them(world: World) -> None:
    world.disk = world.lacking = ["chunk"]
    with pytest.raises(ToolError, match="The bucket lacks log lines"):
        grow_cluster.forget(stack("cluster", world), settings("cluster"), yes=True)
    assert grow_cluster.to_cluster(stack("cluster", world), settings("cluster"), yes=True) == 0
    world.lacking = ["chunk"]  # retention deleted it in the bucket
    world.calls.clear()
    assert grow_cluster.to_cluster(stack("cluster", world), settings("cluster"), yes=True) == 0
    assert ("copy",) not in world.calls, "what was deleted does not come back"
    assert grow_cluster.forget(stack("cluster", world), settings("cluster"), yes=True) == 0
    assert not world.disk
    assert world.record is None


def test_the_plan_names_nodes_and_costs() -> None:
    shown = grow_plan.to_cluster(settings("cluster"), {"monthly_usd": 39.0}, 2 * disk.GB)
    assert "The hub becomes three nodes: a (hub), b (hub-b), c (hub-c)." in shown
    assert "2.0 GB of log lines on the hub's disk are copied into it first, in about 2 min" in shown
    assert "a month costs 39.00 USD before and " in shown
    assert "not known" in grow_plan.from_cluster(settings("bucket"), {}, None)
    assert "at most 3 MB of metrics in about 1 min" in grow_plan.from_cluster(settings("bucket"), {}, 3 * 1024**2)


def test_records_of_another_move_or_day_do_not_count(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    move = Move(stack("bucket", world), settings("bucket"))
    made = grow_record.write(move, "bucket", Counts({5.0: 1.0}, {7.0: 2.0}))
    assert grow_record.read(move, "bucket") == made
    assert grow_record.read(move, "cluster") is None
    assert made.fresh
    monkeypatch.setattr(time, "time", lambda: made.at + 2 * hub_move.DAY)
    assert not made.fresh
