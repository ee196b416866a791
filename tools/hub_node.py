"""One node of a hub during a move: what it holds in memory and on its disk alone is written into the bucket.

Receive does so when it stops: it cuts what it has into a block and uploads it. Loki does so on request, and restarts;
the index of its lines is uploaded as it stops.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable

from configs import names
from configs.metrics_store import RECEIVE, STORE
from tools.errors import ToolError
from tools.grow_counts import loki
from tools.grow_single import BLOCKS
from tools.hub_move import SEEN, Move
from tools.times import moment

PARTS = (RECEIVE, "loki")  # what takes data
STOP = 900  # seconds that Receive may take to upload
ANSWERS = 60  # seconds until an answer
STATE = "{{.State.Running}} {{.State.StartedAt}}"
TENANTS = "/data"
# Blocks that are not in the list of what was uploaded.
LEFT = f"""
for one in {TENANTS}/*/{BLOCKS}; do
  [ -e "$one/meta.json" ] || continue
  grep -q "$(basename "$one")" "$(dirname "$one")/thanos.shipper.json" || basename "$one"
done
"""
# What begins, waits and has ended of the writing of chunks.
COUNTED = re.compile(
    r"^loki_ingester_(flush_queue_length|chunks_flush(?:_requests|ed|_failures)_total)(?:\{.*\})? (\S+)$", re.MULTILINE
)


class Node(Move):
    """A host of the hub whose Docker Engine answers."""

    def took_since(self, at: float) -> list[str]:
        """Its parts that may have taken data after this time, in seconds: they run, or were started later. One that is
        removed takes nothing. ToolError if the host does not answer."""
        there = self.docker("ps", "-a", "--format", "{{.Names}}").split()
        states = {role: self._state(role) for role in PARTS if self.container(role) in there}
        return [
            role for role, (running, started) in states.items() if running == "true" or moment(started).timestamp() > at
        ]

    def start(self) -> None:
        """Start what an earlier run stopped, and wait until it is ready. ToolError after SEEN seconds."""
        for role in PARTS:
            self.docker("start", self.container(role))
        self._until("is not ready", self._ready)

    def revive(self) -> None:
        """Start what was stopped, and a Loki that takes nothing because it was to end, as well as it goes:
        another problem is shown already."""
        self.try_docker("start", self.container(RECEIVE))
        self.try_docker("restart", self.container("loki"))

    def write_lines(self) -> None:
        """Have Loki write all its lines and their index into the bucket. It has restarted then."""
        before = self._state("loki")
        # It answers when it has ended, or its server gives up before: the new start is the sign.
        query = "flush=true&terminate=true&delete_ring_tokens=false"
        self.answers(f"http://{loki(self)}/ingester/shutdown?{query}", ANSWERS, "--post-data", "")
        self._until("has not written its lines into the bucket", lambda: self._started_since(before))
        self._until("is not ready", self._ready)

    def flush_lines(self) -> None:
        """Have Loki write the lines that it has in memory into the bucket; it goes on. ToolError after SEEN seconds."""
        self.get(f"http://{loki(self)}/flush", ANSWERS, "--post-data", "")
        self._until("has not written its lines into the bucket", self._flushed)

    def _flushed(self) -> bool:
        """Whether no chunk waits for the bucket."""
        found: Counter[str] = Counter()
        for name, value in COUNTED.findall(self.get(f"http://{loki(self)}/metrics", ANSWERS)):
            found[name] += int(float(value))
        begun = found["flush_queue_length"] + found["chunks_flush_requests_total"]
        return begun <= found["chunks_flushed_total"] + found["chunks_flush_failures_total"]

    def stop(self) -> None:
        """Stop what takes data; Receive uploads what it has. ToolError if a block is not in the bucket then."""
        for role in reversed(PARTS):
            self.docker("stop", "-t", str(STOP), self.container(role))
        if left := self._left():
            raise ToolError(
                f"{self.host} has blocks that are not in the bucket: {' '.join(left)}; "
                f"`docker logs {self.container(RECEIVE)}` there has the reason."
            )

    def read_new_lines(self) -> None:
        """Loki reads the bucket's index as it starts, else within five minutes."""
        self.docker("restart", self.container("loki"))
        self._until("is not ready", self._ready)

    def read_new_blocks(self) -> None:
        """Store reads the bucket's list of blocks as it starts, else within three minutes."""
        self.docker("restart", self.container(STORE))

    def size(self) -> int:
        """Bytes of metrics on its disk: at most these are uploaded."""
        found = self.docker("exec", self.container(RECEIVE), "du", "-sk", TENANTS)
        return int(found.split()[0]) * 1024

    def _left(self) -> list[str]:
        image, volume = self.image_of(self.container(RECEIVE)), f"{self.prefix}-{RECEIVE}"
        return self.docker(
            "run", "--rm", *self.mark, "--user", "0:0", "--network", "none", "--cap-drop", "ALL",
            "--security-opt", "no-new-privileges", "-v", f"{volume}:{TENANTS}:ro", "--entrypoint", "sh", image,
            "-c", LEFT,
        ).split()  # fmt: skip

    def _state(self, role: str) -> tuple[str, str]:
        """Whether its container runs, and since when."""
        running, started = self.docker("inspect", "-f", STATE, self.container(role)).split()
        return running, started

    def _started_since(self, before: tuple[str, str]) -> bool:
        running, started = self._state("loki")
        return running == "true" and started != before[1]

    def _ready(self) -> bool:
        receive = names.address(self.prefix, RECEIVE, names.THANOS_PORT)
        return all(self.answers(f"http://{one}", ANSWERS) for one in (f"{loki(self)}/ready", f"{receive}/-/ready"))

    def _until(self, what: str, done: Callable[[], bool]) -> None:
        end = time.monotonic() + SEEN
        while not done():
            if time.monotonic() > end:
                raise ToolError(
                    f"{self.host}: {self.container('loki')} or {self.container(RECEIVE)} {what} after {SEEN} s; "
                    "`docker logs` there has the reason."
                )
            time.sleep(2)
