"""Steps that show they are alive, and sub-processes whose output goes to a log file.

A terminal gets one line rewritten in place; a pipe (CI) gets a line at the start, every ten seconds and at the end.
Ctrl-C ends the child's whole process group, so that nothing goes on building in the background.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tools.errors import ToolError
from tools.paths import cache_dir

TICK_TERMINAL = 0.5
TICK_PIPE = 10.0
TAIL_LINES = 15


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


def _end_group(process: subprocess.Popen[bytes]) -> None:
    for sig in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sig)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
            return


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
    return "\n".join(f"    {line}" for line in lines)


def run(
    argv: Sequence[str],
    *,
    what: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> None:
    """Run a slow command; its output goes to a log file, whose end is shown when it fails."""
    log = cache_dir("logs") / (re.sub(r"[^a-z0-9]+", "-", what.lower()).strip("-") + ".log")
    with log.open("wb") as out:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=dict(env) if env is not None else None,
            cwd=cwd,
            start_new_session=True,  # a process group of its own, which Ctrl-C can end as a whole
        )
        try:
            code = process.wait()
        except BaseException:
            _end_group(process)
            raise
    if code:
        raise ToolError(
            f"{what} failed ({argv[0]} ended with {code}). Its last lines:\n{_tail(log)}\n  All of it: {log}"
        )


def ask(argv: Sequence[str], *, env: Mapping[str, str] | None = None, timeout: float = 60) -> str | None:
    """The output of a quick command, or None when it is missing, fails or does not answer in time."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout, env=env, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
