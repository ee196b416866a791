"""Sub-processes: slow ones whose output goes to a log file, and quick ones whose output is the result.

Ctrl-C ends the child's whole process group, so that nothing goes on building in the background.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.errors import ToolError
from tools.paths import cache_dir

TAIL_LINES = 15


def end_group(process: subprocess.Popen[bytes], patience: float = 5) -> None:
    """End the process group that a process leads; it is killed if that takes longer than `patience` seconds."""
    for sig in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sig)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
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
            start_new_session=True,  # a new process group, which Ctrl-C can end as a whole
        )
        try:
            code = process.wait()
        except BaseException:
            end_group(process)
            raise
    if code:
        raise ToolError(
            f"{what} failed ({argv[0]} ended with {code}). Last lines:\n{_tail(log)}\n  Whole output: {log}"
        )


def try_output(argv: Sequence[str], *, env: Mapping[str, str] | None = None, timeout: float = 60) -> str | None:
    """The output of a quick command; None if it is missing, fails or exceeds the time limit."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout, env=env, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
