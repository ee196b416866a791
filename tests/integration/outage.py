"""What the outage tests share: a writer of numbered lines, raw samples out of Prometheus, all lines out of Loki."""

from __future__ import annotations

import bisect
import contextlib
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from configs import services
from tests.integration.fleet import Fleet
from tests.integration.rig import Rig, docker, eventually, timestamp
from tools import working_copy
from tools.hubclient import HubClient
from tools.stack import IMAGES
from tools.stack_settings import read_settings

# Ten numbered lines a second, paced by the clock: what is written does not depend on how loaded the machine is.
WRITER = """
import time
start, n = time.monotonic(), 0
while True:
    print(f"n={n} numbered", flush=True)
    n += 1
    time.sleep(max(0.0, start + n / 10 - time.monotonic()))
"""
PAGE = 60  # seconds of lines asked for at once: 600 lines of the writer, far below Loki's limit of 5000


def start_app(rig: Rig, image: str) -> str:
    """The application that is scraped each second, as `shop:8000` on a network of the stack file; its id."""
    network = rig.network("apps")
    edge = {"networks": [network], "apps": {"shop": {"target": "shop:8000", "interval": "1s"}}}
    rig.change({"hosts": {"hub": edge}})
    return rig.run(image, options=("--network", network, "--network-alias", "shop"))


def start_writer(rig: Rig, image: str, role: str = "writer") -> str:
    """A container that writes numbered lines; its name, which is its label `container` too."""
    name = rig.container(role)
    rig.run(image, "-c", WRITER, options=("--name", name, "--entrypoint", "python3"))
    return name


def stop_writer(name: str) -> int:
    """End it; the number of its last line, as Docker itself kept it."""
    docker("stop", "-t", "1", name)
    return int(docker("logs", "--tail", "1", name).split()[0].removeprefix("n="))


def all_numbers(rig: Rig, name: str, start: float) -> tuple[int, Counter[int]]:
    """End the writer; the number of its last line, and `numbers` once that line has arrived."""
    last = stop_writer(name)
    eventually("the last line", lambda: numbers(rig, name, start)[last], patience=120, pause=3)
    return last, numbers(rig, name, start)


def numbers(rig: Rig, container: str, start: float) -> Counter[int]:
    """How often every numbered line stands in Loki, from `start` to now, asked page by page."""
    found: Counter[int] = Counter()
    for line in arrived(rig.hub, f'{{container="{container}"}}', start):
        match = re.match(r"n=(\d+) ", line)
        assert match, f"a line that the writer did not write: {line!r}"
        found[int(match[1])] += 1
    return found


def arrived(hub: HubClient, query: str, start: float) -> Iterator[str]:
    """Every line that Loki has, from `start` to now, asked page by page."""
    at, end = start, time.time() + 1
    while at < end:
        streams = hub.logs(query, at, min(at + PAGE, end), limit=5000, forward=True)
        lines = [line for stream in streams for _, line in stream["values"]]
        assert len(lines) < 5000, "a page is full: lines may be missing from the answer, ask for shorter pages"
        yield from lines
        at += PAGE


def raw(rig: Rig, selector: str, window: str) -> list[dict[str, Any]]:
    """Raw samples (not interpolated to steps): series with `metric` and `values` [seconds, text]."""
    return rig.hub.metrics(f"{selector}[{window}]")


def stamps(rig: Rig, selector: str, window: str) -> list[float]:
    """Times of all samples of the one series that the selector finds."""
    series = raw(rig, selector, window)
    assert len(series) == 1, f"{selector}: expected one series, got {[one['metric'] for one in series]}"
    return [float(at) for at, _ in series[0]["values"]]


def longest_gap(times: list[float]) -> tuple[float, float]:
    """(length, beginning) of the longest time between two samples."""
    assert len(times) > 1, "no samples to look for a gap in"
    return max((after - before, before) for before, after in zip(times, times[1:], strict=False))


def served(container: str, since: float) -> list[float]:
    """When the application answered a scrape, by its own access log: what could be collected on a slow machine too."""
    lines = docker("logs", "--timestamps", "--since", f"{since:.3f}", container).splitlines()
    return [timestamp(line.split()[0]) for line in lines if "GET /metrics" in line]


def lost(answered: list[float], times: list[float]) -> list[float]:
    """Scrapes that were answered and have no sample. A sample bears the time at which its scrape began; a scrape of
    every second ends after one second at the latest."""
    known = sorted(times)
    return [at for at in answered if not any(at - 1.5 <= one <= at + 0.3 for one in known[_around(known, at)])]


def _around(known: list[float], at: float) -> slice:
    where = bisect.bisect(known, at)
    return slice(max(0, where - 2), where + 1)


@contextlib.contextmanager
def another_tag(rig: Rig, images: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Every image that the rig's containers use under another tag, by key, as a new version of each would come."""
    working = rig.home / "state" / rig.name / rig.file.name  # it has the secrets
    settings, problems = read_settings(working_copy.read(working)["config"], rig.name, str(rig.file))
    assert settings is not None
    assert not problems, problems
    used = services.used_images(settings)
    bumped = {key: f"fleetwatch.local/{rig.prefix}-{key.replace('_', '-')}:next" for key in used}
    for key, ref in bumped.items():
        docker("tag", images[key], ref)
    try:
        yield bumped
    finally:
        for ref in bumped.values():  # the containers keep the image itself
            docker("rmi", "--no-prune", "-f", ref, check=False)


def bump_images(fleet: Fleet) -> None:
    """The same for a fleet in a rehearsal: tags on its hosts, and in what stands for the pins there."""
    pins = working_copy.read(fleet.state / IMAGES)
    bumped = {key: f"fleetwatch.local/{key.replace('_', '-')}:next" for key in pins}
    tags = "\n".join(f"docker tag {ref} {bumped[key]} 2> /dev/null" for key, ref in pins.items())
    for host in fleet.outputs()["hosts"]:
        fleet.on(host, "sh", "-c", f"{tags}\ntrue")
    working_copy.write(fleet.state / IMAGES, bumped)


def leave(rig: Rig) -> float:
    """Take the hub's receiving side away, its door first; the time."""
    at = time.time()
    for role in ("caddy", "prometheus", "loki"):
        docker("stop", "-t", "30", rig.container(role))
    return at


def come_back(rig: Rig) -> float:
    """Bring it back, its door last; the time at which the door opened.

    Before the door opens, Prometheus gets a sample of now, as another host that knocks first would bring it: from then
    on everything of the backlog is out of order for it, and refused but for the out-of-order window.
    """
    docker("start", rig.container("prometheus"))
    first = "another_host_came_first 1\n"
    push = ("promtool", "push", "metrics", "http://127.0.0.1:9090/")
    eventually(
        "Prometheus takes samples again",
        lambda: docker("exec", "-i", rig.container("prometheus"), *push, stdin=first) is not None,
        patience=120,
    )
    docker("start", rig.container("loki"))
    docker("start", rig.container("caddy"))
    at = time.time()
    eventually("the hub answers again", lambda: rig.hub.metrics("another_host_came_first"), patience=120)
    return at


def wait_out(start: float, seconds: float) -> None:
    """Until `seconds` after `start`: an outage is time passing, there is nothing to ask for."""
    time.sleep(max(0.0, start + seconds - time.time()))
