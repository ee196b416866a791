"""SIGINT ends the program without a traceback where Pulumi runs it, and stays Python's own where anybody else does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from components.short_lived import ERROR_IS_SHOWN, PROGRAM_RUNNER
from tests.fixtures.full import ROOT

SCRIPT = """
import os, signal, time
import components.short_lived
os.kill(os.getpid(), signal.SIGINT)
time.sleep(20)
"""


@pytest.mark.parametrize(
    ("script", "code", "traceback"), [(PROGRAM_RUNNER, ERROR_IS_SHOWN, False), ("another.py", -signal.SIGINT, True)]
)
def test_sigint_prints_no_traceback_in_the_program(tmp_path: Path, script: str, code: int, traceback: bool) -> None:
    (tmp_path / script).write_text(SCRIPT)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, str(tmp_path / script)], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stderr
    assert ("KeyboardInterrupt" in done.stderr) is traceback, done.stderr
