"""A hub that keeps its metrics and logs in a bucket, on a real S3 server: data, alerts, faults, and a lost hub."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from configs.metrics_store import COMPACT, QUERY, RECEIVE, RULE, STORE, THANOS
from tests.integration import backup, outage
from tests.integration.rig import docker, eventually
from tests.integration.stored import BLOCK, SCRAPED, SWITCH, Stored, hesitant, storing, tomorrow
from tools import setup

AWAY = 60  # seconds


@pytest.fixture(scope="module")
def stored(chain: setup.ToolChain) -> Iterator[Stored]:
    with storing(chain) as made:
        yield made


@pytest.mark.xdist_group("bucket")
class TestBucket:
    """One story, in this order."""

    def test_unprepared_move_is_refused_and_changes_nothing(self, stored: Stored) -> None:
        stored.rig.change({"hub": {"storage": {"kind": "bucket"}}})
        before = stored.rig.started_all()
        assert "expected `single` beside the bucket" in stored.rig.up_fails()
        stored.rig.change({"hub": {"storage": {"kind": "single"}}})
        stored.rig.up()
        stored.rig.change({"hub": {"storage": {"kind": "bucket"}}})
        assert "hub.storage.logs_since: expected" in stored.rig.up_fails()
        changed = {name for name, started in stored.rig.started_all().items() if before[name] != started}
        assert changed == {stored.rig.container("loki")}, "Loki gets the key of the bucket, agents reload"

    def test_wrong_key_is_refused_and_the_hub_stays(self, stored: Stored) -> None:
        stored.rig.change({"hub": {"storage": {"logs_since": tomorrow()}}})
        before = stored.rig.started_all()
        assert stored.rig.tool("secret", "hub.storage.bucket.s3.secret_key", stdin="wrong" * 8).returncode == 0
        output = stored.rig.up_fails()
        assert f"{stored.rig.container(RECEIVE)}: " in output, output[-3000:]
        assert "the bucket cannot be listed with its key: The request signature" in output, output[-3000:]
        assert "wrongwrong" not in output
        assert stored.rig.started("prometheus") == before[stored.rig.container("prometheus")], "the hub goes on"
        stored.bucket.give_secret("storage.bucket.s3")

    @pytest.mark.long
    @pytest.mark.parametrize("step", [SWITCH, "Reading the metrics", "Writing", "Copying the blocks", "Comparing"])
    def test_copy_that_is_killed_costs_nothing(self, stored: Stored, step: str) -> None:
        stored.kill_grow("bucket", step)

    def test_hub_moves_into_the_bucket(self, stored: Stored) -> None:
        done = stored.rig.tool("grow", "--to", "bucket", "--yes")
        assert done.returncode == 0, done.stdout[-4000:]
        assert "are in the bucket, with as many samples of `up` as before" in done.stdout
        assert stored.stamps()[0] < stored.began + 5, "samples of before the move are answered"
        assert f"{stored.rig.prefix}-prometheus" in docker("volume", "ls", "-q").split(), "kept until it is forgotten"
        again = stored.rig.tool("grow", "--to", "bucket", "--yes")
        assert again.returncode == 0, "a copy that is there already is no fault"
        assert stored.rig.tool("grow", "--forget", "--yes").returncode == 0
        assert f"{stored.rig.prefix}-prometheus" not in docker("volume", "ls", "-q").split()

    def test_metrics_of_every_job_and_logs_are_answered(self, stored: Stored) -> None:
        found = stored.rig.hub.metrics('up{host="hub"}')
        values = {one["metric"]["job"]: one["value"][1] for one in found}
        assert set(THANOS) <= set(values)
        assert set(values.values()) == {"1"}, values
        assert not {"replica", "tenant_id"} & set(found[0]["metric"]), "labels of Thanos' blocks are in no answer"
        eventually("log lines", lambda: stored.rig.hub.log_numbers('sum(count_over_time({host="hub"}[1h]))'))

    def test_rules_are_evaluated_and_alerts_arrive(self, stored: Stored) -> None:
        hub = stored.rig.hub
        assert backup.metric(stored.rig, "fleetwatch:host_expected") == 1
        alerts = eventually("the watchdog", lambda: hub.get("/alertmanager/api/v2/alerts", active="true"))
        (watchdog,) = [one for one in alerts if one["labels"]["alertname"] == "Watchdog"]
        assert watchdog["labels"] == {"alertname": "Watchdog", "severity": "none", "env": "test", "host": "hub"}

    def test_blocks_and_chunks_reach_the_bucket_and_are_read_there(self, stored: Stored) -> None:
        eventually("a block in the bucket", lambda: stored.objects("metrics"), patience=240, pause=5)
        loaded = f'thanos_bucket_store_blocks_loaded{{job="{STORE}"}}'
        eventually("the block is read", lambda: backup.metric(stored.rig, loaded) > 0, patience=180, pause=5)

    def test_doctor_finds_no_fault(self, stored: Stored) -> None:
        done = stored.rig.tool("doctor")
        assert done.returncode == 0, done.stdout
        assert "Everything has data" in done.stdout

    def test_grafana_and_ask_read_through_query(self, stored: Stored) -> None:
        assert [one["value"][1] for one in stored.by_grafana(SCRAPED)] == ["1"]
        done = stored.rig.tool("ask", "memory of hub", "--json")
        assert '"status": "answered"' in done.stdout, done.stdout

    @pytest.mark.long
    def test_job_without_data_ends_an_update_in_failure(self, stored: Stored) -> None:
        with stored.silent_app("silent"):
            assert "DOWN  host hub, job silent: " in (said := stored.rig.up_fails()), said[-3000:]
        assert "DOWN" not in stored.rig.up()

    @pytest.mark.long
    def test_hub_that_is_down_costs_nothing(self, stored: Stored) -> None:
        receiving = [stored.rig.container(role) for role in ("caddy", RECEIVE, "loki")]
        docker("stop", *receiving)
        time.sleep(AWAY)
        docker("start", *reversed(receiving))
        back = time.time()
        eventually("samples of now", lambda: stored.stamps()[-1] > back, patience=180)

    @pytest.mark.long
    def test_every_image_is_replaced(self, stored: Stored, chain: setup.ToolChain) -> None:
        """What it costs is counted below."""
        before, after = stored.replaced({image.key: image.ref for image in chain.images})
        assert [name for name in before if before[name][0] == after[name][0]] == []

    @pytest.mark.long
    @pytest.mark.parametrize("role", [RECEIVE, STORE, COMPACT, QUERY, RULE, "loki", "caddy"])
    def test_killed_part_returns(self, stored: Stored, role: str) -> None:
        stored.kill(role)
        eventually("it is scraped", lambda: backup.metric(stored.rig, f'up{{job="{role}"}}') == 1, patience=120)

    @pytest.mark.long
    def test_bucket_that_is_down_costs_nothing(self, stored: Stored) -> None:
        begun = time.time()
        with stored.down():
            eventually("a block is due", lambda: time.time() > begun + 2 * BLOCK, patience=3 * BLOCK)
            assert stored.patient().metrics(SCRAPED), "what Receive has is answered"
        eventually("a newer block is uploaded", lambda: stored.uploaded() > begun + BLOCK, patience=240, pause=5)

    @pytest.mark.long
    def test_full_bucket_is_reported_and_costs_nothing(self, stored: Stored) -> None:
        with stored.full():
            stored.require_report()
            log = docker("logs", "--tail", "20", stored.rig.container(RECEIVE), errors=True)
            assert "upload failed" in log, log
            assert "Storage" in log or "space" in log, log

    @pytest.mark.long
    def test_slow_bucket_takes_what_is_due(self, stored: Stored) -> None:
        begun = time.time()
        with hesitant(stored.bucket.name):
            eventually("a block is uploaded", lambda: stored.uploaded() > begun, patience=150, pause=2)
            assert stored.stamps()[-1] > time.time() - 30, "new samples are taken and answered"

    def test_no_sample_was_lost_or_doubled(self, stored: Stored) -> None:
        stored.require_whole(stored.began)

    def test_no_line_was_lost_or_doubled(self, stored: Stored) -> None:
        stored.require_lines()

    def test_backup_has_what_the_bucket_has_not(self, stored: Stored) -> None:
        stored.bucket.use("restic-s3cret-of-the-test", backup.SECOND)
        stored.rig.up()
        backup.write_rows(stored.rig)
        backup.backed_up(stored.rig)
        age = "fleetwatch_backup_last_success_timestamp_seconds"
        parts = eventually("the age of every part", lambda: stored.rig.hub.metrics(age))
        assert {one["metric"]["part"] for one in parts} == {"grafana", "alertmanager", "caddy", "state"}

    def test_lost_hub_has_what_was_uploaded(self, stored: Stored) -> None:
        last = time.time()  # the slow bucket left blocks that are due: first those, then one more
        eventually("uploads of now", lambda: stored.uploaded() > last + BLOCK, patience=180, pause=3)
        backup.destroy(stored.rig, ("loki", "grafana", "alertmanager", "caddy", "backup", *THANOS))
        destroyed = time.time()
        stored.rig.up()
        eventually("samples of before", lambda: stored.stamps()[0] < destroyed, patience=120)
        assert not stored.lost(stored.began, last - 3 * BLOCK)
        missing = stored.lost(stored.began, destroyed)
        print(f"lost with the hub's disk: {len(missing)} s of samples, with blocks of {BLOCK} s")

    def test_rest_of_a_lost_hub_is_restored(self, stored: Stored) -> None:
        assert "of a hub whose data is not here, run make restore" in backup.refused(stored.rig, "backup")
        done = stored.rig.tool("restore")
        assert done.returncode == 0, done.stdout
        assert backup.rows(stored.rig) == backup.ROWS
        assert stored.rig.tool("backup", "--take").returncode == 0

    def test_drill_changes_nothing(self, stored: Stored) -> None:
        backup.drilled(stored.rig)

    def test_lines_of_a_new_hub_are_in_the_bucket(self, stored: Stored) -> None:
        stored.rig.change({"hub": {"storage": {"logs_since": None}}})
        assert "the hub's disk has log lines of the days before it" in stored.rig.up_fails()
        stored.forget_output("logs_since")  # as the state of an earlier version
        assert "it is not known whether the hub's disk has log lines" in stored.rig.up()
        begun = time.time()
        eventually("new lines", lambda: stored.rig.hub.logs('{host="hub"}', begun, time.time()))
        stored.store_lines()
        assert stored.rig.hub.logs('{host="hub"}', begun, time.time())

    def test_lines_wait_for_a_full_bucket(self, stored: Stored) -> None:
        begun, writer = stored.more_lines("writer-2")
        with stored.full():
            before = stored.objects("fake")
            stored.flush_refused("flush")
            assert stored.objects("fake") == before
        stored.store_lines(len(before))
        stored.lines = stored.ended(writer, begun)

    @pytest.mark.long
    def test_revoked_key_costs_nothing_and_another_takes_its_place(self, stored: Stored) -> None:
        begun, writer = stored.more_lines("writer-3")
        stored.bucket.revoke()
        stored.require_report()
        stored.flush_refused("SignatureDoesNotMatch")
        stored.bucket.give_secret("storage.bucket.s3", "backup.to.s3")
        stored.rig.up()
        eventually("a new block is uploaded", lambda: stored.uploaded() > begun + 3 * BLOCK, patience=240, pause=5)
        assert not stored.lost(begun, stored.uploaded())
        stored.ended(writer, begun)

    @pytest.mark.long
    def test_lost_disk_of_loki_costs_no_line_of_the_bucket(self, stored: Stored) -> None:
        stored.write_lines()
        stored.lose("loki")
        stored.rig.up()
        eventually("the lines that were stored", stored.has_lines, patience=180, pause=3)

    @pytest.mark.long
    def test_hub_moves_back_to_its_disk(self, stored: Stored) -> None:
        begun, writer = stored.more_lines("writer-4")
        known = stored.stamps()
        stored.rig.change({"hub": {"storage": {"kind": "single"}}})
        assert f'logs_until "{tomorrow()}" or later beside `kind: single`' in stored.rig.up_fails()
        stored.rig.change({"hub": {"storage": {"logs_until": tomorrow()}}})
        for step in (SWITCH, "Copying what was not", "Copying the blocks", "Counting", "Moving the", "Comparing"):
            stored.kill_grow("single", step)
        done = stored.rig.tool("grow", "--to", "single", "--yes")
        assert done.returncode == 0, done.stdout[-4000:]
        assert "Every sample in the bucket is copied" in done.stdout
        assert "are on the hub's disk, with as many samples of `up` as in the bucket" in done.stdout
        stored.rig.up()
        again = stored.rig.tool("grow", "--to", "single", "--yes")
        assert again.returncode == 0, again.stdout[-4000:]
        docker("restart", stored.rig.container("prometheus"))
        times = stored.require_whole(begun - 60)
        assert not set(known) - set(times), "samples of before the move are answered"
        stored.ended(writer, begun)

    @pytest.mark.long
    def test_lines_of_the_bucket_are_read_after_the_move(self, stored: Stored) -> None:
        writer = stored.rig.container("writer-2")
        found = eventually("lines", lambda: outage.numbers(stored.rig, writer, stored.began), patience=90)
        assert found == stored.lines
        assert stored.rig.tool("grow", "--forget", "--yes").returncode == 0
        assert not [name for name in docker("volume", "ls", "-q").split() if f"{stored.rig.prefix}-thanos" in name]
        done = stored.rig.tool("doctor")
        assert "Everything has data" in done.stdout, done.stdout
