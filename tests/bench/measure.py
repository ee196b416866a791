"""What is measured, each on a stack that is up: engine runs, first data of a new container, a line of a known one.

Times end when the hub answers a question with the datum, not when an agent says that it was sent.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from tests.bench.usage import Usage, cpu_seconds
from tests.integration.rig import Rig, docker, timestamp
from tools.environment import pulumi_env
from tools.hubclient import HubClient
from tools.paths import CHECKOUT
from tools.stack import Stack

# A line with its own time, every one to two seconds: the fraction moves through the agents' batches.
TALKER = """
import random, time
while True:
    print(f"at={time.time():.6f} level=info talker", flush=True)
    time.sleep(random.uniform(1, 2))
"""
COMPANIONS = 10
BURST = 60_000  # lines
IDLE = 10  # seconds
# The lines come on stdin, and again until there are BURST of them. It stays: the lines of the last second of a
# container that has ended are read again from time to time.
WRITER = """
import itertools, sys, time
lines = [line.rstrip("\\n") for line in sys.stdin]
for line in itertools.islice(itertools.cycle(lines), {count}):
    print(line)
print("last of them", flush=True)
time.sleep(600)
"""
_POLL = 0.02


def seconds_of(run: Callable[[], object]) -> float:
    begun = time.monotonic()
    run()
    return time.monotonic() - begun


def make_up(rig: Rig) -> None:
    """`make up` as a user types it."""
    env = {key: value for key, value in rig.env.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    argv = ["make", "up", f"STACK={rig.name}", f"FILE={rig.file}"]
    done = subprocess.run(argv, cwd=CHECKOUT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]


@dataclass(frozen=True)
class EngineRuns:
    """Durations, and the CPU time that each took with all its processes."""

    seconds: list[float]
    cpu: list[float]

    def __add__(self, other: EngineRuns) -> EngineRuns:
        return EngineRuns(self.seconds + other.seconds, self.cpu + other.cpu)


def engine_runs(rig: Rig, times: int) -> dict[str, EngineRuns]:
    """`pulumi preview` and `pulumi up` on a stack to which nothing is to be done."""
    os.environ["FLEETWATCH_STATE"] = rig.env["FLEETWATCH_STATE"]
    home = rig.home / "state" / rig.name
    stack = Stack(rig.name, rig.file, pulumi_env(home))
    changes = rig.preview()
    assert set(changes) == {"same"}, f"something is to be done: {changes}"
    return {
        "preview": timed(lambda: stack.quiet("preview"), times),
        "up": timed(lambda: stack.quiet("up", "--yes", "--skip-preview"), times),
    }


def timed(run: Callable[[], object], times: int) -> EngineRuns:
    """The same again and again."""
    found = EngineRuns([], [])
    for _ in range(times):
        before = _children()
        found.seconds.append(seconds_of(run))
        found.cpu.append(_children() - before)
    return found


def _children() -> float:
    """CPU seconds of all ended children and theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def companions(rig: Rig, image: str) -> None:
    """About ten more containers on the machine, each with a line every second or two."""
    for number in range(COMPANIONS):
        _talker(rig, image, f"companion-{number}")


def _talker(rig: Rig, image: str, suffix: str) -> str:
    name = rig.container(suffix)
    rig.run(image, "-c", TALKER, options=("--name", name, "--entrypoint", "python3"))
    return name


def line_cost(rig: Rig, image: str, number: int) -> float:
    """CPU seconds of the log agent for 1000 lines."""
    promtail = rig.container("promtail")
    idle = -cpu_seconds(promtail)
    time.sleep(IDLE)
    idle = (idle + cpu_seconds(promtail)) / IDLE
    samples = (CHECKOUT / "tests" / "data" / "levels.tsv").read_text().splitlines()
    folder = rig.home / "burst"
    folder.mkdir(exist_ok=True)
    (folder / "lines").write_text("".join(f"{line.partition(chr(9))[2]}\n" for line in samples))
    name, begun, used = rig.container(f"burst-{number}"), time.time(), -cpu_seconds(promtail)
    command = f"exec python3 -c '{WRITER.format(count=BURST)}' < /burst/lines"
    rig.run(image, "-c", command, options=("--name", name, "-v", f"{folder}:/burst:ro", "--entrypoint", "sh"))
    last = f'{{container="{name}"}} |= "last of them"'
    end = time.monotonic() + 180
    while not rig.hub.logs(last, begun - 60, time.time() + 60):
        assert time.monotonic() < end, "the last of the lines did not arrive"
        time.sleep(0.5)
    used += cpu_seconds(promtail) - idle * (time.time() - begun)
    docker("rm", "-f", name)
    return used / BURST * 1000


def first_data(rig: Rig, image: str, times: int) -> tuple[list[float], list[float]]:
    """(first sample, first line): seconds from the start that Docker notes of a new container."""
    samples, lines = [], []
    for number in range(times):
        name = _talker(rig, image, f"fresh-{number}")
        started = _started(name)
        pending: dict[str, Callable[[], bool]] = {
            "sample": partial(_has_sample, rig, name),
            "line": partial(_has_line, rig, name, started),
        }
        came = _wait(pending, 90)
        samples.append(came["sample"] - started)
        lines.append(came["line"] - started)
        docker("rm", "-f", "-v", name)
    return samples, lines


def _has_sample(rig: Rig, name: str) -> bool:
    return bool(rig.hub.metrics(f'container_start_time_seconds{{container="{name}"}}'))


def _has_line(rig: Rig, name: str, started: float) -> bool:
    return bool(_newest(rig.hub, name, started))


def _wait(pending: dict[str, Callable[[], bool]], patience: float) -> dict[str, float]:
    """When each of the questions was answered with yes for the first time."""
    end = time.time() + patience
    came: dict[str, float] = {}
    while len(came) < len(pending):
        assert time.time() < end, f"within {patience:.0f} s did not come: {set(pending) - set(came)}"
        for name, arrived in pending.items():
            if name not in came and arrived():
                came[name] = time.time()
        time.sleep(_POLL)
    return came


def _started(name: str) -> float:
    return timestamp(docker("inspect", "-f", "{{.State.StartedAt}}", name).strip())


def _newest(hub: HubClient, container: str, since: float) -> str:
    """The newest line of a container, or an empty text."""
    streams = hub.logs(f'{{container="{container}"}}', since, time.time() + 1, limit=1)
    return max((line for stream in streams for _, line in stream["values"]), default="")


def known_lines(rig: Rig, image: str, times: int) -> list[float]:
    """Seconds from the time that a line says of itself until the hub shows it; its container was known before."""
    name = _talker(rig, image, "known")
    begun = time.time()
    _wait({"first line": lambda: bool(_newest(rig.hub, name, begun))}, 60)
    time.sleep(5)
    seen = _newest(rig.hub, name, begun)
    delays: list[float] = []
    while len(delays) < times:
        newest = _newest(rig.hub, name, time.time() - 30)
        now = time.time()
        if newest and newest != seen:
            delays.append(now - float(newest.split()[0].removeprefix("at=")))
            seen = newest
        time.sleep(_POLL)
    docker("rm", "-f", "-v", name)
    return delays


def spread(values: Sequence[float]) -> str:
    """`0.42 s (median of 20, 0.31 to 0.80 s)`"""
    if len(values) == 1:
        return f"{values[0]:.1f} s"
    return f"{statistics.median(values):.2f} s (median of {len(values)}, {min(values):.2f} to {max(values):.2f} s)"


def total(usages: Sequence[Usage]) -> Usage:
    return Usage("in all", sum(one.memory for one in usages), sum(one.cpu for one in usages))
