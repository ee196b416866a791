"""What `make grow` shows before it starts, and the scripts that it runs on the hub, on folders of this machine."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest import mock

import pytest

from configs import disk
from configs.settings import Settings, load
from tests.fixtures.full import SOURCE, STORAGE, in_bucket, small
from tools import grow, grow_plan, grow_single
from tools.bucket_blocks import Block, BucketBlocks, _block, documents
from tools.errors import ToolError
from tools.hub_move import DAY

NOW = time.time()
NAME = "01M8M91B4GPSSFMXR128A7WMBB"
META = {"ulid": NAME, "version": 1, "compaction": {"level": 3, "sources": [NAME]}}


def _single(**retention: Any) -> Settings:
    storage = {"kind": "single", "bucket": STORAGE["bucket"], "logs_until": "2026-12-05"}
    return load(small(hub={"local": {}, "storage": storage, "retention": retention}), SOURCE)


def _raw(days: int, size: int = 3 * disk.GB) -> Block:
    return Block(NAME, NOW - days * DAY, NOW, size, 0)


def _coming(oldest: int, *blocks: Block, free: int = 100 * disk.GB) -> grow_plan.Coming:
    return grow_plan.Coming(blocks, min(block.begin for block in blocks), NOW - oldest * DAY, free)


def test_the_plan_of_a_move_back_says_what_is_lost() -> None:
    shown = grow_plan.to_single(_single(), _coming(730, _raw(90)))
    assert "1 blocks, 3.0 GB, from " in shown
    assert "in about 3 min at 20 MB/s; 100.0 GB are free" in shown
    assert "The 640 days before that, back to " in shown
    assert "are lost to the dashboards: the bucket has them down-sampled alone" in shown
    assert "Log lines before 2026-12-05 stay in the bucket" in shown
    assert "neither the hub nor the bucket is at DigitalOcean" in shown


def test_the_plan_of_a_move_back_without_a_loss_says_so() -> None:
    assert "Every sample in the bucket is copied." in grow_plan.to_single(_single(), _coming(10, _raw(10)))


def test_the_plan_of_a_move_there_has_size_time_and_cost() -> None:
    assert ", 6.0 GB of metrics, in about 5 min at 20 MB/s." in grow_plan.to_bucket(in_bucket(), 6 * disk.GB)
    assert "of metrics" not in grow_plan.to_bucket(in_bucket(), None)
    storage = {"kind": "bucket", "bucket": {"spaces": "ams3"}}
    cloud = load(small(hub={"droplet": {"region": "fra1"}, "storage": storage}, ssh={"key": "~/key"}), SOURCE)
    assert "At DigitalOcean a month costs 34.00 USD before and 39.00 USD after" in grow_plan.to_bucket(cloud, 1)


def test_too_small_a_disk_is_refused_before_anything_is_done() -> None:
    grow_plan.require_space(_single(), _coming(9, _raw(9)))
    with pytest.raises(ToolError, match=r"hub\.retention\.metrics_size: expected at least 3\.0 GB"):
        grow_plan.require_space(_single(metrics_size="1GB"), _coming(9, _raw(9)))
    with pytest.raises(ToolError, match=r"disk has 2\.0 GB free, expected at least 3\.0 GB"):
        grow_plan.require_space(_single(), _coming(9, _raw(9), free=2 * disk.GB))


def test_blocks_are_read_from_thanos_documents() -> None:
    meta = {
        "ulid": NAME, "minTime": 1000, "maxTime": 9000,
        "thanos": {"downsample": {"resolution": 300000}, "files": [{"rel_path": "index", "size_bytes": 7}, {}]},
    }  # fmt: skip
    text = json.dumps(meta, indent="\t") + "\n" + json.dumps(meta) + "\n"
    assert [_block(one) for one in documents(text)] == [Block(NAME, 1.0, 9.0, 7, 300)] * 2
    assert not list(documents("\n"))


def _made(folder: Path, name: str = NAME) -> Path:
    block = folder / name
    (block / "chunks").mkdir(parents=True)
    (block / "chunks" / "000001").write_text("samples")
    (block / "meta.json").write_text(json.dumps(META, indent="\t"))
    return block


def _shell(script: str, root: Path, *words: str, **env: str) -> None:
    for path in words:
        script = script.replace(path, f"{root}{path}")
    subprocess.run(["sh", "-ec", script], check=True, env={**os.environ, **env})


def test_gathered_blocks_are_complete_and_taken_once(tmp_path: Path) -> None:
    snapshot = tmp_path / "received/default-tenant/snapshots/2026"
    _made(snapshot)
    (snapshot / NAME.replace("B", "C")).mkdir()  # without meta.json: it is not complete
    (tmp_path / "prometheus/snapshots").mkdir(parents=True)
    for _ in range(2):
        _shell(grow_single._GATHER, tmp_path, "/prometheus", "/received")
    assert os.listdir(tmp_path / "prometheus/grow") == [NAME]
    _shell(grow_single._TAKE, tmp_path, "/prometheus")
    taken = json.loads((tmp_path / "prometheus" / NAME / "meta.json").read_text())
    assert taken["compaction"] == {"hints": ["from-out-of-order"], "level": 3, "sources": [NAME]}
    assert os.listdir(tmp_path / "prometheus") == [NAME]
    # An interrupted run gathers and takes again: what is there stays.
    (tmp_path / "prometheus" / NAME / "chunks" / "000001").write_text("as it was")
    _shell(grow_single._GATHER + grow_single._TAKE, tmp_path, "/prometheus", "/received")
    assert (tmp_path / "prometheus" / NAME / "chunks" / "000001").read_text() == "as it was"


class Sources:
    """A bucket with these blocks; its scripts run on folders of this machine."""

    def __init__(self, root: Path, *blocks: Block) -> None:
        self.root, self.blocks = root, blocks

    def listed(self) -> list[Block]:
        return list(self.blocks)

    def run(self, script: str, *_: str) -> str:
        for path in ("/prometheus", "/received"):
            script = script.replace(path, f"{self.root}{path}")
        return subprocess.run(["sh", "-ec", script], check=True, capture_output=True, text=True).stdout

    def require(self, received: dict[str, int] | None = None) -> None:
        move: Any = SimpleNamespace(volume="fw-prometheus")
        grow_single.require_gathered(move, cast(BucketBlocks, self), received or {}, NOW - 30 * DAY)


def test_a_move_back_takes_nothing_while_a_block_of_the_bucket_is_missing(tmp_path: Path) -> None:
    _made(tmp_path / "prometheus/grow")
    sources: Any = Sources(tmp_path, Block(NAME.replace("B", "D"), 0, NOW, BYTES, 0))
    sources.copied = lambda *_: None  # it leaves the block out
    move: Any = SimpleNamespace(prefix="fw", volume="fw-prometheus", inspected=lambda *_: None)
    with pytest.raises(ToolError, match="1 of 1 blocks .* nothing was moved into the database"):
        grow_single.copy(move, _single(), sources)
    assert os.listdir(tmp_path / "prometheus") == ["grow"]


BYTES = len("samples")  # of a block that `_made` makes


def test_gathered_blocks_are_those_of_the_sources(tmp_path: Path) -> None:
    gathered, other = tmp_path / "prometheus/grow", NAME.replace("B", "D")
    _made(gathered)
    old, thinned = Block(other, 0, NOW - 40 * DAY, 1, 0), Block(other, 0, NOW, 1, 300)
    sources = Sources(tmp_path, Block(NAME, 0, NOW, BYTES, 0), old, thinned)
    sources.require()
    sources.require({NAME: BYTES})
    Sources(tmp_path, Block(NAME, 0, NOW, 0, 0)).require()  # a bucket that has no sizes
    with pytest.raises(ToolError, match=f"1 of 2 blocks .* such as {other}; nothing was moved"):
        sources.require({other: BYTES})
    with pytest.raises(ToolError, match=f"1 of 2 blocks .* such as {other}; nothing was moved"):
        Sources(tmp_path, *sources.blocks, Block(other, 0, NOW, BYTES, 0)).require()


@pytest.mark.parametrize("lost", ["meta.json", "chunks/000001"])
def test_a_block_that_a_copy_left_short_is_copied_again(tmp_path: Path, lost: str) -> None:
    block = _made(tmp_path / "prometheus/grow")
    _made(tmp_path / "prometheus/grow", NAME.replace("B", "D"))
    (block / lost).unlink()
    with pytest.raises(ToolError, match=f"such as {NAME}; .* Run `make grow TO=single` again"):
        Sources(tmp_path, Block(NAME, 0, NOW, BYTES, 0)).require()
    assert not block.exists(), "Thanos leaves out files that are there"
    assert os.listdir(tmp_path / "prometheus/grow") == [NAME.replace("B", "D")]


def test_blocks_of_receive_are_listed_with_their_sizes(tmp_path: Path) -> None:
    sources = Sources(tmp_path)
    assert grow_single.sizes(sources.run(grow_single._RECEIVED)) == {}
    block = _made(tmp_path / "received/default-tenant/snapshots/2026")
    (block / "index").write_text("index")
    (block / "tombstones").write_text("none")
    assert grow_single.sizes(sources.run(grow_single._RECEIVED)) == {NAME: BYTES + len("index")}


def test_uploaded_blocks_are_marked_and_their_originals_are_not(tmp_path: Path) -> None:
    original = _made(tmp_path / "blocks")
    copy = tmp_path / "snapshots/2026" / NAME
    copy.mkdir(parents=True)
    os.link(original / "meta.json", copy / "meta.json")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/thanos").write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$CALLED"\n')
    (tmp_path / "bin/thanos").chmod(0o755)
    called = tmp_path / "called"
    path = f"{tmp_path}/bin:{os.environ['PATH']}"
    _shell(grow.upload(f"{tmp_path}/snapshots", grow.LABELS), tmp_path, PATH=path, CALLED=str(called))
    assert json.loads((copy / "meta.json").read_text())["compaction"]["level"] == 1
    assert json.loads((original / "meta.json").read_text())["compaction"]["level"] == 3
    labels = [word for word in called.read_text().splitlines() if word.startswith("--label")]
    assert labels == ['--label=tenant_id="default-tenant"'], "with a replica Store would answer raw samples twice"


def test_lost_days_are_those_before_the_oldest_raw_block() -> None:
    found = dataclasses.replace(_coming(100, _raw(90)), begin=NOW - 15 * DAY)
    assert "The 85 days before that" in grow_plan.to_single(_single(), found)


def test_containers_of_a_killed_run_do_not_keep_a_volume_in_use() -> None:
    """`docker run` that is killed between making a container and starting it leaves it, in spite of `--rm`."""
    move = mock.Mock(prefix="acme")
    move.docker.return_value = "c1 c2\n"
    grow._remove_left(move)
    listed, removed = (call.args for call in move.docker.call_args_list)
    assert "label=fleetwatch.grow=acme" in listed
    assert {word for word in listed if word.startswith("status=")} == {"status=created", "status=exited", "status=dead"}
    assert removed == ("rm", "-f", "c1", "c2")
