"""`make lock`: requirements.txt from requirements.in, with hashes, for every Python from 3.10 on and every platform."""

from __future__ import annotations

import sys
from pathlib import Path

from tools.cli import Commands
from tools.paths import CHECKOUT, cache_dir
from tools.processes import run
from tools.progress import step

UV = "uv>=0.8,<1"
# What is locked: the program, the tools of CI (held to the versions of the former), the assistant, the application that
# the tests run in a container, the policy pack, what `make pictures` draws with and what `make bench` compares with.
FILES = tuple(
    Path(name)
    for name in (
        "requirements.in",
        "requirements-ci.in",
        "ask/requirements.in",
        "tests/app/requirements.in",
        "policy/requirements.in",
        "tests/pictures/requirements.in",
        "tests/bench/requirements.in",
    )
)


def register(commands: Commands) -> None:
    commands.add("lock", lambda _options: lock(), "resolve and lock the Python packages, with hashes")


def lock() -> None:
    """Resolve all packages; the lock files change only where newer versions are allowed and wanted."""
    place = cache_dir("uv")
    with step("uv: installing from PyPI"):
        run(
            [sys.executable, "-m", "pip", "install", "-q", "--upgrade", "--target", str(place), UV],
            what="pip install uv",
        )
    for source in FILES:
        argv = [str(place / "bin" / "uv"), "pip", "compile", "--universal", "--python-version", "3.10"]
        options = [
            "--generate-hashes",
            "--no-emit-index-url",
            "--upgrade",
            "-o",
            str(source.with_suffix(".txt")),
            str(source),
        ]
        with step(f"{source}: locking"):
            run([*argv, *options], what=f"uv pip compile {source}", cwd=CHECKOUT)
