"""The assistant over a hundred hosts: its own time for new and for cached answers, memory, and a discovery.

A process of the service with a real PostgreSQL and a real Valkey on loopback; Prometheus and Loki are played by another
process, which answers at once, so the times are the assistant's own. Ten users send questions at once.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.ask import servers, stage
from tests.ask.processes import Process
from tests.bench import hundred_hosts, page
from tools.net import free_port
from tools.paths import CHECKOUT
from tools.progress import step

TITLE = "The assistant over a hundred hosts"
PLAYED = "none: processes on loopback; Prometheus and Loki are played"
USERS, EACH = 10, 20  # questions of each user
PAUSE = 0.5  # seconds between an answer and the user's next question
MISS, HIT = 0.150, 0.020  # seconds that the 95th percentile may take
MEMORY = 300  # MB
ASKED = (
    "cpu of {host}",
    "memory of {host} over the last 6 hours",
    "how full are the disks of {host}",
    "load of {host} compared to yesterday",
    "which 5 hosts use the most memory? and not {host}",
    "cpu of {host} over the last 24 hours",
    "swap of {host}",
    "network traffic of {host}",
)


@dataclass
class Run:
    """What one run collects."""

    figures: list[page.Figure] = field(default_factory=list)
    tables: list[page.Table] = field(default_factory=list)
    raw: dict[str, object] = field(default_factory=dict)


@dataclass
class Rig:
    """The processes by their part."""

    process: Process
    pids: dict[str, int]
    headers: dict[str, str]


@contextlib.contextmanager
def _rig() -> Iterator[Rig]:
    port = free_port()
    played = subprocess.Popen([sys.executable, "-m", "tests.bench.hundred_hosts", str(port)], cwd=CHECKOUT)
    with contextlib.ExitStack() as stack:
        stack.callback(played.wait, 30)
        stack.callback(played.kill)
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fleetwatch-ask-"))) for _ in range(3)]
        for one in folders:
            os.chmod(one, 0o755)
        postgres = stack.enter_context(servers.postgres(folders[0]))
        valkey = stack.enter_context(servers.valkey(folders[1]))
        url = {"url": f"http://127.0.0.1:{port}"}
        limits = {"user_per_hour": 10**6, "admin_per_hour": 10**6}
        path = stage.written(
            folders[2], postgres, valkey, stage.fresh_database(postgres), prometheus=url, loki=url, limits=limits
        )
        process = Process(path, folders[2] / "log")
        stack.callback(process.end)
        process.ready()
        token = json.loads(process.send("/ask/auth/login", {"name": "admin", "password": stage.ADMIN})[1])
        assert postgres.process is not None
        assert valkey.process is not None
        pids = {"app": process.running.pid, "PostgreSQL": postgres.process.pid, "Valkey": valkey.process.pid}
        yield Rig(process, pids, {"Authorization": f"Bearer {token['access_token']}"})


def _questions() -> list[str]:
    """Each different, so that none is in the cache."""
    hosts = hundred_hosts.names_of_hosts()
    return [ASKED[n % len(ASKED)].format(host=hosts[n // len(ASKED) % len(hosts)]) for n in range(USERS * EACH)]


def _asked(rig: Rig, questions: Sequence[str], cached: bool, pause: float = 0.0) -> list[float]:
    """The times of these questions, sent by ten users at once, each of whom waits `pause` seconds before a question."""

    def one(question: str) -> float:
        time.sleep(pause * random.uniform(0.5, 1.5))
        began = time.perf_counter()
        status, found = rig.process.ask(question, rig.headers)
        took = time.perf_counter() - began
        if status != 200 or found["cached"] is not cached:
            raise RuntimeError(f"{question}: {status}, {json.dumps(found)[:200]}")
        return took

    with ThreadPoolExecutor(USERS) as users:
        return list(users.map(one, questions))


def _percentile(times: Sequence[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


def _memory(pid: int) -> float:
    """MB of a process and its children, each page counted by its share (PSS)."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    own = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    return (int(own[1]) / 1024 if own else 0.0) + sum(_memory(int(one)) for one in children)


def _cpu(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _discovery(rig: Rig) -> float:
    """Seconds of the newest discovery."""
    before = _sum_of_discoveries(rig)
    status, text = rig.process.send("/ask/api/v1/admin/discovery/trigger", {}, rig.headers)
    if status != 200 or not json.loads(text)["discovered"]:
        raise RuntimeError(f"discovery: {status}, {text[:200]}")
    return _sum_of_discoveries(rig) - before


def _sum_of_discoveries(rig: Rig) -> float:
    text = rig.process.send("/metrics", internal=True)[1]
    found = re.search(r"^ask_discovery_duration_seconds_sum (\S+)", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def _times(run: Run, what: str, times: list[float], how: str, most: float | None = None) -> None:
    p50, p95 = (_percentile(times, share) for share in (0.5, 0.95))
    run.raw[what] = times
    aim = f"95th percentile under {most * 1000:.0f} ms" if most else ""
    value = f"{p95 * 1000:.1f} ms (95th percentile; half under {p50 * 1000:.1f} ms)"
    run.figures.append(page.Figure(what, value, how, aim, None if most is None else p95 < most))


def _without_pause(run: Run, rig: Rig, questions: list[str]) -> None:
    """Ten users who send the next question at once: more than the service can answer, so most of it is waiting."""
    how = "ten users without a pause, different questions, two executed at once"
    began = time.perf_counter()
    fresh = _asked(rig, [f"{one}, in the last 2 hours" for one in questions], cached=False)
    run.raw["rate"] = rate = len(questions) / (time.perf_counter() - began)
    again = _asked(rig, questions * 2, cached=True)
    _times(run, "new answer, ten users without a pause", fresh, f"{len(fresh)} different questions")
    _times(run, "cached answer, ten users without a pause", again, f"{len(again)} questions")
    run.figures.append(page.Figure("new answers at most", f"{rate:.0f} a second", how))


def measured(watch: page.Watch) -> Run:
    """Start everything, measure, remove everything."""
    run, questions = Run(), _questions()
    with step("the assistant with a hundred hosts"), _rig() as rig:
        idle = {name: _memory(pid) for name, pid in rig.pids.items()}
        alone = [_asked(rig, [f"{one} yesterday"], cached=False)[0] for one in questions[: 2 * len(ASKED)]]
        app = rig.pids["app"]
        cpu = [_cpu(app)]
        fresh = _asked(rig, questions, cached=False, pause=PAUSE)
        cpu.append(_cpu(app))
        loaded = {name: _memory(pid) for name, pid in rig.pids.items()}
        again = _asked(rig, questions * 2, cached=True, pause=PAUSE)
        cpu.append(_cpu(app))
        _times(run, "new answer, one user", alone, "one question after the other")
        pause = f"each pauses {PAUSE} s before a question"
        _times(run, "new answer, ten users at once", fresh, f"{len(fresh)} different questions; {pause}", MISS)
        _times(run, "cached answer, ten users at once", again, f"{len(again)} questions; {pause}", HIT)
        _without_pause(run, rig, questions)
        discovery = [_discovery(rig) for _ in range(3)]
        watch.look()
    for what, first, last, count in (("new", 0, 1, len(fresh)), ("cached", 1, 2, len(again))):
        run.raw[f"{what}, CPU"] = used = (cpu[last] - cpu[first]) / count
        run.figures.append(page.Figure(f"{what} answer, CPU", f"{used * 1000:.1f} ms", "of the app's process"))
    run.raw["discovery"] = discovery
    size = sum(len(one) for one in hundred_hosts.fleet().series.values())
    run.figures.append(
        page.Figure(
            "discovery", f"{max(discovery):.2f} s", f"the longest of 3; {size} series, {hundred_hosts.HOSTS} hosts"
        )
    )
    total = sum(loaded.values())
    run.figures.append(
        page.Figure("memory under load", f"{total:.0f} MB", "the three processes", f"under {MEMORY} MB", total < MEMORY)
    )
    rows = [[name, f"{idle[name]:.0f} MB", f"{loaded[name]:.0f} MB"] for name in rig.pids]
    run.tables.append(page.Table("Memory", ["part", "idle", "under load"], rows))
    return run
