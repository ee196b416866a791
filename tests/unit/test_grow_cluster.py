"""Moves between a bucket and three nodes, on hosts of which a fake Docker knows what is in memory and in the bucket."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from configs import disk
from configs.settings import Settings, load
from tests.fixtures.fleets import CLUSTER, HUB, cluster, fleet
from tools import agent_targets, grow_cluster, grow_plan, grow_record, hub_docker, hub_move, hub_node
from tools.errors import ToolError
from tools.grow_counts import Counts
from tools.hub_move import Move

HOSTS = ("hub", "hub-b", "hub-c")
RUNS = ["caddy", "thanos-receive", "thanos-query", "loki"]
OUTPUTS = {"query": "x", "storage": "cluster", "monthly_usd": 102.0, "hosts": {host: {"runs": RUNS} for host in HOSTS}}
SAMPLES, LINES = 500.0, 70.0


class World:
    """What each node holds alone (`memory`, in parts of all samples and lines), what the bucket has, what runs."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.stopped: set[tuple[str, str]] = set()
        self.starts: dict[str, int] = {}
        self.memory = dict.fromkeys(HOSTS, True)
        self.record: str | None = None
        self.gone: set[str] = set()
        self.lost_lines = self.not_uploaded = self.keeps = False
        self.removed: list[str] = []

    def holds(self, alone: bool) -> float:
        """The part of the data that is in the bucket: all, once no leaving node holds something alone."""
        return 0.5 if alone and any(self.memory[host] for host in HOSTS[1:]) else 1.0

    def answer(self, host: str, words: Sequence[str]) -> str:
        if host in self.gone:
            raise ToolError(f"docker {words[0]} failed on {host}: no connection")
        self.calls.append((host, *words))
        find = {"inspect": self.inspect, "exec": self.execute, "volume": self.volume, "start": self.start,
                "restart": self.start, "stop": self.stop}  # fmt: skip
        if words[0] == "run":
            return "01M8M91B4GPSSFMXR128A7WMBB\n" if self.not_uploaded and host == "hub-c" else ""
        return find[words[0]](host, list(words)) if words[0] in find else ""

    def missing(self) -> list[Any]:
        """Lines on the disk that the bucket has not."""
        return []

    def copy(self) -> int:
        self.calls.append(("copy",))
        return 0

    def inspect(self, host: str, words: list[str]) -> str:
        role = words[-1].removeprefix("fleetwatch-")
        running = "false" if (host, role) in self.stopped else "true"
        if hub_node.STATE in words:
            return f"{running} start-{self.starts.get(host, 0)}"
        return f"{running}\n"

    def start(self, host: str, words: list[str]) -> str:
        self.stopped.discard((host, words[-1].removeprefix("fleetwatch-")))
        return ""

    def stop(self, host: str, words: list[str]) -> str:
        self.stopped.add((host, words[-1].removeprefix("fleetwatch-")))
        self.memory[host] = self.keeps
        return ""

    def volume(self, host: str, words: list[str]) -> str:
        if words[1] == "inspect":
            return self.record or ""
        if words[1] == "create":
            self.record = next(word for word in words if word.startswith(grow_record.LABEL)).partition("=")[2]
        elif words[1] == "rm":
            self.record = None
        return ""

    def execute(self, host: str, words: list[str]) -> str:
        url = urlsplit(words[-1])
        if url.path == "/ingester/shutdown":
            self.starts[host] = self.starts.get(host, 0) + 1
            return ""
        if "query" not in url.path:
            return "1024 /data" if "du" in words else ""
        alone = bool(self.stopped) or "_grow_lines" in url.netloc
        whole = LINES if url.path.startswith("/loki") else SAMPLES
        part = 0.5 if whole == LINES and self.lost_lines and alone else self.holds(alone)
        assert parse_qs(url.query)["time"]
        return json.dumps({"data": {"result": [{"value": [0, str(whole * part)]}]}})


def _settings(kind: str) -> Settings:
    if kind == "cluster":
        return cluster()
    return load(fleet({**HUB, "storage": {"kind": "bucket", "bucket": CLUSTER["bucket"]}}), "test")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(agent_targets, "docker_on", lambda *_: lambda host: ["ssh", host])
    monkeypatch.setattr(
        hub_docker.HubDocker, "sent", lambda self, words, stdin=b"": made.answer(self.host, words).encode()
    )
    clock = iter(range(10**9))
    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)) * 100)
    monkeypatch.setattr(grow_cluster, "up", _up(made))
    monkeypatch.setattr(grow_cluster, "Lines", lambda *_: made)
    return made


def _up(world: World) -> Any:
    def up(stack: Any, moves: bool = False) -> int:
        assert moves, "a plain update refuses"
        world.calls.append(("up",))
        if stack.next == "bucket":
            world.stopped.clear()
            world.gone.update(HOSTS[1:])
        return 0

    return up


def _stack(to: str, world: World) -> Any:
    def quiet(*words: str) -> str:
        world.removed.append(words[-1].rpartition("::")[2])
        return ""

    kinds = {"droplet": "digitalocean:index/droplet:Droplet", "volume": "digitalocean:index/volume:Volume"}
    every = {f"{host}-{what}": kind for host in HOSTS for what, kind in kinds.items()}
    every["database"] = "digitalocean:index/databaseCluster:DatabaseCluster"
    resources = [{"urn": f"urn:pulumi::{name}", "type": kind, "protect": True} for name, kind in every.items()]
    return SimpleNamespace(
        prefix=lambda: "fleetwatch", outputs=lambda: OUTPUTS, quiet=quiet, next=to,
        read_state=lambda: {"deployment": {"resources": resources}},
    )  # fmt: skip


def _place(world: World, *words: str) -> int:
    """Where the first command that has these words is."""
    return next(place for place, call in enumerate(world.calls) if all(word in " ".join(call) for word in words))


def test_two_nodes_leave_once_the_bucket_has_what_they_had(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert grow_cluster.to_bucket(_stack("bucket", world), _settings("bucket"), yes=True) == 0
    flushed = [_place(world, host, "ingester/shutdown?flush=true") for host in HOSTS]
    stopped = [_place(world, host, "stop", "receive") for host in HOSTS[1:]]
    counted = _place(world, "_grow_lines", "/loki/api/v1/query")
    assert flushed[0] < flushed[1] < stopped[0] < flushed[2] < stopped[1] < counted < world.calls.index(("up",))
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
        grow_cluster.to_bucket(_stack("bucket", world), _settings("bucket"), yes=True)
    assert ("up",) not in world.calls
    assert not world.removed
    assert not world.stopped, "the nodes run again"
    assert json.loads(world.record or "")["written"] is False


def test_samples_that_only_a_leaving_node_has_are_noticed(world: World) -> None:
    world.keeps = True
    with pytest.raises(ToolError, match=r"hub has 250 of 500 samples of the day .* wait for two hours"):
        grow_cluster.to_bucket(_stack("bucket", world), _settings("bucket"), yes=True)
    assert ("up",) not in world.calls


def test_a_run_goes_on_where_the_last_one_was_stopped(world: World) -> None:
    first, settings = _stack("bucket", world), _settings("bucket")
    first.quiet = lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        grow_cluster.to_bucket(first, settings, yes=True)
    assert json.loads(world.record or "")["written"] is True
    world.calls.clear()
    world.gone.add("hub-b")  # an update began to remove it
    assert grow_cluster.to_bucket(_stack("bucket", world), settings, yes=True) == 0
    assert not [call for call in world.calls if "shutdown" in call[-1] or call[1:2] == ("stop",)]


def test_nodes_that_ran_again_write_again(world: World) -> None:
    counts = Counts({1.0: SAMPLES}, {})
    settings = _settings("bucket")
    grow_record.write(Move(_stack("bucket", world), settings), "bucket", counts, written=True)
    assert grow_cluster.to_bucket(_stack("bucket", world), settings, yes=True) == 0
    assert _place(world, "hub-c", "stop", "receive") < world.calls.index(("up",))


def test_a_node_that_does_not_answer_stops_the_move(world: World) -> None:
    world.gone.add("hub-b")
    with pytest.raises(ToolError, match="failed on hub-b"):
        grow_cluster.to_bucket(_stack("bucket", world), _settings("bucket"), yes=True)
    assert not [call for call in world.calls if call[1:2] == ("stop",)]


def test_three_nodes_answer_with_what_one_had(world: World) -> None:
    assert grow_cluster.to_cluster(_stack("cluster", world), _settings("cluster"), yes=True) == 0
    written = _place(world, "hub", "ingester/shutdown?flush=true")
    assert world.calls.index(("copy",)) < world.calls.index(("up",)) < written
    for host in HOSTS:
        asked = [place for place, call in enumerate(world.calls) if call[0] == host and "/loki/api" in call[-1]]
        assert max(asked) > written, "lines of the first node's memory are read on the others"
    assert world.record is None


def test_the_plan_names_nodes_and_costs() -> None:
    shown = grow_plan.to_cluster(_settings("cluster"), {"monthly_usd": 39.0}, 2 * disk.GB)
    assert "The hub becomes three nodes: a (hub), b (hub-b), c (hub-c)." in shown
    assert "2.0 GB of log lines on the hub's disk are copied into it first, in about 2 min" in shown
    assert "a month costs 39.00 USD before and " in shown
    assert "not known" in grow_plan.from_cluster(_settings("bucket"), {}, None)
    assert "at most 3 MB of metrics in about 1 min" in grow_plan.from_cluster(_settings("bucket"), {}, 3 * 1024**2)


def test_records_of_another_move_or_day_do_not_count(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    move = Move(_stack("bucket", world), _settings("bucket"))
    made = grow_record.write(move, "bucket", Counts({5.0: 1.0}, {7.0: 2.0}))
    assert grow_record.read(move, "bucket") == made
    assert grow_record.read(move, "cluster") is None
    assert made.fresh
    monkeypatch.setattr(time, "time", lambda: made.at + 2 * hub_move.DAY)
    assert not made.fresh
