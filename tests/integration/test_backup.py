"""The hub's backup on a real S3 server: faults, a hub that is destroyed, its restore, and a drill."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from localcloud.spaces import S3, S3Error
from tests.integration import backup, backup_story, spaces
from tests.integration.backup_story import Told
from tests.integration.rig import docker, eventually, rig
from tools import setup

PASSWORD = "restic-s3cret-of-the-test"
USER, QUESTION = "keeper", "how full are the disks?"


@pytest.fixture(scope="module")
def told(chain: setup.ToolChain) -> Iterator[Told]:
    images = {image.key: image.ref for image in chain.images}
    scrape = {"agents": "2s", "hub": "2s"}
    with rig("backup", {"hub": {"ask": {}}, "hosts": {"hub": {"scrape": scrape}}}) as made:
        bucket = backup.Bucket(made, images["s3"], made.home)
        bucket.use(PASSWORD)
        made.change({"hub": {"backup": {"keep": backup_story.KEEP}}})
        found = Told(made, bucket, images["s3"])
        found.began = time.time()
        made.up()
        backup.write_rows(made)
        docker("exec", made.container("alertmanager"), "sh", "-c", "echo kept > /alertmanager/kept")
        found.ask.make_account(USER, PASSWORD)
        found.ask.answer(QUESTION)
        eventually("the question is in the history", lambda: found.ask.history() == [QUESTION], 20)
        yield found


@pytest.mark.xdist_group("backup")
class TestBackup:
    """One story, in this order."""

    def test_every_part_is_backed_up_and_its_metrics_arrive(self, told: Told) -> None:
        backup.backed_up(told.rig)
        parts = eventually(
            "the age of every part",
            lambda: len(told.rig.hub.metrics("fleetwatch_backup_last_success_timestamp_seconds")) == 7,
        )
        assert parts
        assert backup.metric(told.rig, "sum(fleetwatch_backup_failed)") == 0
        assert backup.metric(told.rig, 'fleetwatch_backup_size_bytes{part="metrics"}') > 1000
        assert backup.metric(told.rig, "min(fleetwatch_backup_progress_ratio) == 1") == 1
        assert backup.metric(told.rig, "count(fleetwatch_backup_duration_seconds)") == 7

    def test_no_snapshot_of_prometheus_stays(self, told: Told) -> None:
        look = ("exec", told.rig.container("prometheus"), "sh", "-c", "ls /prometheus/snapshots")
        eventually("the snapshots are removed", lambda: docker(*look).strip() == "", patience=75)

    def test_secrets_are_in_no_argument_environment_and_log(self, told: Told) -> None:
        name = told.rig.container("backup")
        seen = docker("inspect", name) + docker("logs", name) + docker("top", name)
        seen += docker("exec", name, "sh", "-c", "cat /proc/[0-9]*/environ | tr '\\0' '\\n'")
        state = told.rig.home / "state" / told.rig.name
        seen += "".join(
            path.read_text() for path in state.rglob("*.json") if path.is_file() and "files" not in path.parts
        )
        for secret in (PASSWORD, told.bucket.secret):
            assert secret not in seen
        assert "RESTIC_PASSWORD=" not in seen

    def test_admin_endpoints_are_not_on_the_query_side(self, told: Told) -> None:
        url = f"http://127.0.0.1:{told.rig.ports['query']}"
        for path in ("/api/v1/admin/tsdb/snapshot", "//api/v1/admin/tsdb/snapshot", "/api/v1/%61dmin/tsdb/snapshot"):
            with pytest.raises(HTTPError) as refused:
                urlopen(Request(f"{url}{path}", method="POST"), timeout=10)
            assert refused.value.code == 403, path

    def test_wrong_password_is_one_sentence_and_the_next_run_goes_on(self, told: Told) -> None:
        path = told.secrets / "password"
        right = path.read_text()
        path.write_text("another\n")
        assert "hub.backup.password is not the password of the repository" in backup.refused(told.rig, "backup")
        assert "hub.backup.password is not the password of the repository" in backup.refused(told.rig, "restore")
        path.write_text(right)
        backup.backed_up(told.rig)

    def test_full_bucket_is_one_sentence_and_the_next_run_goes_on(self, told: Told) -> None:
        told.bucket.fill()
        docker(
            "exec", told.rig.container("alertmanager"), "sh", "-c", "head -c 3000000 /dev/urandom > /alertmanager/big"
        )
        assert "the destination is full" in backup.refused(told.rig, "backup")
        docker("exec", told.rig.container("alertmanager"), "rm", "/alertmanager/big")
        told.bucket.free()
        backup.backed_up(told.rig)

    def test_old_backups_are_removed_and_the_repository_is_checked(self, told: Told) -> None:
        backup_story.old_removed(told)
        backup_story.checked(told.rig)

    def test_bucket_that_is_away_is_one_sentence(self, told: Told) -> None:
        docker("pause", told.bucket.name)
        assert "the destination cannot be reached" in backup.refused(told.rig, "backup")
        docker("unpause", told.bucket.name)

    def test_interrupted_backup_is_one_sentence_and_completed_by_the_next(self, told: Told) -> None:
        name = told.rig.container("backup")
        sentence = backup_story.interrupted(
            told.rig, "backup", lambda _: backup_story.copies(told.rig, "logs"), lambda _: docker("kill", name)
        )
        assert sentence.startswith("The backup was begun, and its end is not known: ")
        assert f"When {name} runs on the hub" in sentence
        docker("start", name)
        told.backed_up = time.time()
        backup.backed_up(told.rig)

    def test_fresh_hub_does_not_write_into_the_repository(self, told: Told) -> None:
        told.destroyed = time.time()
        backup.destroy(told.rig)
        told.rig.up()
        assert "run make restore" in backup.refused(told.rig, "backup")
        assert backup.metric(told.rig, "fleetwatch_backup_waits_for_restore") == 1

    def test_interrupted_restore_is_one_sentence_and_leaves_the_live_data(self, told: Told) -> None:
        sentence = backup_story.interrupted(
            told.rig, "restore", lambda running: running.said("logs: restoring"), lambda running: running.ctrl_c()
        )
        assert sentence == "interrupted; run the command again to resume."
        assert told.rig.hub.metrics("up")
        assert not told.rig.hub.metrics(f"count_over_time(up[1m] @ {told.backed_up - 20:.0f})")

    def test_silent_clients_hold_up_no_scrape(self, told: Told) -> None:
        name = told.rig.container("backup")
        metrics = ("exec", name, "timeout", "3", "wget", "-q", "-O", "-", "http://127.0.0.1:9188/metrics")
        hold = "for _ in 1 2 3 4; do sleep 60 | nc 127.0.0.1 9188 & done; wait"
        docker("exec", "-d", name, "timeout", "60", "sh", "-c", hold)
        time.sleep(2)
        assert "fleetwatch_backup_waits_for_restore 1" in docker(*metrics)
        each = "for f in /proc/[0-9]*/cmdline; do tr '\\0' ' ' < $f; echo; done"
        count = ("exec", name, "sh", "-c", f"{each} | grep -c '^/bin/sh /etc/backup/respond.sh' || true")
        eventually("clients that send nothing are dropped", lambda: docker(*count).strip() == "0", patience=15)

    def test_restore_brings_everything_up_to_the_backup_and_keeps_what_came_since(self, told: Told) -> None:
        before = told.rig.hub.metrics("min_over_time(timestamp(up{job='agent'})[1h:2s])")
        first = min(float(one["value"][1]) for one in before)
        assert first <= told.destroyed + 10, "the edge's backlog of the outage is missing"
        done = told.rig.tool("restore")
        assert done.returncode == 0, done.stdout
        assert "integrity_check ok" in done.stdout
        for part in ("grafana", "alertmanager"):
            found = re.search(rf"  {part}: (\d+) files with the hashes noted at backup time", done.stdout)
            assert found, done.stdout
            assert int(found[1]) > 0, part
        assert backup.rows(told.rig) == backup.ROWS
        docker("exec", told.rig.container("grafana"), "test", "-w", "/var/lib/grafana/grafana.db")
        docker("exec", told.rig.container("alertmanager"), "test", "-w", "/alertmanager/silences")
        assert re.search(r"  ask: 3 files with .*; \d+ rows in \d+ tables, as noted", done.stdout), done.stdout
        told.ask.sign_in(USER, PASSWORD)
        assert told.ask.history() == [QUESTION], "the history of the assistant is missing"
        assert told.rig.hub.metrics(f"count_over_time(up[1m] @ {told.backed_up - 20:.0f})"), (
            "the time before is missing"
        )
        assert told.rig.hub.metrics(f"count_over_time(up{{job='agent'}}[30s] @ {first + 20:.0f})"), (
            "the time since is lost"
        )
        lines = told.rig.hub.logs('{job="docker"}', told.began, told.destroyed, limit=5, forward=True)
        assert lines, "the lines before are missing"
        assert "If it is gone permanently: `make backup TAKE=1`" in done.stdout

    def test_dump_that_the_database_cannot_load_changes_nothing(self, told: Told) -> None:
        said = backup.refused_dump(told.rig, "CREATE TABLE users (id int); SELECT 1/0;")
        assert said.startswith("sentence: the assistant's database stays as it was, it cannot load the dump: ")
        assert "division by zero" in said
        assert told.ask.history() == [QUESTION]

    def test_restored_hub_writes_only_after_it_was_given_the_repository(self, told: Told) -> None:
        """The hub that was restored from may still run: both would remove each other's backups."""
        before = told.snapshots()
        assert "would remove each other's backups: run make backup TAKE=1" in backup.refused(told.rig, "backup")
        assert backup.metric(told.rig, "fleetwatch_backup_waits_for_restore") == 1
        assert told.snapshots() == before
        done = told.rig.tool("backup", "--take")
        assert done.returncode == 0, done.stdout
        assert told.snapshots() != before
        told.earlier = datetime.now(timezone.utc)
        backup.backed_up(told.rig)

    def test_state_is_in_the_backup_with_its_secrets_encrypted(self, told: Told) -> None:
        done = told.rig.tool("restore", "--only", "state")
        assert done.returncode == 0, done.stdout
        path = told.rig.home / "state" / told.rig.name / "restored-state.json"
        state = path.read_text()
        assert json.loads(state)["deployment"]["resources"]
        passphrase = (path.parent / "passphrase").read_text().strip()
        for secret in (PASSWORD, told.bucket.secret, passphrase):
            assert secret not in state

    def test_drill_of_an_earlier_backup_changes_nothing(self, told: Told) -> None:
        backup_story.drilled_at(told)

    def test_drill_of_a_damaged_backup_fails(self, told: Told) -> None:
        damage = "for f in $(find /data/objects -path '*/data/*' -type f); do : > $f; done"
        docker("exec", told.bucket.name, "sh", "-c", damage)
        backup.refused(told.rig, "drill")
        backup.refused(told.rig, "restore")
        assert told.rig.hub.metrics("up"), "the hub still runs"

    def test_folder_has_the_backup_and_grafana_is_restored_alone_from_it(self, told: Told) -> None:
        backup_story.use_folder(told.rig)
        backup.backed_up(told.rig)
        backup_story.grafana_restored(told.rig)
        clear = "rm -rf /destination/*"  # its files have another owner than the test
        docker("exec", told.rig.container("backup"), "sh", "-c", clear, check=False)

    def test_bucket_at_spaces_is_made_used_and_kept(self, told: Told, tmp_path: Path) -> None:
        with spaces.cloud(told.rig, told.s3, tmp_path) as (machines, made):
            told.rig.change({"hub": {"backup": {"to": {"s3": None, "path": None, "spaces": "ams3"}}}})
            told.rig.up()
            backup.backed_up(told.rig)
            assert set(told.rig.preview()) == {"same"}
            (owner,) = [call for call in machines.of("allow_key") if not call[2]]
            ((access, secret, (name,)),) = [call for call in machines.of("allow_key") if call[2]]
            key = S3(made.endpoint, "us-east-1", access, secret)
            assert key.keys(name), "the backups"
            S3(made.endpoint, "us-east-1", *owner[:2]).call("PUT", "/another")
            for method, path in (("GET", "/another"), ("PUT", "/third"), ("PUT", "/another/x")):
                with pytest.raises(S3Error) as refused:
                    key.call(method, path)
                assert refused.value.status == 403, "the key is for one bucket"
            on_hub = (told.secrets / "s3").read_text()
            assert access in on_hub
            assert owner[0] not in on_hub
            state = told.rig.home / "state" / told.rig.name
            kept = [path for path in state.rglob("*") if path.is_file() and "files" not in path.parts]
            texts = {path: path.read_text(errors="replace") for path in kept}
            assert not [path for path, text in texts.items() if secret in text or owner[1] in text]
            done = told.rig.tool("down", "--yes")
            assert done.returncode == 0, done.stdout
            assert f"The bucket with the backups is kept, and costs: {made.endpoint}/{name}." in done.stdout
            assert docker("exec", made.container, "ls", f"/data/objects/{name}/{told.rig.prefix}").split()
