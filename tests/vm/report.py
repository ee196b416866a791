"""The steps of a run as a section of docs/figures.md, readable in a terminal too."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.bench import page

TITLE = "A virtual machine: systemd, cgroup v2, Docker by apt"
_FACTS = (
    "system", "kernel", "init", "docker", "compose", "packages", "first boot", "held", "cgroup", "storage",
    "accelerator",
)  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One step: what was done, how long it took, what was found."""

    name: str
    seconds: float
    note: str
    well: bool


def section(steps: Sequence[Step], facts: Mapping[str, str]) -> str:
    """The section; `facts` is what runs the machine, as far as the run came."""
    where = f"{page.hardware()}, kernel {platform.release()}"
    lines = [f"## {TITLE}", "", "By `make test-vm`.", ""]
    lines += [f"- date: {time.strftime('%Y-%m-%d %H:%M %Z')}", f"- on: {where}"]
    lines += [f"- {key}: {facts[key]}" for key in _FACTS if facts.get(key)]
    lines += [f"- load average {os.getloadavg()[1]:.1f} in the last five minutes", ""]
    lines += ["| step | time | result |", "|---|---|---|"]
    lines += [f"| {one.name} | {_duration(one.seconds)} | {one.note.replace('|', '/')} |" for one in steps]
    lines += [f"| in all | {_duration(sum(one.seconds for one in steps))} | |"]
    return "\n".join(lines) + "\n"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
