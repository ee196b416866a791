"""How the commands of `python -m tools` are registered: the module that implements a command adds its parser."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable

Run = Callable[[argparse.Namespace], "int | None"]


class Commands:
    """Collects the parsers. A command's `run` gets the parsed options and gives the exit code; None is 0."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._parsers = parser.add_subparsers(required=True, metavar="command")

    def add(self, name: str, run: Run, text: str) -> argparse.ArgumentParser:
        """Add a command with its help text; its arguments are added to the parser that this gives."""
        parser = self._parsers.add_parser(name, help=text, description=text)
        parser.set_defaults(run=run)
        return parser


def confirmed(question: str) -> bool:
    """Whether the user answers yes; no without a terminal."""
    if not sys.stdin.isatty():
        return False
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:
        return False


def heed_interrupts() -> None:
    """Undo that SIGINT is ignored, as a shell does for a job in the background (`make up &`), and as children inherit
    it: Pulumi ends its language host and each plugin by SIGINT, and waits a second for each that ignores it. What has a
    handler here has its default in a child."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
