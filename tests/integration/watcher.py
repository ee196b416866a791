"""A watcher of command lines and environments, for what must be in none of them."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterable
from pathlib import Path

# The program itself: Pulumi's engine hands it the configuration in its environment, secrets in clear. No child has it.
PROGRAM = b"pulumi-language-python-exec"


class Watcher:
    """Remembers every command line and environment that this machine shows while it is open: those inside the cloud's
    machines too, because they have this kernel. `environments` has with each the command line that it was seen with;
    `pause`: seconds between two rounds."""

    def __init__(self, pause: float = 0.2) -> None:
        self.seen: set[bytes] = set()
        self.environments: dict[bytes, bytes] = {}
        self.rounds = 0
        self._pause = pause
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def showing(self, needles: Iterable[str]) -> set[str]:
        """The beginnings of the command lines that have one of these texts in them or in their environment."""
        wanted = [needle.encode() for needle in needles]
        lines = {line for line in self.seen if any(needle in line for needle in wanted)}
        lines |= {line for text, line in self.environments.items() if any(needle in text for needle in wanted)}
        return {line.replace(b"\0", b" ").decode(errors="replace")[:60] for line in lines}

    def _look(self) -> None:
        while not self._end.wait(self._pause):
            self.rounds += 1
            for process in os.listdir("/proc"):
                if process.isdigit():
                    with contextlib.suppress(OSError):
                        line = Path("/proc", process, "cmdline").read_bytes()
                        self.seen.add(line)
                        if PROGRAM not in line:
                            self.environments[Path("/proc", process, "environ").read_bytes()] = line
