"""`make rebuild` of a machine that the cloud no longer has."""

from __future__ import annotations

import argparse
import time
from typing import Any

import pytest

from configs.settings import Settings
from tests.fixtures.full import in_bucket
from tools import nodes, replacement
from tools.errors import ToolError
from tools.hub_node import Node
from tools.stack import Stack

HUB = "urn:pulumi:prod::fleetwatch::fleetwatch:index:Host$digitalocean:index/droplet:Droplet::hub-droplet"
DISK = "urn:pulumi:prod::fleetwatch::fleetwatch:index:Host$digitalocean:index/volume:Volume::hub-volume"


class StandIn(Stack):
    """A stack whose engine finds `left` at the cloud."""

    def __init__(self, left: list[str]) -> None:
        self.left, self.asked = left, list[tuple[str, ...]]()
        self.state = {"deployment": {"resources": [{"urn": HUB, "type": replacement.DROPLET}]}}

    def quiet(self, *arguments: str, stdin: str | None = None) -> str:
        self.asked.append(arguments)
        return ""

    def read_state(self) -> dict[str, Any]:
        return {"deployment": {"resources": [{"urn": urn} for urn in self.left]}}

    def run(self, *arguments: str, shown: object = None) -> int:
        self.asked.append(arguments)
        return 0


@pytest.mark.parametrize(
    ("left", "gone"),
    [([HUB, DISK], []), ([HUB], ["hub-volume"]), ([], ["hub-droplet", "hub-volume"])],
    ids=["both there", "no volume", "neither"],
)
def test_only_what_is_named_is_looked_for(left: list[str], gone: list[str]) -> None:
    stack = StandIn(left)
    assert replacement.lost(stack, [HUB, DISK]) == gone
    assert stack.asked == [("refresh", "--yes", "--skip-preview", "--target", HUB, "--target", DISK)]


@pytest.mark.parametrize("there", [True, False])
def test_what_is_gone_is_not_replaced_but_made(monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    stack = StandIn([])
    monkeypatch.setattr(replacement, "report_status", lambda _: True)
    assert replacement.replace(stack, replacement.DROPLET, "hub-droplet", "Replacing", there=there) == 0
    assert ("--replace" in stack.asked[0], HUB in stack.asked[0]) == (there, there)


def test_a_stack_file_with_fewer_nodes_removes_none_by_rebuild(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stored(StandIn):
        def prepare(self, check: bool = True) -> dict[str, Any]:
            return {}

        def select(self, repair: bool = True) -> None:
            outputs = {"query": "x", "storage": "cluster"}
            self.state = {"deployment": {"resources": [{"type": "pulumi:pulumi:Stack", "outputs": outputs}]}}

        def settings(self) -> Settings:
            return in_bucket()

    stack = Stored([])
    monkeypatch.setattr(replacement, "open_stack", lambda _: stack)
    with pytest.raises(ToolError, match="run `make grow TO=bucket`"):
        replacement._rebuild(argparse.Namespace(host="hub-b"))
    assert not stack.asked


@pytest.mark.parametrize("away", ["", "hub-b"])
def test_the_lines_of_every_node_are_written_before_another_is_replaced(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], away: str
) -> None:
    asked: list[str] = []

    class NodeStandIn:
        def __init__(self, stack: Stack, settings: Settings, host: str) -> None:
            self.host = host

        def flush_lines(self) -> None:
            asked.append(self.host)
            if self.host == away:
                raise ToolError(f"docker exec failed on {self.host}: it does not answer")

    class Cluster(StandIn):
        def outputs(self, secrets: bool = False) -> dict[str, Any]:
            return {"nodes": dict.fromkeys(("hub", "hub-b", "hub-c"), "a"), "hosts": {}, "hub_host": "hub"}

        def settings(self) -> Settings:
            return in_bucket()

    monkeypatch.setattr(replacement, "Node", NodeStandIn)
    monkeypatch.setattr(nodes, "of", lambda outputs: outputs["nodes"])
    assert replacement._lines(Cluster([]), "web-1") == 0
    assert asked == []
    assert replacement._lines(Cluster([]), "hub-c") == (1 if away else 0)
    assert asked == (["hub", "hub-b"] if away else ["hub", "hub-b", "hub-c"])
    assert ("replace no other node" in capsys.readouterr().out) == bool(away)


def test_lines_are_written_once_as_many_chunks_are_written_as_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(
        f'# HELP\nloki_ingester_flush_queue_length {queue}\nloki_ingester_chunks_flushed_total{{reason="x"}} {done}\n'
        f'loki_ingester_chunks_flush_requests_total 9\nloki_ingester_chunks_flush_failures_total{{tenant="a"}} 1\n'
        'loki_ingester_chunks_flush_failures_total{tenant="b"} 1\nloki_ingester_memory_chunks 40\n'
        for queue, done in ((2, 4), (0, 5), (0, 7))
    )
    node = object.__new__(Node)
    node.prefix, node.host = "fleetwatch", "hub-b"
    asked: list[str] = []

    def get(url: str, patience: int, *more: str) -> str:
        asked.append(url.rpartition("/")[2])
        return next(answers) if url.endswith("/metrics") else ""

    monkeypatch.setattr(node, "get", get)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    node.flush_lines()
    assert asked == ["flush", "metrics", "metrics", "metrics"]
