"""The figures as a page: what `make bench` prints, and docs/figures.md."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.usage import Usage
from tests.integration.rig import docker

CALM = 1.5  # load average above which a figure says more about the machine's other work


@dataclass(frozen=True)
class Figure:
    """One line: what, how much, how taken, and whether the aim is met (empty: there is none)."""

    what: str
    value: str
    how: str
    aim: str = ""
    met: bool | None = None

    def verdict(self) -> str:
        return "" if self.met is None else f"{self.aim}: {'met' if self.met else 'MISSED'}"


def machine() -> dict[str, str]:
    """Where it was measured."""
    memory = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))
    return {
        "date": time.strftime("%Y-%m-%d %H:%M %Z"),
        "machine": f"{os.cpu_count()} cores, {int(memory.split()[1]) / 1024**2:.0f} GB of memory",
        "kernel": platform.release(),
        "Docker": docker("version", "-f", "{{.Server.Version}}").strip()
        + f", cgroup v{docker('info', '-f', '{{.CgroupVersion}}').strip()}",
    }


def running() -> int:
    """Containers on the machine now."""
    return len(docker("ps", "-q").split())


def caveat(loads: Sequence[float], containers: Sequence[int], own: int) -> str:
    """What else went on meanwhile."""
    high, others = max(loads), max(containers) - own
    said = f"load average {loads[0]:.1f} before, up to {high:.1f} while measuring, this run's own work included; "
    said += f"containers on the machine: up to {max(containers)}, {max(0, others)} of them of other work"
    if high > CALM and others > 0:
        said += ". **The machine was not calm:** times are longer and CPU shares higher for it"
    return said


def render(
    place: dict[str, str], images: str, note: str, figures: Sequence[Figure], tables: dict[str, list[Usage]]
) -> str:
    """The page, readable in a terminal too."""
    lines = [
        "# Figures",
        "",
        "One run of `make bench`, on a stack of its own that is gone afterwards. This page is written by",
    ]
    lines += ["`.venv/bin/python -m tests.bench --page docs/figures.md`.", ""]
    lines += [f"- {key}: {value}" for key, value in place.items()]
    lines += [f"- images: {images}", f"- {note}", ""]
    lines += ["| what | figure | aim | how taken |", "|---|---|---|---|"]
    lines += [f"| {one.what} | {one.value} | {one.verdict()} | {one.how} |" for one in figures]
    for title, usages in tables.items():
        lines += ["", f"## {title}", "", "| container | memory, highest reading | CPU, of one core |", "|---|---|---|"]
        lines += [f"| {one.container} | {one.memory / 1024**2:.0f} MB | {one.cpu:.1f} % |" for one in usages]
    return "\n".join(lines) + "\n"
