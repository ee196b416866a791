"""A watcher of command lines and environments, for what must be in none of them."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path


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
                        self.seen.add(Path("/proc", process, "cmdline").read_bytes())
                        self.environments.add(Path("/proc", process, "environ").read_bytes())
