"""The things that a question names: hosts, containers, databases, by the label values that the hub has."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ask import lexicon, words
from ask.world import World

# Word before or after a value -> the label that it is of.
CUES = {
    "host": "host", "server": "host database", "machine": "host", "box": "host", "container": "container",
    "database": "datname database", "db": "datname database", "service": "job container", "app": "job container",
    "job": "job", "volume": "mountpoint", "mount": "mountpoint", "disk": "mountpoint", "table": "table",
    "hypertable": "hypertable", "project": "compose_project", "datenbank": "datname database", "rechner": "host",
    "dienst": "job container", "partition": "mountpoint", "slot": "slot",
}  # fmt: skip
_DIGITS = re.compile(r"\D")
_HOSTLIKE = re.compile(r"(?<![\w./%-])[a-z][a-z]*[-_]?[a-z]*[-_]?\d+(?![\w%./-])")
_NAMES = re.compile(r"^(p\d{1,3}|md5|\d+|ipv?[46]|http\d*|utf8|s3|node\d|load1|load5|load15|\w+[:=].*|h\d|x\d+)$")
_AFTER_CUE = re.compile(
    r"\b(?:hosts?|servers?|machines?|containers?|rechner|database|datenbank|(?:lines|logs|zeilen) (?:of|from|von))\s+"
    r"(?:called\s+|named\s+)?"
    r"(?P<name>[a-z][\w.]*-[\w.-]+|[a-z]+\d[\w-]*)"
)

_ROOT = re.compile(
    r"\broot (?:file ?systems?|fs|disks?|partitions?|volumes?)\b|"
    r"(?<=\b(?:of|on|in) )/(?= |$|[?.,])|(?:disk|file ?system|mount ?point|partition|volume) /(?= |$|[?.,])"
)
_OF = re.compile(r"\b(?:of|from|for|by|in|tail|von|de)\s+(?:the\s+)?$")
_SUBJECT = re.compile(r"\b(?:how long (?:has|have|is)|when (?:did|was|has)) (?:the )?$")
_TIMESCALE = re.compile(r"\b(?:hypertables?|chunks?|compress\w*|uncompressed|continuous aggregates?)\b")


@dataclass(frozen=True)
class Mention:
    """A value that is named, with the labels that have it, the likeliest first."""

    value: str
    labels: tuple[str, ...]
    written: str


@dataclass(frozen=True)
class Found:
    """The mentions, the names that nothing has, and the text without both."""

    mentions: tuple[Mention, ...] = ()
    unknown: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    rest: str = ""
    notes: tuple[str, ...] = field(default=())


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9/]", "", name.lower())


def _is_ordinary(value: str) -> bool:
    """Whether a value is also a word of the vocabulary, such as a container called `postgres`, or a phrase of them:
    an app may have a label with any value, such as "how full"."""
    parts = re.findall(r"[^\W_]+", value) if re.search(r"[\s?!,]", value) else [value]
    return all(map(words.is_known, parts)) and value not in {"main"}


def find(text: str, world: World, labels: tuple[str, ...], about_logs: bool = False) -> Found:
    """Take the names out of a question in lower case. `about_logs`: after "of" an ordinary term is a name, too."""
    values: dict[str, list[str]] = {}
    for label in labels:
        for value in world.values(label):
            if len(value) >= 2 and value != "/":
                values.setdefault(value.lower(), []).append(label)
    mentions: list[Mention] = []
    notes: list[str] = []
    text = _without_schema(text, values)
    if "/" in world.values("mountpoint") and (found := _ROOT.search(text)):
        mentions.append(Mention("/", ("mountpoint",), found[0]))
        text = words.cut(text, found, " disk ")
    for value in sorted(values, key=lambda one: (-len(one), one)):  # the same question has the same query
        if value.isdigit() or value not in text:  # a fleet has thousands of values: no pattern for each
            continue
        found = re.search(rf"(?<![\w./-]){re.escape(value)}(?![\w/-]|\.\w)(?:'s)?", text)
        if found:
            chosen = _by_cue(text, found, values[value])
            cued = _cued(text, found, values[value]) or (about_logs and bool(_OF.search(text[: found.start()])))
            cued = cued or bool(_SUBJECT.search(text[: found.start()]))
            if _is_ordinary(value) and not cued:
                continue
            original = next(one for one in world.values(values[value][0]) if one.lower() == value)
            mentions.append(Mention(original, chosen, found[0]))
            text = words.cut(text, found)
    text = _near(text, values, mentions, notes)
    unknown = _unknown(text, values)
    suggestions: list[str] = []
    for one in unknown[:1]:  # the one that the answer names; each is compared with all values of the fleet
        suggestions += _suggest(one, values)
    return Found(tuple(mentions), tuple(unknown), tuple(dict.fromkeys(suggestions))[:3], text, tuple(notes))


def _without_schema(text: str, values: dict[str, list[str]]) -> str:
    """A hypertable or view that is named without its schema, with it."""
    if not _TIMESCALE.search(text):
        return text
    for value in values:
        _, dot, name = value.partition(".")
        is_there = dot and name in text and {"hypertable", "view"} & set(values[value])
        if is_there and sum(one.endswith(dot + name) for one in values) == 1:
            text = re.sub(rf"(?<![\w./-]){re.escape(name)}(?![\w/-])", value, text)
    return text


def _neighbours(text: str, found: re.Match[str]) -> list[str]:
    before = re.findall(r"[\w]+", text[: found.start()])[-1:]
    after = re.findall(r"[\w]+", text[found.end() :])[:1]
    return [*after, *before]


def _cued(text: str, found: re.Match[str], labels: list[str]) -> bool:
    return any(
        label in CUES.get(word.removesuffix("s"), "").split() for word in _neighbours(text, found) for label in labels
    )


def _by_cue(text: str, found: re.Match[str], labels: list[str]) -> tuple[str, ...]:
    """The labels in the order of the terms beside the value."""
    for word in _neighbours(text, found):
        meant = [label for label in CUES.get(word.removesuffix("s"), "").split() if label in labels]
        if meant:
            return (*meant, *(label for label in labels if label not in meant))
    return tuple(labels)


def _near(text: str, values: dict[str, list[str]], mentions: list[Mention], notes: list[str]) -> str:
    """Names that are written a little differently: without a hyphen, or with one letter wrong."""
    plain = {_plain(value): value for value in values if len(value) >= 4}
    spelt: dict[str, list[str]] = {}  # by their digits, which must agree: web-1 is not web-2
    for value in values:
        if len(value) >= 5 and not value.startswith("/"):
            spelt.setdefault(_DIGITS.sub("", value), []).append(value)
    for token in re.findall(r"(?<![\w./-])[a-z][\w.-]{2,}(?![\w/])", text):
        token = token.rstrip(".-")
        spaced = plain.get(_plain(token))
        if spaced is None and not words.is_known(token) and token not in lexicon.STOP:
            spaced = _misspelt(token, spelt)
        if spaced and not _is_ordinary(spaced):
            mentions.append(Mention(spaced, tuple(values[spaced]), token))
            notes.append(f'"{token}" is taken as {spaced}')
            text = re.sub(rf"(?<![\w./-]){re.escape(token)}(?![\w/])", " ", text, count=1)
    for found in re.finditer(r"\b([a-z]{2,}) (\d{1,3})\b", text):
        spaced = plain.get(found[1] + found[2])
        if spaced:
            mentions.append(Mention(spaced, tuple(values[spaced]), found[0]))
            notes.append(f'"{found[0]}" is taken as {spaced}')
            text = text.replace(found[0], " ", 1)
    return text


def _misspelt(token: str, spelt: dict[str, list[str]]) -> str | None:
    """The one value with a letter wrong."""
    near = [one for one in spelt.get(_DIGITS.sub("", token), ()) if words.distance(token, one, 1) == 1]
    return near[0] if len(near) == 1 else None


def _unknown(text: str, values: dict[str, list[str]]) -> list[str]:
    """Terms that look like the name of a host or container, and are none."""
    found = [one["name"] for one in _AFTER_CUE.finditer(text)]
    found += [one for one in _HOSTLIKE.findall(text) if not _NAMES.match(one)]
    return [one for one in dict.fromkeys(found) if one not in values and not words.is_known(one)]


def _suggest(name: str, values: dict[str, list[str]]) -> list[str]:
    """The nearest host names, then others."""
    edits = {one: words.distance(name, one, 3) for one in values}
    near = [one for one in values if edits[one] <= 3]
    return sorted(near, key=lambda one: (edits[one], "host" not in values[one], one))[:3]
