"""Which entries a question means by embeddings: its vector compared with those of the catalogue's texts.

The question is embedded where its terms leave something to improve. Label values in it are replaced by pseudonyms, as
for a language model. Without vectors the ranking is the one by terms.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ask import explain
from ask.engine import Engine
from ask.model.embedder import Embedder
from ask.model.embedding import Vector
from ask.model.masking import Masks, Values, values_of
from ask.model.sending import Unavailable
from ask.plan import Plan
from ask.ranking import Index, Support
from ask.reading import Context, Reading
from ask.world import World

SURE = 0.9  # confidence from which the ranking by terms is not improved
LOW, HIGH = 2.0, 4.0  # standard deviations above the mean of all entries: no support, and all of it
NOTHING = Support()


class Stored(Protocol):
    """The vectors of the catalogue's texts."""

    def check(self) -> None:
        """Raises Unavailable if a text has no vector: the question need not be sent then."""

    def similarities(self, vector: Vector) -> dict[str, float]:
        """The cosine to each text, by its key. Raises Unavailable."""


@dataclass(frozen=True)
class Texts:
    """The texts of a catalogue by key, and the ids of the entries that have each."""

    texts: dict[str, str]
    entries: dict[str, frozenset[str]]

    @classmethod
    def of(cls, engine: Engine) -> Texts:
        """Phrasings and titles of what answers questions."""
        texts: dict[str, str] = {}
        entries: dict[str, frozenset[str]] = {}
        for one in (*engine.entries.values(), *engine.log_entries):
            title = f"{one.title} {one.name}" if "{{" not in one.name else one.title
            for text in (*one.phrasings, title.strip()):
                key = hashlib.sha256(text.encode()).hexdigest()
                texts[key] = text
                entries[key] = entries.get(key, frozenset()) | {one.id}
        return cls(texts, entries)


@dataclass
class Matcher:
    """`share`: whether label values are sent as they are. One for each process."""

    embedder: Embedder
    stored: Stored
    share: bool = False
    _texts: tuple[Index, Texts] | None = None
    _values: tuple[World, Values] | None = field(default=None, repr=False)

    def support(self, engine: Engine, world: World, question: str, before: Context, now: float) -> Support:
        """For one question. Never raises for a provider that does not answer."""
        if explain.alert_of(question, engine.catalogue) is not None:
            return NOTHING
        plan = engine.plan(question, world, now, before)
        if plan.reading is None or not _is_unsure(plan):
            return NOTHING
        try:
            self.stored.check()
            vector = self.embedder.question(self._masked(plan.reading, engine, world))
            return Support(self._scores(engine, self.stored.similarities(vector)))
        except Unavailable as problem:
            return Support(problem=f"{problem}: the ranking is by terms alone")

    def _masked(self, reading: Reading, engine: Engine, world: World) -> str:
        if self._values is None or self._values[0] is not world:
            self._values = world, values_of(world, engine.catalogue)
        masks = Masks(self._values[1], self.share)
        masks.add(reading.mentions)
        return str(masks.mask({"question": reading.stated})["question"])

    def _scores(self, engine: Engine, cosines: Mapping[str, float]) -> dict[str, float]:
        if self._texts is None or self._texts[0] is not engine.index:
            self._texts = engine.index, Texts.of(engine)
        best: dict[str, float] = {}
        for key, entries in self._texts[1].entries.items():
            for one in entries:
                best[one] = max(best.get(one, -1.0), cosines.get(key, -1.0))
        return scores(best)


def scores(cosines: Mapping[str, float]) -> dict[str, float]:
    """How far each entry stands out from all others, between 0 and 1; those of 0 are left out. The cosines of models
    differ in their mean and spread, so that no fixed bound fits all."""
    count = max(1, len(cosines))
    mean = sum(cosines.values()) / count
    spread = math.sqrt(sum((one - mean) ** 2 for one in cosines.values()) / count)
    if spread < 1e-9:
        return {}
    found = {key: ((one - mean) / spread - LOW) / (HIGH - LOW) for key, one in cosines.items()}
    return {key: min(1.0, one) for key, one in found.items() if one > 0}


def _is_unsure(plan: Plan) -> bool:
    """Not for names that nothing has, nor for log lines, nor for what is refused."""
    reading = plan.reading
    refused = plan.refusal or reading is None or reading.unknown or reading.about_logs
    return not refused and plan.confidence < SURE
