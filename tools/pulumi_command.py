"""`make pulumi`: any command of the Pulumi CLI for a stack."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from tools.cli import Commands
from tools.errors import ToolError
from tools.stack import Stack
from tools.stack_factory import open_stack


def register(commands: Commands) -> None:
    parser = commands.add("pulumi", _pulumi, "a Pulumi command for this stack")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)


def _pulumi(options: argparse.Namespace) -> int:
    return run_pulumi(open_stack(options), options.arguments)


def run_pulumi(stack: Stack, arguments: Sequence[str]) -> int:
    """Run a Pulumi command such as `preview --diff` or `stack output`; its exit code."""
    if not arguments:
        raise ToolError('no command given; for example: make pulumi ARGS="preview --diff"')
    if arguments[0] == "cancel":  # removes a lock, at which every other command stops
        return stack.run(*arguments, *([] if "--yes" in arguments else ["--yes"]))
    stack.prepare()
    stack.select(repair=arguments[0] != "import")  # an import may be the fix for an interrupted run
    return stack.run(*arguments)
