"""Whether an entry fits a question beyond its phrasing, and how an answer is described."""

from __future__ import annotations

import re
from dataclasses import replace

from ask import compose
from ask.catalogue import Entry
from ask.compose import Bound, Query
from ask.grammar import Wants
from ask.ranking import Ranked
from ask.reading import Reading
from ask.world import World


def wants_of(reading: Reading, entry: Entry) -> Wants:
    """Without a superlative that is part of the entry's own title, such as "oldest transaction"."""
    word = reading.wants.superlative
    return replace(reading.wants, top=0) if word and word in entry.title.lower() else reading.wants


def are_halves(one: Ranked, other: Ranked) -> bool:
    """Two queries of one panel that fit equally, such as bytes read and written: neither is the answer."""
    same = one.entry.board == other.entry.board and one.entry.title == other.entry.title
    return same and one.entry.name != other.entry.name and abs(one.terms - other.terms) < 0.03


def parts_of_names(reading: Reading) -> frozenset[str]:
    """The parts of the values that a question names."""
    return frozenset(part for one in reading.mentions for part in re.split(r"\W+", one.value.lower()))


def exists(entry: Entry, world: World) -> bool:
    """Whether the hub has one of the entry's metrics at least; a part that is missing is a part of a sum or union."""
    return not world.metrics or bool(entry.metrics & world.metrics)


def fits(entry: Entry, reading: Reading) -> bool:
    """Whether units and labels allow what the question wants."""
    wants = reading.wants
    if not compose.fits(wants.threshold, entry.unit) or (reading.unit and not compose.is_of(reading.unit, entry.unit)):
        return False
    kept = compose.kept_labels(entry.expr)
    if (wants.top or wants.threshold) and kept == ():
        return False
    if wants.groups and kept is not None:
        inner = compose.labels_of(entry)
        return all(group in kept or group in inner for group in wants.groups)
    return True


def breadth(entry: Entry) -> int:
    """How many labels a result has: of two that fit equally, the coarser one is meant."""
    if entry.language != "promql":
        return 50
    kept = compose.kept_labels(entry.expr)
    return 99 if kept is None else len(kept) or 50


def title_of(entry: Entry) -> str:
    """How people ask for the entry."""
    return entry.phrasings[0] if entry.phrasings else f"{entry.title} {entry.name}".strip()


def abstention(reading: Reading) -> str:
    """Why there is no query."""
    if not reading.asked:
        return "The question does not state which value is wanted."
    return "No value of this fleet fits the question well enough."


def assumptions(reading: Reading, bound: Bound, query: Query) -> tuple[str, ...]:
    """What was assumed, each once."""
    notes = [*reading.notes, *query.notes]
    if not bound:
        notes.append("everything that sends data is included")
    return tuple(dict.fromkeys(notes))
