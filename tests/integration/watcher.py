"""A watcher of command lines and environments, for what must be in none of them."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

# The program itself: Pulumi's engine hands it the configuration in its environment, secrets in clear. No child has it.
PROGRAM = b"pulumi-language-python-exec"


class Watcher:
    """Remembers every command line and environment that this machine shows while it is open: those inside the cloud's
    machines too, because they have this kernel."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self.environments: set[bytes] = set()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._end.wait(0.2):
            for process in os.listdir("/proc"):
                if process.isdigit():
                    with contextlib.suppress(OSError):
                        line = Path("/proc", process, "cmdline").read_bytes()
                        self.seen.add(line)
                        if PROGRAM not in line:
                            self.environments.add(Path("/proc", process, "environ").read_bytes())
