"""Which keys of a stack's configuration are the program's own, and which look like a misspelling of one."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from typing import Any

from configs.settings.model import SECTIONS
from configs.settings.near import near as near
from configs.settings.shown import shown_unknown_key

NAMESPACE = "fleetwatch"
PROJECT = f"{NAMESPACE}:"
_OTHERS = ("digitalocean", "pulumi")  # whose keys a stack file of this program has
_WRONG_SIGN = re.compile(rf"(?i)^{NAMESPACE}[^a-z0-9]+")  # in the place of the colon


def own_sections(config: Mapping[Any, Any]) -> dict[str, Any]:
    """The program's sections by name. A key that is probably a misspelt one is kept as it is written, so that it is
    reported as unknown; so is one without a namespace, which gets a colon before it: Pulumi takes it for the
    program's. Keys of other namespaces (`aws:region`, `pulumi:tags`) belong to others and are left out."""
    found = {}
    for key, value in config.items():
        text = str(key)
        if text.startswith(PROJECT):
            found[text.removeprefix(PROJECT) or PROJECT] = value
        elif ":" not in text:
            found[f":{text}"] = value
        elif meant(text):
            found[text] = value
    return found


def value_at(sections: Any, *keys: str) -> Any:
    """What is at this place of nested mappings; None if nothing is."""
    for key in keys:
        sections = sections.get(key) if isinstance(sections, dict) else None
    return sections


def parsed(value: str) -> Any:
    """A value as Pulumi hands it to a program: mappings and lists are JSON, everything else is text."""
    if not value.startswith(("{", "[")):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def meant(key: str) -> str | None:
    """The full key that one with a wrong namespace probably means; None for a key that belongs to others."""
    namespace, _, name = key.partition(":")
    name = name.strip()
    if namespace in (NAMESPACE, *_OTHERS):
        return None
    if name in SECTIONS or not namespace or _close(namespace, NAMESPACE):
        return f"{PROJECT}{near(name, SECTIONS) or shown_unknown_key(name)}"
    return next((f"{other}:{shown_unknown_key(name)}" for other in _OTHERS if _close(namespace, other)), None)


def unknown_section(key: str) -> str | None:
    """What is wrong with the namespace of a key of `own_sections`; None if the name behind it is wrong."""
    if key == PROJECT:
        return f"{PROJECT}: unknown section, expected a name after the colon: {', '.join(SECTIONS)}"
    namespace, colon, name = key.partition(":")
    if not colon:
        if key.strip() not in SECTIONS or key == key.strip():
            return None
        return f"{PROJECT}{key.strip()}: unknown section, the key has blanks around it; remove them"
    if namespace:
        return f"{shown_unknown_key(namespace)}:{shown_unknown_key(name)}: unknown section{_hint(meant(key))}"
    close = near(_WRONG_SIGN.sub("", name.strip()), SECTIONS)
    known = "" if close else f", expected one of {', '.join(PROJECT + section for section in SECTIONS)}"
    return f"{shown_unknown_key(name.strip())}: unknown section{known}{_hint(close and PROJECT + close)}"


def _hint(full: str | None) -> str:
    return f"; did you mean {full}?" if full else ""


def _close(namespace: str, known: str) -> bool:
    return difflib.SequenceMatcher(None, namespace.strip().casefold(), known).ratio() >= 0.8
