"""Debian packages installed on this machine with apt, as root on Debian and Ubuntu."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence

from tools.processes import run


def usable() -> bool:
    """Whether this user can install packages here."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def update() -> None:
    """Fetch apt's package lists."""
    run(["apt-get", "-q", "update"], what="apt-get update", env=_environment())


def install(packages: Sequence[str], what: str) -> None:
    """Install these packages; `what` is in the name of the log file. ToolError with the end of the log if it fails."""
    argv = ["apt-get", "-q", "-y", "--no-install-recommends", "install", *packages]
    run(argv, what=f"apt-get install {what}", env=_environment())


def _environment() -> dict[str, str]:
    return {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
