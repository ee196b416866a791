"""For all tests: a run begins on a machine without the remains of one that was killed, and Ctrl-C means something."""

from __future__ import annotations

import os
from collections import defaultdict

import pytest

from tests.fixtures import leftovers
from tools import docker_engine
from tools.cli import heed_interrupts

LONG = 60  # seconds
heed_interrupts()  # the tests that press Ctrl-C on a child of theirs would wait for ever otherwise

# Stacks of tests keep their state in folders of the tests, wherever this user keeps that of others.
os.environ.pop("PULUMI_BACKEND_URL", None)


def pytest_sessionstart(session: pytest.Session) -> None:
    if hasattr(session.config, "workerinput"):  # once, not in each of xdist's workers
        return
    # Tests without Docker leave the remains to the next run with it.
    if docker_engine.answers():
        for name in leftovers.sweep():
            print(f"Removed what a test run that was killed had left: {name}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Which modules took the time: those of integration tests share stacks, so that single tests say little."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                seconds[report.nodeid.partition("::")[0]] += report.duration
    longest = sorted(((time, name) for name, time in seconds.items() if time >= LONG), reverse=True)
    if longest:
        terminalreporter.section(f"modules of more than {LONG} s")
        terminalreporter.write_line(", ".join(f"{name} {time:.0f} s" for time, name in longest))
