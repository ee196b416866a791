"""`make pulumi`: any command of the Pulumi CLI for a stack."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Sequence

from tools.cli import Commands
from tools.errors import ToolError
from tools.stack import Stack
from tools.stack_factory import open_stack


def register(commands: Commands) -> None:
    parser = commands.add("pulumi", _pulumi, "a Pulumi command for this stack")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)


def _pulumi(options: argparse.Namespace) -> int:
    arguments = words(options.arguments)
    return run_pulumi(open_stack(options), arguments)


def words(given: Sequence[str]) -> list[str]:
    """The arguments of Pulumi. One text with all of them, as make passes on ARGS=, is split here: no shell runs it."""
    try:
        found = shlex.split(given[0]) if len(given) == 1 else list(given)
    except ValueError as problem:
        raise ToolError(f"ARGS={given[0][:80]}: expected arguments of Pulumi, {problem}.") from None
    if not found or not re.fullmatch(r"[a-z][a-z-]*", found[0]):
        got = f", got {found[0][:40]!r}" if found else ""
        raise ToolError(f'ARGS=: expected a command of Pulumi{got}; for example: make pulumi ARGS="preview --diff"')
    return found


def run_pulumi(stack: Stack, arguments: Sequence[str]) -> int:
    """Run a Pulumi command such as `preview --diff` or `stack output`; its exit code."""
    if arguments[0] == "cancel":  # removes a lock, at which every other command stops
        return stack.run(*arguments, *([] if "--yes" in arguments else ["--yes"]))
    stack.prepare()
    stack.select(repair=arguments[0] != "import")  # an import may be the fix for an interrupted run
    return stack.run(*arguments)
