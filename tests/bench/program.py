"""The program alone, run against a recording engine for fleets of different sizes: how resources and time grow.

`python -m tests.bench.program 100` is one run in a process of its own, which prints what it registered as JSON.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from dataclasses import dataclass, field

import pytest

from tests.bench import measure
from tests.bench.page import Figure
from tools.paths import CHECKOUT
from tools.progress import step

TITLE = "The program alone"
SIZES = (1, 10, 50, 100)
ROUNDS = 3  # one after the other through all sizes, so that a busy minute is not one size's alone
AIM = 10  # seconds for the greatest size
LINEAR = 1.3  # how much more a host may cost among many than among few


@dataclass
class Size:
    """What fleets of this many servers took. `resources` without components, which the engine only notes."""

    hosts: int
    resources: int = 0
    components: int = 0
    runs: measure.EngineRuns = field(default_factory=lambda: measure.EngineRuns([], []))

    @property
    def cpu(self) -> float:
        """Of the calmest run: other work on the machine makes every one dearer."""
        return min(self.runs.cpu)


def measured() -> list[Size]:
    """Every size, with the seconds of whole processes."""
    found = [Size(hosts) for hosts in SIZES]
    with step(f"the program alone, for {', '.join(map(str, SIZES))} hosts"):
        for _ in range(ROUNDS):
            for size in found:
                runs, output = _timed([sys.executable, "-m", __name__, str(size.hosts)])
                size.runs += runs
                size.resources, size.components = json.loads(output)
    return found


def _timed(argv: list[str]) -> tuple[measure.EngineRuns, str]:
    """One run of a process, and its output."""
    output: list[str] = []
    runs = measure.timed(lambda: output.append(_said(argv)), 1)
    return runs, output[0]


def figures(sizes: list[Size]) -> list[Figure]:
    """One per size, and how much a host costs among few and among many."""
    made = []
    for size in sizes:
        last = size is sizes[-1]
        made.append(
            Figure(
                f"program with {size.hosts} {'server' if size.hosts == 1 else 'servers'}",
                measure.spread(size.runs.seconds),
                f"a process from its start to its end; {size.resources} resources in {size.components} components",
                f"under {AIM} s" if last else "",
                statistics.median(size.runs.seconds) < AIM if last else None,
            )
        )
    few, middle, many = sizes[0], sizes[-2], sizes[-1]
    each = [_each(few, middle, "resources"), _each(middle, many, "resources")]
    cost = [_each(few, middle, "cpu"), _each(middle, many, "cpu")]
    between = f"between {few.hosts} and {middle.hosts}, and between {middle.hosts} and {many.hosts}"
    return [
        *made,
        Figure("one more server, resources", f"{each[0]:g}, {each[1]:g}", between, "the same", each[0] == each[1]),
        Figure(
            "one more server, CPU",
            f"{cost[0] * 1000:.0f} ms, {cost[1] * 1000:.0f} ms",
            f"{between}; each size's calmest run",
            f"at most {LINEAR} times the first",
            cost[1] <= LINEAR * cost[0],
        ),
    ]


def _each(few: Size, many: Size, what: str) -> float:
    return float((getattr(many, what) - getattr(few, what)) / (many.hosts - few.hosts))


def _said(argv: list[str]) -> str:
    done = subprocess.run(argv, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def _run(hosts: int) -> tuple[int, int]:
    """(resources, components) that the program registers for a hub droplet and this many servers."""
    from tests.component.program import run
    from tests.component.test_fleet import fleet

    sections = fleet(web_1=None, db_1=None, vps_1=None)
    sections["hub"]["droplet"]["volume"] = 1000  # GB: what the retention needs for the greatest size
    sections["hosts"] = {f"vps-{n}": {"server": {"address": f"203.0.113.{n + 20}"}} for n in range(hosts)}
    with pytest.MonkeyPatch.context() as patch:
        made = run(sections, patch).made
    components = sum(one.type.startswith("fleetwatch:") for one in made)
    return len(made) - components, components


if __name__ == "__main__":
    print(json.dumps(_run(int(sys.argv[1]))))
