"""Docker Engines that are known to be bad for a stack, and what processors the pinned images exist for. No I/O.

The readiness step of every host and `make up` warn about such an engine; it is used nevertheless.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PLATFORMS = ("amd64", "arm64")  # of every pinned image, in Go's names, as `docker version` shows them
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}  # the kernel's names


@dataclass(frozen=True)
class KnownBad:
    """Versions from `first` on and before `fixed`. `reason`: what goes wrong; `way_out`: what helps besides `fixed`."""

    first: str
    fixed: str
    reason: str
    way_out: str = ""

    def sentence(self) -> str:
        """What a user reads, after the version."""
        return f"{self.reason}; upgrade to {self.fixed} or newer{f', or {self.way_out}' if self.way_out else ''}"


KNOWN_BAD = (
    KnownBad(
        "20.10.0",
        "20.10.10",
        "its seccomp profile answers the system call clone3 with a final error, so programs of current images cannot "
        "start threads (moby#42680)",
    ),
    KnownBad(
        "28.2.0",
        "28.3.3",
        "after a reload of firewalld, ports that are published on 127.0.0.1, such as the hub's query pages, can be "
        "reached from the local network (CVE-2025-54388)",
        "restart Docker after each reload of firewalld",
    ),
)


def warnings(version: str) -> list[str]:
    """What is known to be bad about an engine of this version (`28.2.2`, `20.10.24+dfsg1`)."""
    number = _number(version)
    return [bad.sentence() for bad in KNOWN_BAD if _number(bad.first) <= number < _number(bad.fixed)]


def table() -> str:
    """KNOWN_BAD for the shell: two versions and the sentence, one line each."""
    return "\n".join(f"{bad.first} {bad.fixed} {bad.sentence()}" for bad in KNOWN_BAD)


def platform(machine: str) -> str:
    """The processor in Go's names, from the kernel's."""
    return _MACHINES.get(machine, machine)


def _number(version: str) -> tuple[int, int, int]:
    found = [int(part) for part in re.findall(r"\d+", version)[:3]]
    major, minor, patch, *_ = [*found, 0, 0, 0]
    return major, minor, patch
