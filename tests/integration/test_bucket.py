"""A hub that keeps its metrics and logs in a bucket, on a real S3 server: data, alerts, faults, and a lost hub."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from configs.metrics_store import COMPACT, QUERY, RECEIVE, RULE, STORE, THANOS
from tests.integration import backup, outage
from tests.integration.rig import Rig, docker, eventually, rig
from tools import setup

BLOCK = 60  # seconds


class Stored:
    """The stack and its bucket, and what the tests remember."""

    def __init__(self, made: Rig, bucket: backup.Bucket) -> None:
        self.rig, self.bucket = made, bucket
        self.began = self.destroyed = 0.0

    def objects(self, folder: str) -> list[str]:
        """Names of a folder of the bucket."""
        return docker("exec", self.bucket.name, "sh", "-c", f"ls /data/objects/{backup.BUCKET}/{folder}").split()

    def samples(self, since: float, until: float) -> list[float]:
        """The times of the samples of one series, as they were scraped."""
        window = max(1, int(until - since))
        found = self.rig.hub.metrics(f'up{{job="agent",host="hub"}}[{window}s]', at=until)
        return [float(at) for at, _ in found[0]["values"]] if found else []

    def lines(self) -> int:
        found = self.rig.hub.log_numbers('sum(count_over_time({host="hub"}[1h]))')
        return int(found[0]["value"][1]) if found else 0


@pytest.fixture(scope="module")
def stored(chain: setup.ToolChain) -> Iterator[Stored]:
    images = {image.key: image.ref for image in chain.images}
    fast = {"hosts": {"hub": {"scrape": {"agents": "2s", "hub": "2s"}}}, "hub": {"metrics_block": f"{BLOCK}s"}}
    with rig("bucket", fast) as made:
        bucket = backup.Bucket(made, images["s3"], made.home)
        bucket.keep_data()
        found = Stored(made, bucket)
        found.began = time.time()
        made.up()
        yield found


@pytest.mark.xdist_group("bucket")
class TestBucket:
    """One story, in this order."""

    def test_metrics_of_every_job_and_logs_are_answered(self, stored: Stored) -> None:
        found = stored.rig.hub.metrics('up{host="hub"}')
        values = {one["metric"]["job"]: one["value"][1] for one in found}
        assert set(THANOS) <= set(values)
        assert set(values.values()) == {"1"}, values
        assert not {"replica", "tenant_id"} & set(found[0]["metric"]), "labels of Thanos' blocks are in no answer"
        eventually("log lines", stored.lines)

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

    @pytest.mark.parametrize("role", [RECEIVE, STORE, COMPACT, QUERY, RULE, "loki"])
    def test_killed_part_returns(self, stored: Stored, role: str) -> None:
        pid = docker("inspect", "-f", "{{.State.Pid}}", stored.rig.container(role)).strip()
        docker("exec", stored.rig.container(role), "true", check=False)
        import os
        import signal

        os.kill(int(pid), signal.SIGKILL)
        running = ("inspect", "-f", "{{.State.Running}} {{.State.Pid}}", stored.rig.container(role))

        def again() -> bool:
            answer = docker(*running).split()
            return answer[0] == "true" and answer[1] != pid

        eventually(f"{role} runs again", again)
        if role != "loki":
            eventually("it answers", lambda: backup.metric(stored.rig, f'up{{job="{role}"}}') == 1, patience=120)

    def test_no_sample_was_lost_or_doubled(self, stored: Stored) -> None:
        def gap() -> bool:
            times = stored.samples(stored.began + 60, time.time())
            assert len(times) == len(set(times))
            return outage.longest_gap(times)[0] <= 4.5

        eventually("the queue of the agent arrives", gap, patience=90, pause=3)

    def test_lost_hub_has_what_was_uploaded(self, stored: Stored) -> None:
        def uploaded() -> float:
            name = f'thanos_objstore_bucket_last_successful_upload_time{{job="{RECEIVE}"}}'
            return backup.metric(stored.rig, f"max({name})")

        last = uploaded()
        roles = ("loki", "grafana", "alertmanager", "caddy", *THANOS)
        for role in roles:
            docker("rm", "-f", stored.rig.container(role))
        for suffix in ("loki", "grafana", "alertmanager", "caddy-data", "caddy-config", *THANOS):
            docker("volume", "rm", f"{stored.rig.prefix}-{suffix}")
        stored.destroyed = time.time()
        stored.rig.up()
        before = stored.samples(stored.began + 60, last - 2 * BLOCK)
        assert before, "samples from before the loss are answered"
        assert outage.longest_gap(before)[0] <= 4.5
        missing = stored.samples(stored.began, stored.destroyed)
        print(f"lost with the hub's disk: {stored.destroyed - max(missing):.0f} s of samples, blocks of {BLOCK} s")
