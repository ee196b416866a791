"""Prometheus on a volume that no part of the hub uses: what it has, counted and as blocks."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

from tools.errors import ToolError
from tools.hub_move import DAY, URL, Move

LOOKS = 366  # days
VOLUME = "/prometheus"  # where a volume is mounted
READY = 900  # seconds until Prometheus has replayed its write-ahead log


@dataclass(frozen=True)
class Reader:
    """Prometheus over the database in this folder of a volume, without a network. `root`: its files are of root, which
    without further rights may write no others."""

    move: Move
    volume: str
    folder: str = VOLUME
    root: bool = False

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """It answers; the container is removed at the end. It merges no blocks: they are about to be copied."""
        move = self.move
        move.try_docker("rm", "-f", move.source)
        move.docker(
            "run", "-d", "--name", move.source, *move.mark, *(("--user", "0:0") if self.root else ()),
            "--network", "none", "--memory", "2g", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
            "-v", f"{self.volume}:{VOLUME}", move.prometheus,
            "--config.file=/dev/null", f"--storage.tsdb.path={self.folder}", "--storage.tsdb.retention.time=100y",
            "--no-storage.tsdb.allow-overlapping-compaction", "--web.enable-admin-api",
        )  # fmt: skip
        try:
            self._await()
            yield
        finally:
            move.try_docker("rm", "-f", move.source)

    def _await(self) -> None:
        move, end = self.move, time.monotonic() + READY
        while move.try_docker("exec", move.source, "wget", "-q", "-O", "-", f"{URL}/-/ready") is None:
            if move.docker("inspect", "-f", "{{.State.Running}}", move.source).strip() != "true":
                raise ToolError(f"Prometheus does not start on the volume {self.volume}: {self._last_line()}")
            if time.monotonic() > end:
                raise ToolError(
                    f"Prometheus was not ready within {READY} s on the volume {self.volume}: {self._last_line()}"
                )
            time.sleep(1)

    def _last_line(self) -> str:
        lines = (self.move.try_docker("logs", "--tail", "1", self.move.source) or "").strip().splitlines()
        return lines[-1] if lines else "its log is empty"

    def counted(self) -> dict[float, float]:
        """Samples of `up` of each day with some, by the day's end, from the newest sample back to the oldest. What came
        later is in the store of the running hub, and is not to be counted as copied."""
        found: dict[float, float] = {}
        at = self._newest()
        oldest = self._oldest()
        while at > oldest:
            if count := self.move.samples(self.move.source, at):
                found[at] = count
            at -= DAY
        return found

    def _oldest(self) -> float:
        """The time of the oldest sample of any metric. ToolError if Prometheus does not report it."""
        text = self.move.docker("exec", self.move.source, "wget", "-q", "-O", "-", f"{URL}/metrics")
        found = re.search(r"^prometheus_tsdb_lowest_timestamp_seconds (\S+)$", text, re.MULTILINE)
        if not found:
            raise ToolError(f"Prometheus does not report the oldest sample on the volume {self.volume}.")
        return float(found[1])

    def _newest(self) -> float:
        """The time of the newest sample; 0 without a sample of the last year."""
        move, at = self.move, time.time()
        for _ in range(LOOKS):
            if move.samples(move.source, at):
                return move.query(move.source, f"max(max_over_time(timestamp(up)[{DAY}s:15s]))", at)
            at -= DAY
        return 0.0

    def snapshot(self, anew: bool) -> None:
        """Blocks of everything in `snapshots`, also of what is only in the write-ahead log. Those of an earlier run are
        kept, or made `anew`."""
        folder = f"{self.folder}/snapshots"
        if anew:
            self.move.docker("exec", self.move.source, "rm", "-rf", folder)
        found = self.move.docker("exec", self.move.source, "sh", "-c", f"ls {folder} 2> /dev/null || true")
        if not found.split():
            url = f"{URL}/api/v1/admin/tsdb/snapshot"
            self.move.docker("exec", self.move.source, "wget", "-q", "-O", "-", "--post-data", "", url)
