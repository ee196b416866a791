"""The issue about drift: what is there is not what the state and the program say."""

from __future__ import annotations

from collections.abc import Sequence

from tools.comment import changes, page
from tools.comment.model import Record

TITLE = "Drift: what runs is not what the stack files say"
_LIMIT = page.LIMIT - 100  # the issue's own mark comes on top
_SAID = (
    "A preview that looked at the machines first would change what is below: something was changed by hand or was "
    "removed, or main was not deployed. `make up` brings it back to what the stack files say; what was meant to "
    "change belongs into a stack file. This issue is kept up to date and is closed by the first run that finds nothing."
)


def body(records: Sequence[Record]) -> str | None:
    """The text of the issue; None: nothing drifted. A stack that could not be looked at counts as drifted."""
    drifted = [record for record in records if record.problem is not None or changes.planned_changes(record)]
    if not drifted:
        return None
    text = page.build(drifted, note=_SAID, limit=_LIMIT)
    return text.removeprefix(page.MARK).lstrip().replace(page.TITLE, f"## {TITLE}", 1)
