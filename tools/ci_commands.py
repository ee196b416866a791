"""The commands that a CI calls: which stacks a change touches, the record of a preview, the comment, the drift issue,
and the door for a runner's SSH.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from tools import github, record, runner_firewall, touched
from tools.comment import drift, page, reading
from tools.comment.model import Record
from tools.errors import ToolError
from tools.paths import CHECKOUT
from tools.progress import say
from tools.stack import Stack

Add = Callable[[str, Callable[[argparse.Namespace], "int | None"], str], argparse.ArgumentParser]
MakeStack = Callable[[argparse.Namespace], Stack]


def add_to(command: Add, stack: MakeStack) -> None:
    """Add these commands to the parser of `python -m tools`."""

    def _record(options: argparse.Namespace) -> int:
        place = Path(options.place)
        problem = record.record(options.stack, lambda: stack(options), place, refresh=options.refresh)
        say(f"{place}: {'written' if problem is None else f'no preview: {problem}'}")
        return 0 if problem is None else 1

    def _comment(options: argparse.Namespace) -> int:
        told = touched.read(options.touched) if options.touched else touched.Touched(())
        records: list[Record] = []
        if options.folder and not options.fork:
            records = reading.records(Path(options.folder), told.stacks)
        elif not options.fork:
            with tempfile.TemporaryDirectory() as folder:
                record.record(options.stack, lambda: stack(options), Path(folder) / f"{options.stack}{reading.PREVIEW}")
                records = reading.records(Path(folder))
        note = page.FORK if options.fork else told.note
        if options.whole:
            Path(options.whole).write_text(page.build(records, note=note, limit=0))
        text = page.build(records, note=note)
        if options.out:
            Path(options.out).write_text(text)
        else:
            say(text)
        broken = any(rule.level == "mandatory" for one in records for rule in one.policies or ())
        return 1 if broken or any(one.problem for one in records) else 0

    sub = command("record", _record, "run a preview and keep what a comment is made of, or why there is none")
    sub.add_argument("place", help="the file to write, <folder>/<stack>.preview.json")
    sub.add_argument("--refresh", action="store_true", help="look at what is really there first; contacts every host")
    sub = command("comment", _comment, "the comment of a pull request, in Markdown")
    sub.add_argument("folder", nargs="?", help="where records are; without it: a preview of this stack now")
    sub.add_argument("--touched", help="what `touched` said: a stack of it whose record is missing is told")
    sub.add_argument("--out", help="the file to write; without it: on the screen")
    sub.add_argument("--whole", help="a file for the whole page, however long")
    sub.add_argument("--fork", action="store_true", help="say that a fork's pull request gets no preview")
    sub = command("touched", _touched, "which stacks the commits since BASE touch, as JSON")
    sub.add_argument("base", help="a branch or commit")
    sub = command("overtaken", _overtaken, "refuse when a newer commit touches the stack than the one checked out here")
    sub.add_argument("main", help="the branch that is deployed, such as origin/main")
    sub = command("post", _post, "write the comment of a pull request at GitHub, or bring it up to date")
    sub.add_argument("file", help="what `comment --out` wrote")
    sub.add_argument("--pull", type=int, required=True, help="the pull request's number")
    sub = command("drift-issue", _drift, "open, bring up to date or close the one issue about drift")
    sub.add_argument("folder", help="where the records of `record --refresh` are")
    sub.add_argument(
        "--expect", nargs="*", default=[], help="stacks that have to be there; one that is not has drifted"
    )
    sub = command(
        "runner-firewall", lambda options: _door(options, stack), "a way in for this machine's SSH, for a while"
    )
    sub.add_argument("action", choices=["open", "close"])
    sub.add_argument("--run", default=os.environ.get("GITHUB_RUN_ID") or "", help="what the door is named for")
    sub.add_argument("--address", default="", help="this machine's own, as the internet sees it; asked for by default")


def _touched(options: argparse.Namespace) -> None:
    say(touched.since(options.base, CHECKOUT).as_json())


def _overtaken(options: argparse.Namespace) -> None:
    say(touched.refuse_overtaken(options.stack, options.main, CHECKOUT))


def _post(options: argparse.Namespace) -> None:
    try:
        text = Path(options.file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "no text in UTF-8"
        raise ToolError(
            f"{options.file}: expected the file that `python -m tools comment --out {options.file}` writes ({why})."
        ) from None
    if not text.startswith(page.MARK):
        raise ToolError(f"{options.file}: expected what `python -m tools comment --out` writes, begun with its mark.")
    if len(text) > page.LIMIT:
        raise ToolError(
            f"{options.file}: {len(text)} characters, GitHub takes {page.LIMIT}; `--out` writes a short one."
        )
    say(f"Comment of pull request {options.pull}: {github.GitHub().put_comment(options.pull, text, page.MARK)}")


def _drift(options: argparse.Namespace) -> None:
    records = reading.records(Path(options.folder), options.expect)
    say(f"Drift issue: {github.GitHub().put_issue(drift.TITLE, drift.body(records))}")


def _door(options: argparse.Namespace, stack: MakeStack) -> None:
    door = runner_firewall.of(stack(options), options.run)
    say(door.open(options.address) if options.action == "open" else door.close())
