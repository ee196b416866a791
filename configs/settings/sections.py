"""Which keys of a stack's configuration are the program's own, and which look like a misspelling of one."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from configs.settings.model import SECTIONS

NAMESPACE = "fleetwatch"
PROJECT = f"{NAMESPACE}:"


def own_sections(config: Mapping[Any, Any]) -> dict[str, Any]:
    """The program's sections by name. A key that is probably a misspelt one is kept as it is written, so that it is
    reported as unknown; so is one without a namespace, which Pulumi would take for the program's (a known one gets a
    colon before it). Keys of other namespaces (`aws:region`, `pulumi:tags`) belong to others and are left out."""
    found = {}
    for key, value in config.items():
        text = str(key)
        if text.startswith(PROJECT):
            found[text.removeprefix(PROJECT)] = value
        elif ":" not in text:
            found[f":{text}" if text in SECTIONS else text] = value
        elif _misspelt(text):
            found[text] = value
    return found


def parsed(value: str) -> Any:
    """A value as Pulumi hands it to a program: mappings and lists are JSON, everything else is text."""
    if not value.startswith(("{", "[")):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def near(written: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant, if there is one."""
    names = list(known)
    folded = {name.casefold(): name for name in names}
    close = difflib.get_close_matches(written.casefold(), folded, n=1, cutoff=0.7)
    return folded[close[0]] if close else None


def meant(key: str) -> str | None:
    """The full key of the section that a misspelt key probably means."""
    name = near(key.partition(":")[2], SECTIONS)
    return f"{PROJECT}{name}" if name is not None and _misspelt(key) else None


def _misspelt(key: str) -> bool:
    namespace, colon, _ = key.partition(":")
    if not colon or namespace == NAMESPACE:
        return False
    return namespace == "" or difflib.SequenceMatcher(None, namespace.casefold(), NAMESPACE).ratio() >= 0.8
