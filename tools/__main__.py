"""`python -m tools <command>`: the back end of the Makefile."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from tools import images, setup
from tools.errors import ToolError
from tools.paths import only_one
from tools.progress import say


def _keys(options: argparse.Namespace) -> list[str]:
    return options.keys or [*images.PARTS, *(images.FOR_TESTS if options.tests else ())]


def _setup(options: argparse.Namespace) -> None:
    setup.report(setup.set_up(_keys(options)))


def _images(options: argparse.Namespace) -> None:
    with only_one("set-up"):
        say(images.table(images.get(_keys(options))))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(name: str, run: Callable[[argparse.Namespace], None], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        return sub

    for sub in (
        command("setup", _setup, "get engine, Pulumi CLI, images and plugins, and print what they are"),
        command("images", _images, "get the images alone and print which they are"),
    ):
        sub.add_argument("keys", nargs="*", help="image keys; without any: all that a stack runs by default")
        sub.add_argument("--tests", action="store_true", help="those of the tests as well")
    return parser


def main() -> int:
    options = _parser().parse_args()
    try:
        options.run(options)
    except ToolError as problem:
        print(f"fleetwatch: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("fleetwatch: interrupted; the next run continues from here.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
