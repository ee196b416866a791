"""One line for each mistake in a stack file: where, what was expected, and what was found unless it may be secret."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from configs.settings.base import NONE_GIVEN
from configs.settings.expected import MAPPINGS, expected
from configs.settings.schema import ANY, Place, is_hidden, is_secret, keys_at
from configs.settings.secrets import UNREAD, key_places, secret_keys
from configs.settings.sections import near
from configs.settings.shown import NOT_SHOWN, disguised, kind_of, shown_key, shown_unknown_key, shown_value

OURS = ("value_error", NONE_GIVEN)  # types of mistakes whose sentence is one of our validators
# Keys that many sections have: that another section has one is no hint.
_GENERAL = frozenset(
    {"address", "ca", "cert", "key", "name", "password", "path", "port", "token", "type", "url", "user"}
)
_UNQUOTED = (bool, int, float, datetime.date)  # what YAML makes of some texts without quotes


def message(path: str, place: Place, mistake: Any, model: Any) -> str:
    """One problem in one line; `mistake` is pydantic's, `path` leads to the model and is shown as it is."""
    where = ".".join([path, *map(shown_key, place)])
    kind, text = mistake["type"], mistake["msg"].removeprefix("Value error, ")
    if kind == "extra_forbidden":
        return unknown_key(".".join([path, *map(shown_key, place[:-1])]), place[-1], keys_at(model, place[:-1]))
    if kind == "missing":
        hint = f"; `make secret KEY={where}` sets it" if is_secret(model, place) and NOT_SHOWN not in where else ""
        return f"{where}: missing, this key is required{hint}"
    if kind in OURS:  # a sentence of our validators
        head, colon, rest = text.partition(": ")
        if colon and head.partition(".")[0] in keys_at(model, place):  # a model's own check names the key it is about
            where, text = f"{where}.{head}", rest
        text = text.replace("KEY=...", f"KEY={where}") if NOT_SHOWN not in where else text
    else:
        text = expected(mistake)
    hint = _level(place, mistake, model) or _choice(mistake) or disguised(mistake.get("input"))
    return f"{where}: {text}{_got(where, place, mistake, model)}{hint}"


def _choice(mistake: Any) -> str:
    """The choice that was probably meant. What is near to one is no secret."""
    written = mistake.get("input")
    if mistake["type"] != "literal_error" or not isinstance(written, str):
        return ""
    close = near(written, re.findall(r"'([^']*)'", mistake["ctx"]["expected"]))
    return f"; did you mean {close}?" if close else ""


def _level(place: Place, mistake: Any, model: Any) -> str:
    """For a key of an entry in the place of its name: `postgres: {dsn: ...}`."""
    if mistake["type"] not in MAPPINGS or not place or str(place[-1]) not in keys_at(model, place):
        return ""
    above = f"`{place[-2]}`" if len(place) > 1 else "its section"
    return f"; a name of your choice is missing between {above} and `{place[-1]}`"


def unknown_key(above: str, key: object, known: Sequence[str]) -> str:
    """A key below the path `above` that the models do not know, with the one that was probably meant."""
    where = ".".join([*([above] if above else []), shown_unknown_key(key)])
    if "ipv6" in str(key).casefold():
        return f"{where}: unknown key, IPv6 is not supported; expected one of {', '.join(known)}"
    close = near(str(key).strip(), known)
    hint = f"; did you mean {close}?" if close else _other_place(str(key), above, known)
    return f"{where}: unknown key, expected one of {', '.join(known)}{hint or disguised(key)}"


def _other_place(key: str, above: str, known: Sequence[str]) -> str:
    """The sections that have this key; empty if none has it, or several do."""
    entry = above.rpartition(".")[2]
    if entry in known and any(place[-2:] == (entry, key) for place in key_places()):
        return f"; a name of your choice is missing above `{entry}`"
    found = [place[:-1] for place in key_places() if place[-1] == key and key not in _GENERAL]
    shortest = [place for place in found if len(place) == min(map(len, found))]
    if not 0 < len(shortest) < 3:
        return ""
    named = [".".join("<name>" if one == ANY else one for one in place) for place in shortest]
    return f"; `{key}` is a key of {' and of '.join(named)}"


def non_text_key(path: str, key: object) -> str:
    """A key below `path` that YAML does not read as a text."""
    name = yaml_key(key)
    return (
        f"{path}.{name}: expected a text as key, YAML reads this one as a {kind_of(key)}; put it in quotes ('{name}':) "
        "or choose another name"
    )


def yaml_key(key: object) -> str:
    """A key that is no text, as YAML writes it."""
    if key is None or isinstance(key, bool):
        return {True: "yes", False: "no", None: "null"}[key]
    return shown_key(key if isinstance(key, (int, float, datetime.date)) else kind_of(key))


def no_mapping(path: str, value: Any, wanted: str = "a mapping") -> str:
    """A value in the place of a mapping. It is not shown: a secret is easily put one level too high."""
    return f"{path}: expected {wanted}, got {shown_value(value, hidden=True)}"


def in_clear_text(path: str) -> str:
    """A secret that is not encrypted."""
    return f"{path}: expected an encrypted value, this one is in clear text; `make secret KEY={path}` replaces it"


def for_stack(problem: str, stack: str) -> str:
    """The line with its command as it is typed for this stack: without the name it would be the `local` one's."""
    return problem if stack == "local" else problem.replace("`make secret KEY=", f"`make secret STACK={stack} KEY=")


def _got(where: str, place: Place, mistake: Any, model: Any) -> str:
    value, ours = mistake.get("input"), mistake["type"] in OURS
    if ours and ("got " in mistake["msg"] or isinstance(value, (dict, BaseModel))):
        return ""
    if value == UNREAD:
        return ", got an encrypted value"
    named = secret_keys() & {*map(str, place), *where.split(".")}
    hidden = bool(named) or where.endswith(NOT_SHOWN) or mistake["type"] in MAPPINGS or is_hidden(model, place)
    numbered = ours and re.search(r"\w:\d", mistake["msg"]) is not None
    quotes = "; put it in quotes" if mistake["type"] == "string_type" and isinstance(value, _UNQUOTED) else ""
    return f", got {shown_value(value, hidden=hidden, numbered=numbered)}{quotes}"
