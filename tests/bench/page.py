"""The figures as sections of a page: what `make bench` prints, and docs/figures.md."""

from __future__ import annotations

import os
import platform
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.usage import Usage
from tests.integration.rig import docker

CALM = 1.5  # load average above which a figure says more about the machine's other work
HEAD = """\
# Figures

What `make bench` measured, each section in one run, on stacks of its own that are gone afterwards. This page is written
by `.venv/bin/python -m tests.bench --page docs/figures.md`; for the fleets with other plugins than those of `make up`,
FLEETWATCH_PLUGINS=folder in front.
"""


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


@dataclass(frozen=True)
class Table:
    """More than a figure: a title, the names of the columns, and the cells of each line."""

    title: str
    columns: Sequence[str]
    lines: Sequence[Sequence[str]]

    def text(self) -> list[str]:
        rows = [self.columns, ["---"] * len(self.columns), *self.lines]
        head, rule, *rest = [f"| {' | '.join(row)} |" for row in rows]
        return ["", f"### {self.title}", "", head, rule.replace(" ", ""), *rest]


def usages(title: str, found: Sequence[Usage]) -> Table:
    """What containers use."""
    lines = [[one.container, f"{one.memory / 1024**2:.0f} MB", f"{one.cpu:.1f} %"] for one in found]
    return Table(title, ["container", "memory, highest reading", "CPU, of one core"], lines)


def hardware() -> str:
    """The processor's cores and the memory of this machine."""
    memory = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))
    return f"{os.cpu_count()} cores, {int(memory.split()[1]) / 1024**2:.0f} GB of memory"


def machine() -> dict[str, str]:
    """Where it was measured."""
    return {
        "date": time.strftime("%Y-%m-%d %H:%M %Z"),
        "machine": hardware(),
        "kernel": platform.release(),
        "Docker": docker("version", "-f", "{{.Server.Version}}").strip()
        + f", cgroup v{docker('info', '-f', '{{.CgroupVersion}}').strip()}",
    }


def where() -> str:
    """The same without the date, for a sentence."""
    found = machine()
    return f"{found['machine']}, kernel {found['kernel']}, Docker {found['Docker']}"


def running() -> int:
    """Containers on the machine now."""
    return len(docker("ps", "-q").split())


class Watch:
    """What else goes on: the machine's load before anything is measured, and other work's containers, looked at again
    and again. `own` is part of the name of every container of the run itself."""

    def __init__(self) -> None:
        self.own = "nothing yet"
        self._loads: list[float] = []
        self._others: list[set[str]] = []
        self.look()

    def look(self) -> None:
        self._loads.append(os.getloadavg()[0])
        self._others.append({name for name in docker("ps", "--format", "{{.Names}}").split() if self.own not in name})

    def words(self) -> str:
        come = set.union(*self._others) - self._others[0]
        said = (
            f"load average {self._loads[0]:.1f} before, up to {max(self._loads):.1f} while measuring, this run's own "
        )
        said += f"work included; {len(self._others[0])} containers of other work, {len(come)} more have come meanwhile"
        if self._loads[0] > CALM or come:
            said += ". **The machine was not calm:** times are longer and CPU shares higher for it"
        return said


def render(title: str, images: str, watch: Watch, figures: Sequence[Figure], tables: Sequence[Table] = ()) -> str:
    """One section, readable in a terminal too."""
    lines = [f"## {title}", ""]
    lines += [f"- {key}: {value}" for key, value in machine().items()]
    lines += [f"- images: {images}", f"- {watch.words()}", ""]
    lines += ["| what | figure | aim | how taken |", "|---|---|---|---|"] if figures else []
    lines += [f"| {one.what} | {one.value} | {one.verdict()} | {one.how} |" for one in figures]
    for table in tables:
        lines += table.text()
    return "\n".join(lines) + "\n"


def put(page: str, section: str) -> str:
    """The page with this section in the place of the one of the same title, or at its end."""
    head, *sections = re.split(r"^(?=## )", page or HEAD, flags=re.MULTILINE)
    title = section.split("\n", 1)[0]
    titles = [one.split("\n", 1)[0] for one in sections]
    if title in titles:
        sections[titles.index(title)] = section
    else:
        sections.append(section)
    return "\n".join(part.rstrip("\n") + "\n" for part in (head, *sections))
