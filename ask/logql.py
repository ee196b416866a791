"""LogQL as far as its safety needs it: stream selectors, windows, offsets and patterns, without a whole grammar.

What is not understood is refused; Loki itself checks the rest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ask import safety, texts
from ask.promql import duration
from ask.safety import Limits, Refused

STAGES = 20  # of a pipeline
TOKEN = re.compile(
    r"""(?P<text>"(?:[^"\\]|\\.)*"|`[^`]*`)|(?P<comment>\#[^\n]*)|(?P<open>[({\[])|(?P<close>[)}\]])"""
    r"""|(?P<word>[A-Za-z_]\w*)|(?P<other>\s+|/[/*]|.)""",
    re.DOTALL,
)
_PAIRS = {")": "(", "}": "{", "]": "["}
_MATCHER = re.compile(r"""\s*(?P<label>[A-Za-z_]\w*)\s*(?P<op>=~|!~|!=|=)\s*(?P<value>"(?:[^"\\]|\\.)*"|`[^`]*`)\s*""")
_OFFSET = re.compile(r"\s*(?P<length>-?[\d.a-zµ]+)")
_LENGTH = re.compile(r"([\d.]+)(ns|us|µs|ms|s|m|h|d|w|y)")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_UNITS |= {"y": 31536000}
# Text that no name begins with: what matches most of these matches everything.
_PROBES = ("q7zz", "7 qz", "-Q q", "Zz.9", "xqzj", "wkjv", "jzqx-7")
_LITERAL = re.compile(r"(?:[\w/:@-]|\\[^\w])+(?:\|(?:[\w/:@-]|\\[^\w])+)*")
_QUANTIFIER = re.compile(r"(?<!\\)[*+?{]")
QUANTIFIERS = 6  # of a selector's pattern, which is tried here
# A template may repeat a text without a bound. Loki reads these names in any case.
_TEMPLATES = {"line_format", "label_format", "template", "label_replace"}
_UNREAD = {"//": "a comment", "/*": "a comment", "'": "an apostrophe"}  # would hide what is between two of them


@dataclass(frozen=True)
class Streams:
    """A stream selector with the window and the offset, in seconds, that it is read with."""

    text: str
    window: float = 0.0
    offset: float = 0.0


@dataclass(frozen=True)
class Query:
    """The parts of a query. `metric`: it counts, and gives numbers instead of lines."""

    streams: tuple[Streams, ...]
    patterns: tuple[str, ...]
    words: frozenset[str]
    stages: int
    depth: int
    metric: bool


@dataclass
class _Token:
    kind: str
    text: str
    at: int


def read(text: str) -> Query:
    """Take a query apart. Raises Refused for one that is not closed or whose selector cannot be read."""
    tokens, depth, deepest, opened = [], 0, 0, []
    for found in TOKEN.finditer(text):
        kind = str(found.lastgroup)
        if kind == "comment":
            continue
        tokens.append(_Token(kind, found[0], found.start()))
        if kind == "open":
            opened.append(found[0])
            depth, deepest = depth + 1, max(deepest, depth + 1)
        elif kind == "close":
            if not opened or opened.pop() != _PAIRS[found[0]]:
                raise Refused(
                    f"The query is not valid LogQL: {found[0]} at character {found.start() + 1} closes nothing."
                )
            depth -= 1
        elif found[0] in _UNREAD:
            what = f"{_UNREAD[found[0]]} ({found[0]}) at character {found.start() + 1}"
            raise Refused(f"The query has {what}: expected texts in quotes, comments after #.")
        elif found[0] in {'"', "`"}:
            raise Refused(
                f"The query is not valid LogQL: a text begins at character {found.start() + 1} and does not end."
            )
    if opened:
        raise Refused(f"The query is not valid LogQL: {opened[-1]} is not closed.")
    words = frozenset(one.text.lower() for one in tokens if one.kind == "word")
    patterns = tuple(unquoted(one.text) for one in tokens if one.kind == "text")
    stages = sum(one.text == "|" for one in tokens)
    streams = _streams(text, tokens)
    return Query(streams, patterns, words, stages, deepest, any(one.text == "[" for one in tokens))


def _streams(text: str, tokens: list[_Token]) -> tuple[Streams, ...]:
    """Each selector with the window and the offset that follow it before the next one."""
    starts = [index for index, one in enumerate(tokens) if one.text == "{"]
    found = []
    for start, following in zip(starts, [*starts[1:], len(tokens)], strict=False):
        end = next(index for index in range(start, len(tokens)) if tokens[index].text == "}")
        window = offset = 0.0
        for index in range(end, following):
            after = text[tokens[index].at + len(tokens[index].text) :]
            if tokens[index].text == "[":
                window = max(window, seconds(after.partition("]")[0].strip()))
            elif tokens[index].text.lower() == "offset" and (length := _OFFSET.match(after)):
                offset = max(offset, seconds(length["length"].lstrip("-")))
        found.append(Streams(text[tokens[start].at : tokens[end].at + 1], window, offset))
    return tuple(found)


def seconds(text: str) -> float:
    """Of a duration. Raises Refused."""
    parts = _LENGTH.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise Refused(f"The query is not valid LogQL: {text[:30]!r} is no duration, such as 5m.")
    try:
        return sum(float(number) * _UNITS[unit] for number, unit in parts)
    except ValueError:
        raise Refused(f"The query is not valid LogQL: {text[:30]!r} is no duration, such as 5m.") from None


def check(text: str, limits: Limits) -> Query:
    """The parts of a LogQL query that may be executed. Raises Refused."""
    if len(text) > limits.length:
        raise Refused(f"The query has {len(text)} characters, at most {limits.length} are allowed.")
    query = read(text)
    _bounded("levels", query.depth, limits.depth)
    _bounded("selectors", len(query.streams), limits.selectors)
    _bounded("stages", query.stages, STAGES)
    if not query.streams:
        raise Refused('The query has no stream selector. Begin with one, such as {host="web-1"}.')
    for one in query.streams:
        _selector(one, limits)
    for pattern in query.patterns:
        safety.pattern(pattern)
    if template := sorted(query.words & _TEMPLATES):
        raise Refused(
            f"{template[0]} is not executed here: its template may grow without a bound. Use Grafana's Explore."
        )
    return query


def _bounded(what: str, count: int, limit: int) -> None:
    if count > limit:
        raise Refused(f"The query has {count} {what}, at most {limit} are allowed.")


def _selector(one: Streams, limits: Limits) -> None:
    if one.window > limits.log_range:
        raise Refused(f"A window of {duration(one.window)} exceeds {duration(limits.log_range)}.")
    if one.offset > limits.range:
        raise Refused(f"An offset of {duration(one.offset)} exceeds {duration(limits.range)}.")
    narrow = any((op == "=" and value) or (op == "=~" and not is_blanket(value)) for _, op, value in matchers(one.text))
    if not narrow:
        raise Refused(f"The selector {one.text[:60]} matches every stream. Name a host, a container or a job.")


def matchers(text: str) -> list[tuple[str, str, str]]:
    """Label, operator and value of each matcher of a stream selector. Raises Refused."""
    inside, at, found = text[1:-1], 0, []
    while inside[at:].strip():
        one = _MATCHER.match(inside, at)
        if one is None:
            raise Refused(f"The query is not valid LogQL: {text[:60]} is no stream selector.")
        found.append((one["label"], one["op"], unquoted(one["value"])))
        at = one.end()
        if inside[at : at + 1] == ",":
            at += 1
    return found


def is_blanket(text: str) -> bool:
    """Whether a pattern matches everything, or cannot be judged."""
    safety.pattern(text)
    if _LITERAL.fullmatch(text):
        return False
    if len(_QUANTIFIER.findall(text)) > QUANTIFIERS or "[:" in text:  # Python has no classes such as [[:print:]]
        return True
    try:
        compiled = re.compile(text)
    except (re.error, RecursionError, OverflowError):
        return True
    return bool(compiled.fullmatch("")) or sum(bool(compiled.fullmatch(one)) for one in _PROBES) > 1


def unquoted(text: str) -> str:
    """The value of a text in quotes or backticks. Raises Refused."""
    try:
        return texts.unquoted(text)
    except ValueError as problem:
        raise Refused(f"The query is not valid LogQL: {problem}.") from None
