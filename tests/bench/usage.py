"""CPU and memory of containers, read from Docker's API as `docker stats` does, but over a time of our choice."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from tests.integration.rig import docker

_SOCKET = "/var/run/docker.sock"
_STATS = "/containers/{}/stats?stream=false&one-shot=true"
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


@dataclass(frozen=True)
class Reading:
    """`at` by this machine's clock, in seconds; `cpu` seconds since the start; `memory` in bytes."""

    at: float
    cpu: float
    memory: int


def _reading(answer: Mapping[str, Any]) -> Reading:
    """Usage without inactive file pages, on cgroup v1 and v2."""
    memory, parts = answer["memory_stats"], answer["memory_stats"]["stats"]
    inactive = parts.get("total_inactive_file", parts.get("inactive_file", 0))
    cpu = int(answer["cpu_stats"]["cpu_usage"]["total_usage"]) / 1e9
    return Reading(time.monotonic(), cpu, int(memory["usage"]) - int(inactive))


def _read(container: str) -> Reading:
    connection = _Connection("docker", timeout=20)
    connection.request("GET", _STATS.format(container))
    answer = json.load(connection.getresponse())
    connection.close()
    return _reading(answer)


def here(containers: Sequence[str]) -> list[Reading]:
    """Of containers of this machine's Docker."""
    with ThreadPoolExecutor(len(containers)) as pool:
        return list(pool.map(_read, containers))


def inside(machines: Mapping[str, Sequence[str]]) -> list[Reading]:
    """Of containers of the Docker in each of these containers, one command for each of them."""

    def read(machine: str) -> list[Reading]:
        urls = [f"http://docker{_STATS.format(name)}" for name in machines[machine]]
        said = docker("exec", machine, "curl", "-sS", "--unix-socket", _SOCKET, *urls)
        return [_reading(json.loads(line)) for line in said.splitlines() if line]

    with ThreadPoolExecutor(len(machines)) as pool:
        return [one for found in pool.map(read, machines) for one in found]


def cpu_seconds(container: str) -> float:
    """CPU seconds that all processes of a container have used."""
    return _read(container).cpu


def measure(
    containers: Sequence[str], seconds: float, read: Callable[[Sequence[str]], list[Reading]] = here
) -> list[Usage]:
    """One entry per container, over `seconds`."""
    last = first = read(containers)
    highest = [one.memory for one in first]
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(_PAUSE, left))
        last = read(containers)
        highest = [max(one, now.memory) for one, now in zip(highest, last, strict=True)]
    return [
        Usage(name, memory, (end.cpu - begin.cpu) / (end.at - begin.at) * 100)
        for name, memory, begin, end in zip(containers, highest, first, last, strict=True)
    ]
