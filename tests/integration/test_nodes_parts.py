"""The steps of a move to and from three nodes, one by one on a hub in a bucket with real containers."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from unittest import mock

import pytest

from configs import names
from configs.metrics_store import QUERY
from configs.settings import Settings
from tests.integration import backup, outage
from tests.integration.rig import Rig, docker, eventually, rig
from tools import grow_counts, grow_record, lines_reader, setup
from tools.environment import pulumi_env
from tools.grow_counts import Counts
from tools.grow_lines import Lines
from tools.hub_node import PARTS, Node
from tools.stack import Stack

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("nodes-parts")]


class Moved:
    """The hub as `make grow` handles it."""

    def __init__(self, made: Rig) -> None:
        self.rig = made
        self.stack = Stack(made.name, made.file, pulumi_env(made.home / "state" / made.name))
        self.node = Node(self.stack, self.settings())
        self.outputs = self.stack.outputs()
        self.counts = Counts({}, {})

    def settings(self) -> Settings:
        self.stack.prepare()
        return self.stack.valid_settings()

    def lines(self) -> Lines:
        return Lines(self.node, self.settings(), self.outputs)


@pytest.fixture(scope="module")
def moved(chain: setup.ToolChain) -> Iterator[Moved]:
    images = {image.key: image.ref for image in chain.images}
    fast = {"hosts": {"hub": {"scrape": {"agents": "2s", "hub": "2s"}}}}
    tomorrow = (datetime.now(timezone.utc) + timedelta(days=1)).date().isoformat()
    with rig("nodes", fast) as made:
        backup.Bucket(made, images["s3"], made.home, size="400m").prepare()
        made.change({"hub": {"storage": {"kind": "bucket", "logs_since": tomorrow}}})
        outage.start_writer(made, images["test-app"])
        made.up()
        with mock.patch.dict(os.environ, made.env):
            yield Moved(made)


def test_samples_and_lines_are_counted(moved: Moved, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grow_counts, "SETTLED", 5)

    def counted() -> bool:
        moved.counts = grow_counts.counted(moved.node, moved.settings())
        return bool(moved.counts.samples) and sum(moved.counts.lines.values()) > 10

    eventually("samples and lines", counted, patience=90, pause=3)
    record = grow_record.write(moved.node, "bucket", moved.counts, written=True)
    assert grow_record.read(moved.node, "bucket") == record
    grow_record.remove(moved.node)
    assert grow_record.read(moved.node, "bucket") is None


def test_lines_of_the_disk_are_copied(moved: Moved) -> None:
    url = f"http://{names.address(moved.rig.prefix, 'loki', names.LOKI_PORT)}/flush"
    docker("exec", moved.rig.container(QUERY), "wget", "-q", "-O", "-", "--post-data", "", url)
    lines = moved.lines()
    eventually("chunks on the disk", lines.on_disk)
    before = moved.rig.started("loki")
    moved.node.write_lines()
    assert moved.rig.started("loki")[1] != before[1], "it restarts, and has written its index then"
    assert lines.copy() >= 2, "a chunk and an index"
    assert not lines.missing()


def test_lines_are_read_in_the_bucket_alone(moved: Moved) -> None:
    moved.rig.change({"hub": {"storage": {"logs_since": None}}})
    with lines_reader.running(moved.node, moved.settings(), moved.outputs) as address:
        grow_counts.require_lines(moved.node, address, moved.counts, "They were copied.")
    assert f"{moved.rig.prefix}_grow_lines" not in docker("ps", "-a", "--format", "{{.Names}}")


def test_a_node_that_stopped_has_uploaded_everything_and_starts_again(moved: Moved) -> None:
    assert moved.node.took_since(time.time()) == list(PARTS)
    moved.node.stop()
    stopped = time.time()
    assert moved.node.took_since(stopped) == []
    moved.node.start()
    moved.node.stop()
    assert moved.node.took_since(stopped) == list(PARTS)
    moved.node.start()
    moved.node.read_new_blocks()
    moved.node.read_new_lines()
    grow_counts.require_samples(moved.node, moved.counts, "They were uploaded.")
    moved.lines().forget()
    assert not moved.lines().on_disk()
