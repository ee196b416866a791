"""The headless Chromium of the tests and pictures: found, or as root on Debian installed."""

from __future__ import annotations

import re
import shutil

from tools import apt
from tools.errors import ToolError
from tools.processes import try_output
from tools.progress import say, step

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chromium-headless-shell")
PACKAGE = "chromium-headless-shell"
MISSING = f"no headless browser: expected one of {', '.join(NAMES)} on the PATH; on Debian: apt-get install {PACKAGE}"


def program() -> str | None:
    """The path of a browser of Chromium's family."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def prepare() -> None:
    """Install one where there is none and apt has it; Ubuntu has it as a snap only. Without it the tests of the
    assistant's page are skipped."""
    if program():
        return
    try:
        if apt.usable():
            with step(f"Headless browser: installing {PACKAGE} with apt (you are root)"):
                if not re.search(r"Candidate: \d", try_output(["apt-cache", "policy", PACKAGE]) or ""):
                    apt.update()
                apt.install([PACKAGE], PACKAGE)
            return
        problem = MISSING
    except ToolError as failed:
        problem = str(failed)
    say(f"  The tests of the assistant's page in a browser are skipped: {problem}")
