"""The one exception that ends a command with a sentence instead of a traceback, and the sentences about others."""

from __future__ import annotations

import errno

_REMEDIES = {
    errno.ENOSPC: "free some disk space",
    errno.EDQUOT: "free some disk space",
    errno.EFBIG: "raise the limit for file sizes (`ulimit -f`)",
    errno.EROFS: "mount it for writing, or choose another place by FLEETWATCH_STATE or FLEETWATCH_CACHE",
    errno.EACCES: "give this user access, or choose another place by FLEETWATCH_STATE or FLEETWATCH_CACHE",
    errno.EMFILE: "raise the limit for open files (`ulimit -n`)",
}


class ToolError(Exception):
    """What is wrong, where, and how to fix it, in a message for the user."""


def of_system(problem: OSError) -> str:
    """The sentence about a file or a program that the system refuses."""
    name = problem.filename.decode(errors="replace") if isinstance(problem.filename, bytes) else problem.filename
    reason = problem.strerror or str(problem) or type(problem).__name__
    if isinstance(problem, FileNotFoundError) and isinstance(name, str) and "/" not in name:
        return f"The program `{name}` is not on PATH: install it, or add its folder to PATH, and run the command again."
    remedy = _REMEDIES.get(problem.errno or 0)
    return f"{f'{name}: ' if name else ''}{reason}{f'; {remedy}, then run the command again' if remedy else ''}."


def sentence(problem: ToolError | OSError) -> str:
    """What a user reads of it."""
    return of_system(problem) if isinstance(problem, OSError) else str(problem)
