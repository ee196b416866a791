"""Texts in quotes within a query, as Prometheus and Loki read them: as Go does."""

from __future__ import annotations

import math
import re

LONGEST, REPEATS = 4000, 100  # characters of a pattern, and repeats that are counted in all patterns of a query
# Comments come first: a quote inside one begins no text.
PLACES = re.compile(r"#[^\r\n]*|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:([0-7]{3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.?))", re.DOTALL)
_BRACES = re.compile(r"\{(\d{0,9})(?:,(\d{0,9}))?\}")
_PLAIN = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", "'": "'", '"': '"'}


def within(query: str) -> list[str]:
    """The values of the texts of a PromQL query. Raises ValueError."""
    return [unquoted(one) for one in PLACES.findall(query) if not one.startswith("#")]


def unquoted(text: str) -> str:
    """The value of a text in quotes or backticks. Raises ValueError for an escape that Go does not have."""
    return text[1:-1] if text.startswith("`") else _ESCAPE.sub(_character, text[1:-1])


def _character(found: re.Match[str]) -> str:
    octal, *others, plain = found.groups()
    code = next((one for one in others if one), "")
    if octal or code:
        return chr(int(octal, 8) if octal else int(code, 16))
    if plain not in _PLAIN:
        raise ValueError(f"there is no escape \\{plain}")
    return _PLAIN[plain]


def problem(patterns: list[str]) -> str:
    """Why these cannot be compiled in bounded time and memory; empty if they can."""
    longest = max(map(len, patterns), default=0)
    if longest > LONGEST:
        return f"A pattern has {longest} characters, at most {LONGEST} are allowed."
    total = sum(count for one in patterns if (count := _repeats(one)) > 1)
    return f"A pattern repeats its parts {total} times, at most {REPEATS} are allowed." if total > REPEATS else ""


def _repeats(pattern: str) -> int:
    """How often parts are repeated by numbers in braces, those inside each other multiplied."""
    return math.prod(max(1, *(int(one or 1) for one in found)) for found in _BRACES.findall(pattern))
