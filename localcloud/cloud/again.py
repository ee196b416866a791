"""Clearing what a service that was killed had half made."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 60  # seconds


def clear(remove: Callable[..., None], *args: object, patience: float = PATIENCE) -> None:
    """Remove something. What the killed service had started may still be at work on it for a while: tried again."""
    until = time.monotonic() + patience
    while True:
        try:
            return remove(*args)
        except Exception:
            if time.monotonic() > until:
                raise
            time.sleep(1)
