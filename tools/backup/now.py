"""`make backup`: a backup now; with TAKE=1 into a repository that another hub has written."""

from __future__ import annotations

import argparse
import time

from tools.backup.repository import Repository, opened
from tools.cli import Commands
from tools.errors import ToolError
from tools.progress import say, step

PATIENCE = 6 * 3600


def register(commands: Commands) -> None:
    found = commands.add("backup", _backup, "back up the hub now")
    found.add_argument("--take", action="store_true", help="take over the repository of another hub, which is gone")


def _backup(options: argparse.Namespace) -> int:
    repository = Repository(opened(options))
    with step("Backing up"):
        run(repository, take=options.take)
    failed = repository.shell("cd /state/failed && grep . * || true")
    problems = [line for line in failed.splitlines() if not line.startswith("check:")]
    if problems:
        raise ToolError("The backup failed:\n" + "\n".join(f"  - {line.replace(':', ': ', 1)}" for line in problems))
    say("Every part is backed up.")
    return 0


def run(repository: Repository, *, take: bool = False) -> None:
    """Start a run and wait for its end."""
    before = repository.shell("cat /state/ran 2> /dev/null || true").strip()
    repository.start("adopt" if take else "")
    end = time.monotonic() + PATIENCE
    look = "[ -e /state/now ] || cat /state/ran 2> /dev/null || true"
    while time.monotonic() < end:
        try:
            found = repository.shell(look).strip()
        except ToolError as problem:
            raise ToolError(
                f"The backup was begun, and its end is not known: {problem}. When {repository.backup} runs on the hub "
                "(`make up` starts it), it begins again by itself; `make backup` begins one and waits for its end."
            ) from None
        if found and found != before:
            return
        time.sleep(2)
    raise ToolError(f"The backup has not ended within {PATIENCE // 3600} hours; its container's log has its progress.")
