"""The commands that write the comment of a pull request and the issue about drift."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tools import github
from tools.affected_stacks import AffectedStacks, parse_affected
from tools.cli import Commands
from tools.comment import drift, page
from tools.comment.model import Record
from tools.comment.records import PREVIEW, read_records
from tools.errors import ToolError
from tools.preview_record import write_record
from tools.progress import say
from tools.stack_factory import open_stack


def register(commands: Commands) -> None:
    parser = commands.add("comment", _comment, "the comment of a pull request, in Markdown")
    parser.add_argument("folder", nargs="?", help="where records are; without it: a preview of this stack now")
    parser.add_argument(
        "--affected", help="the output of `affected`: a missing record of one of its stacks is reported"
    )
    parser.add_argument("--out", help="the file to write; without it: standard output")
    parser.add_argument("--whole", help="a file for the whole page, of any length")
    parser.add_argument("--fork", action="store_true", help="write that a fork's pull request gets no preview")
    parser.add_argument("--waiting", action="store_true", help="the previews that need an approval were not made yet")
    parser = commands.add("post", _post, "create or update the comment of a pull request at GitHub")
    parser.add_argument("file", help="what `comment --out` wrote")
    parser.add_argument("--pull", type=int, required=True, help="the pull request's number")
    parser = commands.add("drift-issue", _drift, "create, update or close the one issue about drift")
    parser.add_argument("folder", help="where the records of `record --refresh` are")
    parser.add_argument(
        "--expect", nargs="*", default=[], help="stacks that need a record; a missing one counts as drift"
    )


def _comment(options: argparse.Namespace) -> int:
    affected = parse_affected(options.affected) if options.affected else AffectedStacks(())
    waiting = affected.approval if options.waiting else {}
    expected = [stack for stack in affected.stacks if stack not in waiting]
    records = [] if options.fork else _records(options, expected)
    note = page.FORK if options.fork else "\n\n".join(filter(None, [affected.note, page.waiting(waiting)]))
    if options.whole:
        Path(options.whole).write_text(page.build(records, note=note, limit=0))
    text = page.build(records, note=note)
    if options.out:
        Path(options.out).write_text(text)
    else:
        say(text)
    broken = any(rule.level == "mandatory" for record in records for rule in record.policies or ())
    return 1 if broken or any(record.problem for record in records) else 0


def _records(options: argparse.Namespace, expected: Sequence[str]) -> list[Record]:
    if options.folder:
        return read_records(Path(options.folder), expected)
    with tempfile.TemporaryDirectory() as folder:
        write_record(options.stack, lambda: open_stack(options), Path(folder) / f"{options.stack}{PREVIEW}")
        return read_records(Path(folder))


def _post(options: argparse.Namespace) -> None:
    try:
        text = Path(options.file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "no text in UTF-8"
        raise ToolError(
            f"{options.file}: expected the file that `python -m tools comment --out {options.file}` writes ({reason})."
        ) from None
    if not text.startswith(page.MARK):
        raise ToolError(
            f"{options.file}: expected a file that `python -m tools comment --out` wrote; its mark is missing."
        )
    if len(text) > page.LIMIT:
        raise ToolError(
            f"{options.file}: {len(text)} characters, GitHub takes {page.LIMIT}; `--out` writes a short one."
        )
    say(f"Comment of pull request {options.pull}: {github.GitHub().put_comment(options.pull, text, page.MARK)}")


def _drift(options: argparse.Namespace) -> None:
    records = read_records(Path(options.folder), options.expect)
    say(f"Drift issue: {github.GitHub().put_issue(drift.TITLE, drift.body(records))}")
