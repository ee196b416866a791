"""CPU and memory of containers, read from Docker's API as `docker stats` does, but over a time of our choice."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

_SOCKET = "/var/run/docker.sock"
_PAUSE = 10  # seconds between two readings of the memory


@dataclass(frozen=True)
class Usage:
    """`memory` in bytes: the highest reading; `cpu` in percent of one core: the mean of the whole time."""

    container: str
    memory: int
    cpu: float


class _Connection(http.client.HTTPConnection):
    """HTTP over Docker's socket."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(_SOCKET)


def _read(container: str) -> tuple[float, int, int]:
    """(time, CPU in ns since the start, memory): usage without inactive file pages, on cgroup v1 and v2."""
    connection = _Connection("docker", timeout=20)
    connection.request("GET", f"/containers/{container}/stats?stream=false&one-shot=true")
    answer: dict[str, Any] = json.load(connection.getresponse())
    at = time.monotonic()
    connection.close()
    memory, parts = answer["memory_stats"], answer["memory_stats"]["stats"]
    inactive = parts.get("total_inactive_file", parts.get("inactive_file", 0))
    return at, int(answer["cpu_stats"]["cpu_usage"]["total_usage"]), int(memory["usage"]) - int(inactive)


def cpu_seconds(container: str) -> float:
    """CPU seconds that all processes of a container have used."""
    return _read(container)[1] / 1e9


def measure(containers: Sequence[str], seconds: float) -> list[Usage]:
    """One entry per container, over `seconds`."""
    with ThreadPoolExecutor(len(containers)) as pool:
        first = list(pool.map(_read, containers))
        highest = [memory for _, _, memory in first]
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(_PAUSE, left))
            last = list(pool.map(_read, containers))
            highest = [max(one, memory) for one, (_, _, memory) in zip(highest, last, strict=True)]
    return [
        Usage(name, memory, (cpu_1 - cpu_0) / 1e9 / (at_1 - at_0) * 100)
        for name, memory, (at_0, cpu_0, _), (at_1, cpu_1, _) in zip(containers, highest, first, last, strict=True)
    ]
