"""The known name that a misspelt one probably means."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

SHORT = 4  # letters
# Words of other programs, where letters alone would suggest nothing or a different key.
_SYNONYMS = {
    "host": "address",
    "hostname": "address",
    "ip": "address",
    "username": "user",
    "from": "sender",
    "webhook_url": "url",
}


def near(written: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant, if there is one. One letter of a short name is a large part of it."""
    names = list(known)
    if (same := _SYNONYMS.get(written.casefold())) in names:
        return same
    folded = {name.casefold(): name for name in names}
    least = 0.65 if len(written) <= SHORT else 0.7
    close = difflib.get_close_matches(written.casefold(), folded, n=1, cutoff=least)
    return folded[close[0]] if close else None
