"""Which keys and values of a stack file messages show: those that cannot be, or hold, a secret."""

from __future__ import annotations

import datetime
import math
import re
from typing import Any

_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}")  # names that users choose, DNS labels among them
_UNKNOWN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,40}")
_PLAIN = re.compile(r"[A-Za-z0-9_./~*-][A-Za-z0-9_./~*, -]{0,63}")
_IPV4 = re.compile(r"\[?\d{1,3}(\.\d{1,3}){3}\]?(:\d{1,5})?")
_IPV6 = re.compile(r"\[?[0-9a-fA-F]{0,4}(:[0-9a-fA-F]{0,4}){2,8}(%[a-z]{1,8}\d?)?\]?(:\d{1,5})?(/\d{1,3})?")
_NAME_AND_NUMBER = re.compile(r"[A-Za-z0-9._/-]{1,64}:[A-Za-z0-9._:-]*\d[A-Za-z0-9._:-]*")
_RUN = re.compile(r"[A-Za-z0-9]{16,}")  # letters and digits mixed: a token or a password
NOT_SHOWN = "not shown)"  # the end of a path's part that stands for a key
_LARGEST = 10**6  # a longer number may be a password


class Decrypted(str):
    """A text out of a section that holds encrypted values: it may be one of them, so that no message shows it."""

    __slots__ = ()


def decrypted(value: Any) -> Any:
    """The value with each text in it marked as possibly decrypted."""
    if isinstance(value, dict):
        return {key: decrypted(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [decrypted(inner) for inner in value]
    return Decrypted(value) if isinstance(value, str) else value


def shown_key(key: object) -> str:
    """A key that the user chose, for a path in a message."""
    return _key(str(key), _KEY)


def shown_unknown_key(key: object) -> str:
    """A key that the models do not know: more likely than others to be a value in the wrong place."""
    text = str(key)
    return _key(text, _UNKNOWN_KEY) if not _has_token(text) else _concealed(text)


def shown_path(*keys: object) -> str:
    """A path in the stack file; an empty text as first key adds nothing."""
    return ".".join(map(shown_key, keys))


def shown_value(value: Any, *, hidden: bool = False, numbered: bool = False) -> str:
    """What was found, as YAML writes it, or only what kind of value it is. `numbered`: the place expects a name with a
    number, such as host:port, so that a colon is no sign of a password."""
    if value is None:
        return "nothing"
    if value in ("", [], {}) and isinstance(value, (str, list, dict)):
        return f"an empty {kind_of(value)}"
    if isinstance(value, (dict, list)):
        return f"a {kind_of(value)}"
    if hidden or not _harmless(value, numbered):
        return f"a {kind_of(value)} (not shown)"
    return _scalar(value)


def disguised(value: object) -> str:
    """What a text has that is not seen: blanks around it, or characters that look like others. Empty for none."""
    if not isinstance(value, str) or isinstance(value, Decrypted) or "\n" in value.strip():
        return ""
    if value != value.strip():
        return "; remove the blanks or line breaks around it"
    return "; it has a character outside of ASCII, which may look like a usual one: type it again" * (
        not value.isascii()
    )


def kind_of(value: Any) -> str:
    """What a value is, as people who write stack files call it."""
    if isinstance(value, str):
        return "text"
    if isinstance(value, datetime.date):
        return "date"
    return {"dict": "mapping", "int": "number", "float": "number", "bool": "boolean", "NoneType": "null"}.get(
        type(value).__name__, type(value).__name__
    )


def _key(text: str, grammar: re.Pattern[str]) -> str:
    if not text:
        return "''"
    return text if grammar.fullmatch(text) else _concealed(text)


def _concealed(text: str) -> str:
    return f"(key of {len(text)} characters, {NOT_SHOWN}"


def _has_token(text: str) -> bool:
    return any(re.search(r"\d", run) and re.search("[A-Za-z]", run) for run in _RUN.findall(text))


def _harmless(value: Any, numbered: bool) -> bool:
    if isinstance(value, Decrypted):
        return False
    if isinstance(value, str):
        if _has_token(value):
            return False
        grammars = [_PLAIN, _IPV4, _IPV6, *([_NAME_AND_NUMBER] if numbered else [])]
        return any(grammar.fullmatch(value) for grammar in grammars)
    if isinstance(value, (int, float)):
        return isinstance(value, bool) or not math.isfinite(value) or abs(value) < _LARGEST
    return False


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    return f"'{value}'" if isinstance(value, str) else str(value)
