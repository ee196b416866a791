"""The error about a name on the command line that is none of the known ones."""

from __future__ import annotations

from collections.abc import Iterable

from configs.settings.near import near
from tools.errors import ToolError

_SHOWN = 60  # characters of what a user wrote


def unknown(where: str, given: str, what: str, known: Iterable[str]) -> ToolError:
    """For a name that is none of the known ones. `where`: the value on the command line; `what`: what was expected."""
    names = sorted(known)
    close = near(given, names)
    hint = f"; did you mean {close}?" if close else "."
    shown = given if len(given) <= _SHOWN else f"{given[:_SHOWN]}..."
    return ToolError(f"{where}={shown}: expected {what} ({', '.join(names) or 'there is none'}){hint}")
