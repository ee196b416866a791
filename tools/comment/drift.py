"""The issue about drift: the machines differ from the state and the program."""

from __future__ import annotations

from collections.abc import Sequence

from tools.comment import changes, page
from tools.comment.model import Record

TITLE = "Drift: the machines differ from the stack files"
_LIMIT = page.LIMIT - 100  # the issue's own mark comes on top
_NOTE = (
    "A refreshed preview would make the changes below, and hosts differ as listed: something was changed or removed by "
    "hand, or main was not deployed. `make up` restores the state of the stack files; put intended changes into a "
    "stack file. This issue is updated by every run and closed by the first one that finds no drift."
)


def body(records: Sequence[Record]) -> str | None:
    """The text of the issue; None: nothing drifted. A stack or host that could not be compared counts as drifted."""
    drifted = [record for record in records if _differs(record)]
    if not drifted:
        return None
    text = page.build(drifted, note=_NOTE, limit=_LIMIT)
    return text.removeprefix(page.MARK).lstrip().replace(page.TITLE, f"## {TITLE}", 1)


def _differs(record: Record) -> bool:
    hosts = any(host.lines or host.reason for host in record.drift)
    return record.problem is not None or hosts or bool(changes.planned_changes(record))
