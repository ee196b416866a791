"""The rate limit: a number of requests per window, reported in every answer's headers.

The file `limit` beside the state replaces the limit while the service runs: "REQUESTS" or "REQUESTS SECONDS".
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

REQUESTS, WINDOW = 5000, 3600


class Limiter:
    """Counts requests. A new window begins when the old one ends or when the file changes."""

    def __init__(self, file: Path) -> None:
        self._file, self._lock = file, threading.Lock()
        self._setting, self._began, self._used = (REQUESTS, WINDOW), time.time(), 0

    def count(self, use: int = 1) -> tuple[bool, dict[str, str]]:
        """Whether one more request is allowed, and the headers that report the state. use=0 counts nothing."""
        with self._lock:
            setting, now = self._read(), time.time()
            if setting != self._setting or now >= self._began + setting[1]:
                self._setting, self._began, self._used = setting, now, 0
            allowed = self._used + use <= setting[0]
            self._used += use if allowed else 0
            reset = self._began + setting[1]
            headers = {
                "ratelimit-limit": str(setting[0]),
                "ratelimit-remaining": str(setting[0] - self._used),
                "ratelimit-reset": str(int(reset) + 1),
            }
            if not allowed:
                headers["Retry-After"] = str(max(1, int(reset - now) + 1))
            return allowed, headers

    def _read(self) -> tuple[int, int]:
        try:
            numbers = [int(text) for text in self._file.read_text().split()]
        except (FileNotFoundError, ValueError):
            return REQUESTS, WINDOW
        return (numbers[0], max(1, numbers[1]) if len(numbers) > 1 else WINDOW) if numbers else (REQUESTS, WINDOW)
