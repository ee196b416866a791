"""What `make grow` shows before it starts, and the scripts that it runs on the hub, on folders of this machine."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from configs import disk
from configs.settings import Settings, load
from tests.fixtures.full import SOURCE, STORAGE, in_bucket, small
from tools import grow, grow_plan, grow_single
from tools.bucket_blocks import Block, _block, documents
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
    _shell(grow.upload(f"{tmp_path}/snapshots", {"replica": "a"}), tmp_path, PATH=path, CALLED=str(called))
    assert json.loads((copy / "meta.json").read_text())["compaction"]["level"] == 1
    assert json.loads((original / "meta.json").read_text())["compaction"]["level"] == 3
    assert '--label=replica="a"' in called.read_text().splitlines()


def test_lost_days_are_those_before_the_oldest_raw_block() -> None:
    found = dataclasses.replace(_coming(100, _raw(90)), begin=NOW - 15 * DAY)
    assert "The 85 days before that" in grow_plan.to_single(_single(), found)
