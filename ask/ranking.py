"""Which entry a question means: agreement of its content terms with each phrasing, weighted by rarity.

A word of the question that a phrasing lacks costs more than a word of the phrasing that the question lacks. A word that
no phrasing has lowers every score, so that a question about something else ends in an abstention.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ask import lexicon, units
from ask.catalogue import Entry

ENOUGH = 0.66  # of 1: below it the engine abstains
ALONE = 0.84  # for a question of one word
RECORD = 0.9  # a recording rule counts less than a panel
LIFT = 0.5  # of what a score lacks, for the entry that embeddings support most; alone it is below ENOUGH


@dataclass(frozen=True)
class Ranked:
    """An entry with its score, and how much of that is by terms alone."""

    entry: Entry
    score: float
    terms: float


@dataclass(frozen=True)
class Support:
    """How similar a question is to each entry by a model of embeddings, between 0 and 1, by the entry's id. `problem`
    is why there is none, for the user."""

    scores: Mapping[str, float] = field(default_factory=dict)
    problem: str = ""


class Index:
    """The phrasings of the entries, and how rare each word is among them."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.documents = [(entry, words) for entry in entries for words in entry.documents]
        terms: dict[str, set[str]] = {}
        for entry, words in self.documents:
            terms.setdefault(entry.id, set()).update(words)
        self.count = max(1, len(terms))
        self._seen = Counter(word for each in terms.values() for word in each)

    @property
    def vocabulary(self) -> set[str]:
        """Every word of a phrasing."""
        return set(self._seen)

    def weight(self, word: str) -> float:
        """How much a word proves: its weakness in the lexicon, else by rarity, between 0.6 and 1.2."""
        if word in lexicon.WEAK:
            return lexicon.WEAK[word]
        seen = self._seen.get(word, 0)
        if not seen:
            return 1.2
        return min(1.2, max(0.6, math.log(1 + self.count / seen) / math.log(1 + self.count / 4)))

    def score(self, asked: tuple[str, ...], hints: frozenset[str], words: tuple[str, ...]) -> float:
        """Between 0 and 1. `hints` are terms that the question implies: they help and never cost."""
        common = sum(self.weight(word) for word in asked if word in words)
        if not common:
            return 0.0
        of_question = common / sum(self.weight(word) for word in asked)
        implied = sum(self.weight(word) for word in words if word in hints and word not in asked)
        of_phrasing = (common + implied) / sum(self.weight(word) for word in words)
        return of_question * (0.6 + 0.4 * of_phrasing)

    def rank(self, asked: tuple[str, ...], hints: frozenset[str], groups: frozenset[str] = frozenset()) -> list[Ranked]:
        """The entries with any agreement, the best first. A phrasing need not have the terms in `groups`, nor "rate" if
        the entry's unit is per second."""
        best: dict[str, Ranked] = {}
        for entry, words in self.documents:
            free = groups | {"rate"} if units.is_rate(entry.unit) else groups
            left = tuple(word for word in asked if word not in free or word in words) or asked
            score = self.score(left, hints, words) * (RECORD if entry.kind == "record" else 1)
            if score and (entry.id not in best or score > best[entry.id].score):
                best[entry.id] = Ranked(entry, score, score)
        return sorted(best.values(), key=lambda one: (-one.score, one.entry.id))

    def supported(self, ranked: list[Ranked], scores: Mapping[str, float]) -> list[Ranked]:
        """Every entry lifted by its support. One that shares no term with the question can be offered, and is never the
        answer."""
        known = {one.entry.id for one in ranked}
        others = {entry.id: entry for entry, _ in self.documents if entry.id not in known and scores.get(entry.id)}
        every = [*ranked, *(Ranked(entry, 0.0, 0.0) for entry in others.values())]
        return [replace(one, score=one.score + LIFT * scores.get(one.entry.id, 0.0) * (1 - one.score)) for one in every]

    def is_enough(self, asked: tuple[str, ...], score: float) -> bool:
        """One word alone has to be most of the phrasing."""
        return score >= (ENOUGH if len(asked) > 1 else ALONE)

    def is_strong(self, asked: tuple[str, ...]) -> bool:
        """Whether the terms name a value: more than "usage", "host", or "slow"."""
        if all(word in lexicon.ATTRIBUTES for word in asked):
            return False
        return any(self.weight(word) >= 0.55 for word in asked)
