"""One line for each mistake in a stack file: where, what was expected, and what was found unless it may be secret."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from configs.settings.schema import Place, is_hidden, is_secret, keys_at
from configs.settings.secrets import secret_keys
from configs.settings.sections import near
from configs.units import show_duration


def message(path: str, place: Place, mistake: Any, model: Any) -> str:
    """One problem in one line; `mistake` is pydantic's."""
    where = ".".join([path, *map(str, place)])
    kind, text = mistake["type"], mistake["msg"].removeprefix("Value error, ")
    if kind == "extra_forbidden":
        return unknown_key(where, keys_at(model, place[:-1]))
    if kind == "missing":
        way_out = f"; `make secret KEY={where}` sets it" if is_secret(model, place) else ""
        return f"{where}: missing, this key is required{way_out}"
    head, colon, rest = text.partition(": ")
    if colon and head.partition(".")[0] in keys_at(model, place):  # a model's own check names the key it is about
        where, text = f"{where}.{head}", rest
    if mistake["type"] != "value_error":  # those are sentences already, of our own validators
        text = "expected " + (_bound(mistake) or re.sub(r"^(Input should be |\w+ should )", "", text))
    text = re.sub(r"valid dictionary( or instance of \w+)?", "mapping", text)
    return f"{where}: {text}{_got(path, place, mistake, model)}"


def unknown_key(where: str, known: Sequence[str]) -> str:
    """A key that the models do not know, with the one that was probably meant."""
    key = where.rpartition(".")[2]
    if "ipv6" in key.casefold():
        return f"{where}: unknown key, IPv6 is not supported; expected one of {', '.join(known)}"
    close = near(key, known)
    return f"{where}: unknown key, expected one of {', '.join(known)}" + (f"; did you mean {close}?" if close else "")


def non_text_key(path: str, key: object) -> str:
    """A key that YAML does not read as a text."""
    shown = {True: "yes", False: "no", None: "null"}.get(key, key) if isinstance(key, (bool, type(None))) else key
    return (
        f"{path}: expected a text as key, YAML reads this one as a {kind_of(key)}; put it in quotes ('{shown}':) or "
        "choose another name"
    )


def for_stack(problem: str, stack: str) -> str:
    """The line with its command as it is typed for this stack: without the name it would be the `local` one's."""
    return problem if stack == "local" else problem.replace("`make secret KEY=", f"`make secret STACK={stack} KEY=")


def _bound(mistake: Any) -> str | None:
    """A bound that is not kept; that of a duration as people write it."""
    names = {"ge": "at least", "le": "at most", "min_length": "at least", "max_length": "at most"}
    for name, limit in mistake.get("ctx", {}).items():
        if name in names:
            if "length" in name:
                of = "entry" if limit == 1 else "entries"
                return f"{names[name]} {limit} {of}" if mistake["type"].startswith("too_") else None
            return f"{names[name]} {show_duration(limit) if isinstance(mistake['input'], str) else limit}"
    return None


def _got(path: str, place: Place, mistake: Any, model: Any) -> str:
    value = mistake.get("input")
    if "got " in mistake["msg"] or mistake["type"] == "value_error" and isinstance(value, (dict, BaseModel)):
        return ""
    if value == "":
        return ", got an empty text"
    named = secret_keys() & {*map(str, place), *path.split(".")}
    if named or is_hidden(model, place) or isinstance(value, str) and _may_be_secret(value):
        return f", got a {kind_of(value)} (not shown)"
    if isinstance(value, (str, int, float, bool)):
        return f", got {value!r}"
    return f", got a {kind_of(value)}"


def _may_be_secret(text: str) -> bool:
    """A URL with a password, or one that is a password itself, such as a webhook's; a private key. A long text is no
    misspelt name."""
    return "@" in text or "://" in text or "\n" in text or "PRIVATE KEY" in text or len(text) > 100


def kind_of(value: Any) -> str:
    """What a value is, as people who write stack files call it."""
    if isinstance(value, datetime.date):
        return "date"
    return {
        "dict": "mapping",
        "str": "text",
        "int": "number",
        "float": "number",
        "bool": "boolean",
        "NoneType": "null",
    }.get(type(value).__name__, type(value).__name__)
