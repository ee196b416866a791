"""A hub with its data in a bucket, and what its tests do to the bucket."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

from configs import names
from configs.metrics_store import PROMETHEUS, QUERY, RECEIVE
from tests.integration import assistant, backup, outage
from tests.integration.rig import Rig, docker, eventually, rig
from tests.integration.runs import kill_grow
from tests.integration.runs import names as containers
from tools import setup
from tools.hubclient import HubClient

RUNNING = "{{.State.Running}} {{.State.Pid}}"
BLOCK = 30  # seconds
Started = dict[str, tuple[str, str]]  # id and time of each container
SCRAPED = 'up{job="shop"}'
SWITCH = "Bringing the stack up"  # the step of a move in which the stores of the new kind take the place of the others


def tomorrow() -> str:
    """The first day whose lines may be in another store."""
    return (datetime.now(timezone.utc) + timedelta(days=1)).date().isoformat()


class Stored:
    """The stack and its bucket, an application that is scraped, a writer of numbered lines; what the tests remember."""

    def __init__(self, made: Rig, bucket: backup.Bucket, app: str, writer: str) -> None:
        self.rig, self.bucket, self.app, self.writer = made, bucket, app, writer
        self.began = 0.0
        self.image = ""  # of writers
        self.lines: Counter[int] = Counter()  # of the second one, in the bucket

    def objects(self, folder: str) -> list[str]:
        """Names of a folder of the bucket."""
        return docker("exec", self.bucket.name, "sh", "-c", f"ls /data/objects/{backup.BUCKET}/{folder}").split()

    @contextlib.contextmanager
    def full(self) -> Iterator[None]:
        """The bucket has no space."""
        self.bucket.fill()
        try:
            yield
        finally:
            self.bucket.free()

    @contextlib.contextmanager
    def down(self) -> Iterator[None]:
        """The bucket does not answer."""
        docker("pause", self.bucket.name)
        try:
            yield
        finally:
            docker("unpause", self.bucket.name)

    @contextlib.contextmanager
    def silent_app(self, name: str) -> Iterator[None]:
        """The stack file has an application of this name that does not answer."""
        self.rig.change({"hosts": {"hub": {"apps": {name: {"target": f"{name}:8000"}}}}})
        try:
            yield
        finally:
            self.rig.change({"hosts": {"hub": {"apps": {name: None}}}})

    def by_grafana(self, query: str) -> list[dict[str, Any]]:
        """An instant query through Grafana's data source, as its admin."""
        done = self.rig.tool("password")
        assert done.returncode == 0, done.stdout
        admin, path = ("admin", done.stdout.strip().splitlines()[-1]), "datasources/proxy/uid/prometheus/api/v1/query"
        got = assistant.https(self.rig, "GET", f"/api/{path}", admin, params={"query": query})
        assert got.status_code == 200, got.text[:300]
        return list(got.json()["data"]["result"])

    def patient(self) -> HubClient:
        """Waits while Query waits for the bucket first, which may be slow and not down."""
        return HubClient(f"http://127.0.0.1:{self.rig.ports['query']}", timeout=90)

    def require_report(self) -> None:
        """The alert about uploads is pending, and new samples are taken meanwhile."""
        pending = 'ALERTS{alertname="BucketFails",operation="upload"}'
        eventually("the alert", lambda: self.rig.hub.metrics(pending), patience=180, pause=2)
        assert self.stamps()[-1] > time.time() - 30, "new samples are taken"

    def flush(self) -> None:
        """Let Loki write its chunks. Only a container of Thanos on its network has a program for that."""
        docker("exec", self.rig.container(QUERY), *self._post(10, "/flush"))

    def flush_refused(self, text: str) -> None:
        """Flush, until Loki logs this about the bucket."""
        self.flush()
        log = ("logs", "--tail", "80", self.rig.container("loki"))
        eventually("a refusal", lambda: text in docker(*log, errors=True), patience=60)

    def store_lines(self, before: int = 0) -> None:
        """Flush until the bucket has more chunks than `before`."""
        self.flush()
        eventually("chunks in the bucket", lambda: len(self.objects("fake")) > before, patience=60)

    def write_lines(self) -> None:
        """Let Loki write all its chunks and their index. It ends then, and Docker starts it again."""
        before = self.rig.started("loki")
        ended = self._post(90, "/ingester/shutdown?flush=true&terminate=true&delete_ring_tokens=false")
        docker("exec", self.rig.container(QUERY), *ended, check=False)  # it may end before it answers
        eventually("Loki starts again", lambda: self.rig.started("loki") != before, patience=120)

    def more_lines(self, role: str) -> tuple[float, str]:
        """Another writer of numbered lines, whose first have arrived: when it began, and its name."""
        begun, writer = time.time(), outage.start_writer(self.rig, self.image, role)
        eventually("its lines", lambda: outage.numbers(self.rig, writer, begun - 5))
        return begun, writer

    def ended(self, writer: str, begun: float) -> Counter[int]:
        """End this writer; all its lines, each of which is there once."""
        last, numbers = outage.all_numbers(self.rig, writer, begun - 5)
        assert [numbers[number] for number in range(last + 1)] == [1] * (last + 1)
        return numbers

    def has_lines(self) -> bool:
        """Whether Loki has the second writer's lines, each once."""
        return outage.numbers(self.rig, self.rig.container("writer-2"), self.began) == self.lines

    def lose(self, role: str) -> None:
        """Remove a container and its volume."""
        docker("rm", "-f", self.rig.container(role))
        docker("volume", "rm", f"{self.rig.prefix}-{role}")

    def _post(self, patience: int, path: str) -> list[str]:
        url = f"http://{names.address(self.rig.prefix, 'loki', names.LOKI_PORT)}{path}"
        return ["timeout", str(patience), "wget", "-q", "-O", "-", "--post-data", "", url]

    def forget_output(self, name: str) -> None:
        """Take one of the stack's outputs out of its state."""
        folder = self.rig.home / "state" / self.rig.name / "backend" / ".pulumi" / "stacks" / "fleetwatch"
        place = folder / f"{self.rig.name}.json"
        state = json.loads(place.read_text())
        (root,) = [one for one in state["checkpoint"]["latest"]["resources"] if one["type"] == "pulumi:pulumi:Stack"]
        del root["outputs"][name]
        place.write_text(json.dumps(state))

    def uploaded(self) -> float:
        """When the newest block was uploaded."""
        newest = f'max(thanos_objstore_bucket_last_successful_upload_time{{job="{RECEIVE}"}})'
        return backup.metric(self.rig, newest)

    def kill_grow(self, to: str, step: str) -> None:
        """`make grow`, killed in this step; in SWITCH once the new store is there."""
        store = RECEIVE if to == "bucket" else PROMETHEUS
        kill_grow(self.rig, to, step, ready=lambda: step != SWITCH or store in containers(self.rig))

    def kill(self, role: str) -> None:
        """SIGKILL for the process of a container, which Docker then starts again."""
        name = self.rig.container(role)
        before = docker("inspect", "-f", RUNNING, name).split()[1]
        os.kill(int(before), signal.SIGKILL)

        def again() -> bool:
            running, pid = docker("inspect", "-f", RUNNING, name).split()
            return running == "true" and pid not in (before, "0")

        eventually(f"{role} runs again", again)

    def replaced(self, images: dict[str, str]) -> tuple[Started, Started]:
        """Let the stack have the same images under other names, then these again; what ran before and with them."""
        before = self.rig.started_all()
        with outage.another_tag(self.rig, images) as bumped:
            self.rig.change({"images": bumped})
            self.rig.up()
            after = self.rig.started_all()
            self.rig.change({"images": None})
            self.rig.up()
        return before, after

    def lost(self, since: float, until: float) -> list[float]:
        """Scrapes that the application answered and that have no sample."""
        answered = [at for at in outage.served(self.app, since) if at < until]
        assert len(answered) > 0.5 * (until - since), f"only {len(answered)} scrapes in {until - since:.0f} s"
        return outage.lost(answered, self.stamps())

    def require_whole(self, since: float) -> list[float]:
        """The times of all samples, once each scrape from `since` to now has one; none may have two."""
        until = time.time()
        eventually("newer samples", lambda: self.stamps()[-1] > until + 5, patience=120)
        eventually("every scrape has a sample", lambda: not self.lost(since, until), patience=90, pause=3)
        times = self.stamps()
        assert len(times) == len(set(times))
        return times

    def require_lines(self) -> None:
        """Each line of the first writer is there, once."""
        last, numbers = outage.all_numbers(self.rig, self.writer, self.began - 120)
        first = min(numbers)
        missing = [number for number in range(first, last + 1) if not numbers[number]]
        assert not missing, f"{len(missing)} of {last - first}, from {missing[0]} to {missing[-1]}"
        assert not [number for number, count in numbers.items() if count > 1]

    def stamps(self) -> list[float]:
        """The times of all samples of the application."""
        window = int(time.time() - self.began) + 60
        return outage.stamps(self.rig, SCRAPED, f"{window}s")


@contextlib.contextmanager
def hesitant(container: str) -> Iterator[None]:
    """A container that stands still for two seconds of two and a half."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(0.5):
            docker("pause", container)
            ended.wait(2)
            docker("unpause", container)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextlib.contextmanager
def storing(chain: setup.ToolChain) -> Iterator[Stored]:
    """A hub that runs and knows its bucket, which it does not use yet."""
    images = {image.key: image.ref for image in chain.images}
    fast = {"hosts": {"hub": {"scrape": {"agents": "2s", "hub": "2s"}}}, "hub": {"metrics_block": f"{BLOCK}s"}}
    with rig("bucket", fast) as made:
        bucket = backup.Bucket(made, images["s3"], made.home, size="400m")
        app = outage.start_app(made, images["test-app"])
        found = Stored(made, bucket, app, outage.start_writer(made, images["test-app"]))
        found.image = images["test-app"]
        made.up()
        eventually("the application's samples", lambda: made.hub.metrics(SCRAPED))
        found.began = time.time()
        bucket.prepare()
        yield found
