"""How the commands of `python -m tools` are registered: the module that implements a command adds its parser."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable

from localcloud.machines.model import MachineError
from tools.errors import ToolError, sentence

INTERRUPTED = 130
NO_READER = 141  # as a shell reports a program that SIGPIPE ended
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


def ended(run: Callable[[], int | None], interrupted: str = "interrupted; run the command again to resume.") -> int:
    """The exit code of a command. What is wrong ends it with a sentence on standard error."""
    try:
        code = run() or 0
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # the reader of a pipe has ended, as in `make status | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter flushes once more
        return NO_READER
    except MachineError as problem:
        return _failed(str(problem))
    except (ToolError, OSError) as problem:
        return _failed(sentence(problem))
    except KeyboardInterrupt:
        _failed(interrupted)
        return INTERRUPTED


def _failed(text: str) -> int:
    print(f"fleetwatch: {text}", file=sys.stderr)
    return 1


def port(text: str) -> int:
    """PORT=: a number that a port can have."""
    if not text.isdecimal() or not text.isascii() or not 0 < int(text[:6]) < 65536:
        raise ToolError(f"PORT={text[:40]}: expected a number from 1 to 65535.")
    return int(text)


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
