"""Label values as pseudonyms: what a model is sent has `NAME_1` where the fleet has `db-1`, and its query is translated
back.

Masked is every value of a label that discovery found, wherever it occurs as a whole: in the question, in the
catalogue's expressions, in HELP texts. Not masked are numbers, and the names of fleetwatch's exporters, which are the
same in every fleet. A value that is an ordinary term of the vocabulary (a container called `postgres`, a table called
`orders`) is masked where the question uses it as a name; elsewhere it is the term.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from ask import words
from ask.catalogue import Catalogue
from ask.entities import Mention
from ask.promql import Matcher, Selector
from ask.safety import Refused
from ask.world import World

HIDDEN = frozenset({"le", "quantile", "__name__"})  # labels whose values are numbers or metric names
PLAIN = frozenset({"id", "unit", "type", "name", "labels", "now"})  # ids, and names of metrics and labels
QUESTIONS = frozenset({"question", "previous_question"})
_PSEUDONYM = re.compile(r"\bNAME_\d+\b")
_NUMBER = re.compile(r"[+-]?(?:\d[\d.,]*(?:e[+-]?\d+)?|Inf|NaN)", re.IGNORECASE)
_START = re.compile(r"(?<![A-Za-z0-9_])[A-Za-z0-9_]|[^A-Za-z0-9_\s]")
_PUBLIC = frozenset({"hub", "fleetwatch"})  # of every stack


@dataclass(frozen=True)
class Values:
    """The values of a world that are masked, in lower case, with their labels. Made once for each world."""

    labels: dict[str, tuple[str, ...]]
    written: dict[str, str]  # lower case -> as the fleet writes it
    lengths: tuple[int, ...]  # descending


def values_of(world: World, catalogue: Catalogue) -> Values:
    """Everything that names a part of this fleet."""
    labels: dict[str, list[str]] = {}
    written: dict[str, str] = {}
    for label, values in _all(world):
        for value in values:
            key = value.lower()
            if not _is_public(key, catalogue):
                found = labels.setdefault(key, [])
                written.setdefault(key, value)
                if label not in found:
                    found.append(label)
    lengths = tuple(sorted({len(key) for key in labels}, reverse=True))
    return Values({key: tuple(found) for key, found in labels.items()}, written, lengths)


def _all(world: World) -> Iterable[tuple[str, Iterable[str]]]:
    yield from world.labels.items()
    yield from world.logs.items()
    for metric in world.apps.values():
        yield from ((label, values) for label, values in metric.labels.items() if label not in HIDDEN)


def _is_public(value: str, catalogue: Catalogue) -> bool:
    if len(value) < 2 or _NUMBER.fullmatch(value) or value in _PUBLIC or value in catalogue.jobs:
        return True
    return words.is_known(value)


@dataclass
class Masks:
    """The pseudonyms of one question. With `share` nothing is masked."""

    values: Values
    share: bool = False
    names: dict[str, str] = field(default_factory=dict)  # pseudonym -> value
    _known: dict[str, str] = field(default_factory=dict)  # value in lower case -> pseudonym
    _aliases: dict[str, str] = field(default_factory=dict)  # how the question writes a name -> the value, lower case
    _ordinary: dict[str, Mention] = field(default_factory=dict)  # ordinary terms that are names in the question

    def add(self, mentions: Iterable[Mention]) -> None:
        """The names of the question: those that it writes differently (`web1` for web-1), and ordinary terms."""
        for one in mentions:
            value, alias = one.value.lower(), one.written.lower().removesuffix("'s").strip()
            if value in _PUBLIC or len(alias) < 2:
                continue
            self._aliases[alias] = value
            if value not in self.values.labels:
                self._ordinary[value] = one

    def mask(self, given: Any) -> Any:
        """A document of lists, mappings and texts with every value masked, except in the fields of PLAIN."""
        if isinstance(given, str):
            return given if self.share else self._masked(given)
        if isinstance(given, dict):
            return {key: self._field(key, one) for key, one in given.items()}
        if isinstance(given, (list, tuple)):
            return [self.mask(one) for one in given]
        return given

    def _field(self, key: str, given: Any) -> Any:
        if key in QUESTIONS and not self.share:
            return self._masked(given, self._aliases)
        return given if key in PLAIN else self.mask(given)

    def _masked(self, text: str, aliases: Mapping[str, str] = MappingProxyType({})) -> str:
        lower = text.lower()
        if len(lower) != len(text):  # a letter whose lower case is longer: positions would not agree
            text = lower
        lengths = sorted({*self.values.lengths, *map(len, aliases)}, reverse=True)
        found, at = [], 0
        while at < len(text):
            hit = self._at(lower, at, lengths, aliases) if _START.match(lower, at) else 0
            if hit:
                part = lower[at : at + hit]
                found.append(self._pseudonym(aliases.get(part, part)))
                at += hit
            else:
                found.append(text[at])
                at += 1
        return "".join(found)

    def _at(self, lower: str, at: int, lengths: list[int], aliases: Mapping[str, str]) -> int:
        """The length of the longest value that begins here and ends at the end of a term."""
        for length in lengths:
            part = lower[at : at + length]
            if len(part) == length and (part in self.values.labels or part in aliases):
                after = lower[at + length : at + length + 1]
                if not (_is_term(part[-1]) and _is_term(after)):
                    return length
        return 0

    def _pseudonym(self, key: str) -> str:
        if key not in self._known:
            name = f"NAME_{len(self._known) + 1}"
            self._known[key] = name
            self.names[name] = self.values.written.get(key) or self._ordinary[key].value
        return self._known[key]

    @property
    def legend(self) -> list[dict[str, Any]]:
        """Each pseudonym with the labels that have its value."""
        return [{"name": name, "labels": self._labels(key)} for key, name in self._known.items()]

    def _labels(self, key: str) -> list[str]:
        return list(self.values.labels.get(key) or self._ordinary[key].labels)

    def unmasked(self, one: Selector) -> Selector:
        """A selector with the values in place of the pseudonyms. Raises Refused for one that was not given."""
        return replace(one, matchers=tuple(self._matcher(each) for each in one.matchers))

    def _matcher(self, one: Matcher) -> Matcher:
        return replace(one, value=self.restored(one.value, one.op in {"=~", "!~"}))

    def restored(self, text: str, is_pattern: bool) -> str:
        """A text with the values in place of the pseudonyms, escaped in a pattern. Raises Refused."""

        def value(match: re.Match[str]) -> str:
            if match[0] not in self.names:
                raise Refused(f"{match[0]} is not among the names")
            found = self.names[match[0]]
            return re.escape(found).replace("\\-", "-") if is_pattern else found

        return text if self.share else _PSEUDONYM.sub(value, text)


def _is_term(character: str) -> bool:
    return bool(character) and (character.isalnum() or character == "_")
