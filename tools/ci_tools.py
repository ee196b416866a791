"""The virtualenv with the tools that CI and a release use, in the cache. Its lock is requirements-ci.txt."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tools.paths import CHECKOUT, VENV, cache_dir, only_one
from tools.processes import run
from tools.progress import step

LOCK = CHECKOUT / "requirements-ci.txt"


def folder() -> Path:
    """The virtualenv's programs; made when the lock has changed."""
    with only_one("ci tools"):
        place = cache_dir("ci-tools", hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12])
        if not (place / "complete").exists():
            with step(f"Tools of CI: installing {LOCK.name} into a separate virtualenv"):
                run(
                    [str(VENV / "bin" / "python"), "-m", "venv", "--clear", str(place)], what="venv for the tools of CI"
                )
                pip = [
                    str(place / "bin" / "python"),
                    "-m",
                    "pip",
                    "--disable-pip-version-check",
                    "install",
                    "--no-input",
                ]
                run([*pip, "--require-hashes", "-r", str(LOCK)], what="pip install tools of CI")
            (place / "complete").touch()
    return place / "bin"
