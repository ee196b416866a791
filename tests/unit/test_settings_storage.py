"""Where the hub keeps its metrics and logs: what the settings accept, and what an update may change."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
import yaml

from configs.deploy import bundle
from configs.services import loki
from configs.services.context import Context
from configs.services.prometheus import out_of_order_window
from configs.services.thanos import compact, receive
from configs.settings import Settings, SettingsError, load
from configs.units import prometheus_duration
from configs.validation import hub as validation
from tests.fixtures.deployed_state import command, updated
from tests.fixtures.full import SOURCE, STORAGE, in_bucket, small
from tools import storage_change
from tools.errors import ToolError

NOW = datetime(2026, 11, 29, 23, 30, tzinfo=timezone.utc)
S3 = STORAGE["bucket"]


def problems(storage: Any, **hub: Any) -> str:
    """What is wrong with these settings."""
    try:
        settings = load(small(hub={"local": {}, "storage": storage, **hub}), SOURCE)
    except SettingsError as error:
        return str(error)
    return "\n".join(validation.problems(settings))


def test_default_is_the_hubs_disk_and_one_word_is_enough() -> None:
    assert load(small(), SOURCE).hub.storage.kind == "single"
    assert load(small(hub={"local": {}, "storage": "single"}), SOURCE).hub.storage.in_bucket is None


@pytest.mark.parametrize(
    ("storage", "said"),
    [
        ("bucket", "hub.storage: expected `bucket` beside `kind: bucket`"),
        ({"kind": "bucket", "bucket": {}}, "hub.storage.bucket: expected exactly one bucket: spaces or s3"),
        ({"kind": "bucket", "bucket": {"spaces": "mars1"}}, "expected a region with Spaces"),
        ({"kind": "bucket", "bucket": S3, "keep": {"raw": "3y"}}, "expected raw <= five_minutes <= one_hour"),
        ({"kind": "bucket", "bucket": S3, "logs_since": "tomorrow"}, 'expected a day in quotes, such as "2026-12-01"'),
        ({"kind": "clusters"}, "hub.storage.kind"),
        ({"kind": "bucket", "bucket": S3, "logs_until": "2026-12-01"}, "expected `kind: single` and the bucket"),
        ({"kind": "single", "logs_until": "2026-12-01"}, "expected `kind: single` and the bucket beside `logs_until`"),
        (
            {"kind": "single", "bucket": S3, "logs_since": "2026-12-02", "logs_until": "2026-12-01"},
            'expected `logs_until` after `logs_since`, "2026-12-02"',
        ),
    ],
)
def test_mistakes_are_sentences(storage: Any, said: str) -> None:
    assert said in problems(storage)


def test_what_a_bucket_excludes() -> None:
    assert "hub.retention.metrics: expected no such key" in problems(STORAGE, retention={"metrics": "1y"})
    assert "hub.metrics_block: expected at least 30s" in problems(STORAGE, metrics_block="20s")
    backup = {"to": S3, "password": "restic-s3cret"}
    assert "this is the bucket of hub.storage" in problems(STORAGE, backup=backup)
    assert not problems(STORAGE)


def _check(outputs: dict[str, Any], **storage: Any) -> None:
    storage_change.check(updated(outputs), in_bucket(storage={**STORAGE, **storage}), NOW)


def test_a_hub_with_data_is_prepared_first_and_keeps_its_lines() -> None:
    up = {"query": "http://127.0.0.1:8482", "storage": "single"}
    with pytest.raises(ToolError, match="expected `single` beside the bucket in one more `make up`"):
        _check(up)
    prepared = {**up, "bucket_prepared": True}
    for since in ({}, {"logs_since": "2026-11-29"}):
        with pytest.raises(ToolError, match='logs_since: expected "2026-11-30" or later'):
            _check(prepared, **since)
    _check(prepared, logs_since="2026-11-30")


def test_a_new_hub_and_one_in_its_bucket_are_free() -> None:
    _check({})
    _check({"query": "http://127.0.0.1:8482", "storage": "bucket", "bucket_prepared": True})


def test_the_way_back_keeps_the_bucket_and_its_lines() -> None:
    up = {"query": "x", "storage": "bucket"}
    with pytest.raises(ToolError, match='logs_until "2026-11-30" or later beside `kind: single`'):
        storage_change.check(updated(up), load(small(), SOURCE), NOW)
    for until in ({}, {"logs_until": "2026-11-29"}):
        with pytest.raises(ToolError, match="make grow TO=single"):
            _check(up, kind="single", **until)
    _check(up, kind="single", logs_until="2026-11-30")


def test_the_bucket_stays_until_its_lines_have_expired() -> None:
    moved = {"query": "x", "storage": "single", "logs_until": "2026-11-20"}
    with pytest.raises(ToolError, match='logs_until: expected "2026-11-20" until 2026-12-20'):
        storage_change.check(updated(moved), load(small(hub={"local": {}, "retention": {"logs": "30d"}}), SOURCE), NOW)
    storage_change.check(updated(moved), load(small(hub={"local": {}, "retention": {"logs": "9d"}}), SOURCE), NOW)
    _check(moved, kind="single", logs_until="2026-11-20")


IN_BUCKET = {"query": "x", "storage": "bucket", "logs_since": "2026-11-20"}


def _kept(days: int, **storage: Any) -> Settings:
    kind = {"kind": "bucket", "bucket": S3, **storage}
    return load(small(hub={"local": {}, "storage": kind, "retention": {"logs": f"{days}d"}}), SOURCE)


@pytest.mark.parametrize("storage", [{}, {"logs_since": "2026-11-10"}, {"logs_since": "2026-12-01"}])
def test_the_lines_of_the_disk_are_read_until_they_have_expired(storage: dict[str, str]) -> None:
    with pytest.raises(ToolError, match='logs_since: expected "2026-11-20" until 2026-12-20, the hub\'s disk has'):
        storage_change.check(updated(IN_BUCKET), _kept(30, **storage), NOW)


def test_lines_of_the_disk_are_read_after_the_way_back_too() -> None:
    back = {"kind": "single", "logs_until": "2026-11-30"}
    with pytest.raises(ToolError, match='logs_since: expected "2026-11-20" until 2026-12-20'):
        storage_change.check(updated(IN_BUCKET), _kept(30, **back), NOW)
    storage_change.check(updated(IN_BUCKET), _kept(30, **back, logs_since="2026-11-20"), NOW)


def test_expired_lines_of_the_disk_need_no_day() -> None:
    storage_change.check(updated(IN_BUCKET), _kept(30, logs_since="2026-11-20"), NOW)
    storage_change.check(updated(IN_BUCKET), _kept(9), NOW)
    with pytest.raises(ToolError, match='expected "2026-11-20" or no such key, the lines from that day on are in'):
        storage_change.check(updated(IN_BUCKET), _kept(9, logs_since="2026-12-01"), NOW)
    storage_change.check(updated({**IN_BUCKET, "logs_since": ""}), _kept(30), NOW)
    with pytest.raises(ToolError, match="logs_since: expected no such key, all log lines of this hub are in its"):
        storage_change.check(updated({**IN_BUCKET, "logs_since": ""}), _kept(30, logs_since="2026-11-20"), NOW)


def test_a_day_that_has_not_come_may_be_another() -> None:
    storage_change.check(updated({**IN_BUCKET, "logs_since": "2026-11-30"}), _kept(30, logs_since="2026-12-05"), NOW)
    with pytest.raises(ToolError, match='expected "2026-11-30" until'):
        storage_change.check(
            updated({**IN_BUCKET, "logs_since": "2026-11-30"}), _kept(30, logs_since="2026-11-29"), NOW
        )


def _with_loki(was: str, **storage: str) -> dict[str, Any]:
    """The state after an update with these settings that was killed after Loki was restarted."""
    text = loki.config(in_bucket(storage={**STORAGE, **storage}), {"bucketnames": "acme"})
    files = command("hub-loki-config", "hub", inputs={"stdin": bundle({"loki.yml": text, loki.LIMITS: "{}"})})
    return updated({"query": "x", "storage": was, "bucket_prepared": True}, files)


@pytest.mark.parametrize(
    ("was", "key", "kind"), [("single", "logs_since", "bucket"), ("bucket", "logs_until", "single")]
)
def test_the_day_of_an_interrupted_move_stays_once_it_has_come(was: str, key: str, kind: str) -> None:
    def refused(day: str, began: str) -> str:
        state = _with_loki(was, kind=kind, **{key: began})
        try:
            storage_change.check(state, in_bucket(storage={**STORAGE, "kind": kind, key: day}), NOW)
        except ToolError as problem:
            return str(problem)
        return ""

    assert not refused("2026-11-29", began="2026-11-29")
    assert not refused("2026-11-25", began="2026-11-25")
    for day in ("2026-11-28", "2026-11-30"):
        assert f'"2026-11-29"{":" if kind == "bucket" else " beside"}' in refused(day, began="2026-11-29")
    assert '"2026-11-30" or later' in refused("2026-11-29", began="2026-11-30"), "it has not come"
    assert not refused("2026-12-05", began="2026-11-30")


def test_a_day_that_the_last_update_did_not_record_is_a_warning() -> None:
    before = {"query": "x", "storage": "bucket"}
    assert storage_change.unknown(before, _kept(30))
    assert not storage_change.unknown(before, _kept(30, logs_since="2026-11-20"))
    assert not storage_change.unknown({**before, "logs_since": ""}, _kept(30))
    assert not storage_change.unknown({"query": "x", "storage": "single"}, load(small(), SOURCE))


def _periods(**storage: str) -> list[tuple[str, str]]:
    settings = in_bucket(storage={**STORAGE, **storage})
    text = loki.config(settings, {"bucketnames": "acme"} if settings.hub.storage.lines_in_bucket else None)
    return [(one["from"], one["object_store"]) for one in yaml.safe_load(text)["schema_config"]["configs"]]


def test_lines_are_read_where_they_were_written() -> None:
    assert _periods() == [(loki.BEGIN, "s3")]
    assert _periods(logs_since="2026-11-01") == [(loki.BEGIN, "filesystem"), ("2026-11-01", "s3")]
    back = {"kind": "single", "logs_until": "2026-12-01"}
    assert _periods(**back) == [(loki.BEGIN, "s3"), ("2026-12-01", "filesystem")]
    assert _periods(**back, logs_since="2026-11-01") == [
        (loki.BEGIN, "filesystem"),
        ("2026-11-01", "s3"),
        ("2026-12-01", "filesystem"),
    ]


@pytest.mark.parametrize(("block", "kept"), [("30s", "0d"), ("2h", "3d")])
def test_receive_does_not_prune_with_short_blocks(block: str, kept: str) -> None:
    """It panics when it prunes while it opens a database; it prunes more often the shorter its blocks are."""
    (spec,) = receive.specs(Context(settings=in_bucket(metrics_block=block), name="hub"))
    assert f"--tsdb.retention={kept}" in spec.command
    assert {f"--tsdb.{end}-block-duration={block}" for end in ("min", "max")} <= set(spec.command)


@pytest.mark.parametrize(("budget", "window"), [("24h", "27h"), ("2d", "54h")])
def test_receive_takes_late_samples_as_long_as_prometheus_and_compact_merges_their_blocks(
    budget: str, window: str
) -> None:
    """Blocks with late samples overlap others; without vertical compaction Compact halts at them."""
    context = Context(settings=in_bucket(outage_budget=budget), name="hub")
    (receiving,), (compacting,) = receive.specs(context), compact.specs(context)
    assert f"--tsdb.out-of-order.time-window={window}" in receiving.command
    assert prometheus_duration(out_of_order_window(context.settings)) == window
    assert "--compact.enable-vertical-compaction" in compacting.command
    assert "--deduplication.replica-label=replica" in compacting.command


@pytest.mark.parametrize(
    ("block", "budget", "limit"),
    [("2h", "24h", ["--max-time=-78h"]), ("2h", "7d", ["--max-time=-342h"]), ("30s", "24h", [])],
)
def test_compact_leaves_what_receive_still_answers(block: str, budget: str, limit: list[str]) -> None:
    """Raw and thinned samples of one time would be taken for restarts of counters (tests/integration/years.py)."""
    context = Context(settings=in_bucket(metrics_block=block, outage_budget=budget), name="hub")
    (compacting,) = compact.specs(context)
    assert [word for word in compacting.command if "max-time" in word] == limit
    assert not limit or compact.until(context.settings) > receive.retention(context.settings) + 2 * receive.BLOCK
