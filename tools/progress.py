"""Progress lines: a terminal gets one line rewritten in place; a pipe (CI) gets a line at the start, every ten seconds
and at the end."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator

TICK_TERMINAL = 0.5
TICK_PIPE = 10.0


def say(text: str) -> None:
    print(text, flush=True)


def _ticker(what: str, start: float, done: threading.Event, tty: bool) -> None:
    while not done.wait(TICK_TERMINAL if tty else TICK_PIPE):
        elapsed = f"{time.monotonic() - start:.0f} s"
        if tty:
            sys.stdout.write(f"\r\033[K{what} ... {elapsed}")
            sys.stdout.flush()
        else:
            say(f"  {what} ... {elapsed}")


@contextlib.contextmanager
def step(what: str, hint: str = "") -> Iterator[None]:
    """Print the start, the time that passes and the duration of a slow piece of work."""
    tty = sys.stdout.isatty()
    start, done = time.monotonic(), threading.Event()
    say(f"{what}{f' ({hint})' if hint else ''}")
    ticker = threading.Thread(target=_ticker, args=(what, start, done, tty), daemon=True)
    ticker.start()
    outcome = "stopped"
    try:
        yield
        outcome = "done"
    finally:
        done.set()
        ticker.join()
        say(f"{chr(13) + chr(27) + '[K' if tty else ''}  {what}: {outcome} after {time.monotonic() - start:.1f} s")
