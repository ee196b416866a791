"""A server that hangs fails at once for a moment after it was noticed, so that requests do not queue up behind it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ask.service.problems import Problem


@dataclass
class Breaker:
    """A failure that took longer than `slow` seconds makes every call of the next `pause` seconds fail at once.

    A server that refuses connections fails fast anyway and opens nothing: it is used again as soon as it is back.
    """

    slow: float = 1.5
    pause: float = 2.0
    _until: float = 0.0

    @contextlib.contextmanager
    def guard(self, errors: tuple[type[Exception], ...], problem: Callable[[], Problem]) -> Iterator[None]:
        """Turn these errors into the problem."""
        began = time.monotonic()
        if began < self._until:
            raise problem()
        try:
            yield
        except errors:
            if time.monotonic() - began > self.slow:
                self._until = time.monotonic() + self.pause
            raise problem() from None
