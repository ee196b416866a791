"""A provider that failed several times in a row is not used for a time."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

FAILURES, PAUSE = 3, 60.0  # failed questions in a row, and seconds without requests for questions after them


@dataclass
class Pause:
    """One for each provider and process."""

    _failures: int = 0
    _until: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def lasts(self) -> bool:
        """Whether no request is sent now."""
        return time.monotonic() < self._until

    def failed(self) -> None:
        """A question failed."""
        with self._lock:
            self._failures += 1
            if self._failures >= FAILURES:
                self._failures, self._until = 0, time.monotonic() + PAUSE

    def succeeded(self) -> None:
        """A question was answered: what failed before no longer counts."""
        with self._lock:
            self._failures = 0
