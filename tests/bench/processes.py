"""CPU and memory of a command by process: the program, the engine, each plugin, the language host, our own wrapper.

The processes that come below this one are looked at every 50 ms. What a process used after the last look at it, and one
that lived for less, is missing in its line: the kernel's own sum of all processes shows how much that is.
"""

from __future__ import annotations

import contextlib
import os
import re
import resource
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

EVERY = 0.05
PROGRAM, ENGINE, LANGUAGE, WRAPPER = "program", "engine", "language host", "our own wrapper"
_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_STAND_INS = "localcloud.standins.plugins"


@dataclass(frozen=True)
class Share:
    """What processes of one kind used: `cpu` in seconds; `memory` in bytes, when all together had the most."""

    kind: str
    count: int
    cpu: float
    memory: int


@dataclass(frozen=True)
class Attribution:
    """`cpu`: all processes, from the kernel; `memory`: the greatest sum of their resident sets. Pages that several
    processes share are counted in each of them."""

    shares: Sequence[Share]
    cpu: float
    memory: int

    def of(self, kind: str) -> float:
        """CPU seconds of one kind."""
        return sum(share.cpu for share in self.shares if share.kind == kind)


@dataclass
class _Process:
    kind: str
    cpu: float = 0.0
    memory: int = 0


@dataclass
class _Looks:
    """What the looks have found so far."""

    known: dict[tuple[int, str], _Process] = field(default_factory=dict)  # by id and start: ids are used again
    memory: int = 0
    at_most: dict[str, int] = field(default_factory=dict)

    def look(self, root: int, before: frozenset[int]) -> None:
        now: dict[str, int] = {}
        for process in self._living(root, WRAPPER, before):
            now[process.kind] = now.get(process.kind, 0) + process.memory
        if (whole := sum(now.values())) > self.memory:
            self.memory, self.at_most = whole, now

    def _living(self, parent: int, kind: str, before: frozenset[int]) -> Iterator[_Process]:
        for pid in _children(parent):
            if pid in before:
                continue
            with contextlib.suppress(OSError, IndexError, ValueError):  # it has just ended
                process = self._read(pid, kind)
                yield process
                yield from self._living(pid, process.kind, before)

    def _read(self, pid: int, parent: str) -> _Process:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        argv = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        process = self.known.setdefault((pid, fields[19]), _Process(parent))
        if argv != [""]:  # empty: it has ended, and its parent has not noticed yet
            process.kind = kind_of(argv, parent)  # again at each look: between fork and exec it is its parent's copy
        process.cpu = (int(fields[11]) + int(fields[12])) / _TICK
        process.memory = pages * _PAGE
        return process

    def shares(self) -> list[Share]:
        found = [
            Share(
                kind,
                sum(one.kind == kind for one in self.known.values()),
                sum(one.cpu for one in self.known.values() if one.kind == kind),
                self.at_most.get(kind, 0),
            )
            for kind in dict.fromkeys(one.kind for one in self.known.values())
        ]
        return sorted(found, key=lambda one: -one.cpu)


def kind_of(argv: Sequence[str], parent: str) -> str:
    """What a process is, by its command line; one that has no name here counts as what started it."""
    name = Path(argv[0]).name
    if any(Path(word).name == "pulumi-language-python-exec" for word in argv):
        return PROGRAM
    if name.startswith("pulumi-language-"):
        return LANGUAGE
    if found := re.fullmatch(r"pulumi-resource-(\w+)", name):
        return f"plugin {found[1]}"
    for place, word in enumerate(argv):
        if _STAND_INS in word and place + 1 < len(argv):
            return f"plugin {argv[place + 1]}, stand-in"
    if name == "pulumi" and {"up", "preview"} & set(argv):
        return ENGINE
    return "ssh" if name == "ssh" else parent


def _children(pid: int) -> Iterable[int]:
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            yield from map(int, path.read_text().split())


def watched(run: Callable[[], object]) -> Attribution:
    """Run it, and look at the processes that it starts until it returns."""
    root, looks, end = os.getpid(), _Looks(), threading.Event()
    before = frozenset(_children(root))

    def look() -> None:
        while not end.wait(EVERY):
            looks.look(root, before)

    thread = threading.Thread(target=look)
    used = _ended()
    thread.start()
    try:
        run()
    finally:
        end.set()
        thread.join()
    return Attribution(looks.shares(), _ended() - used, looks.memory)


def _ended() -> float:
    """CPU seconds of all ended children and theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
