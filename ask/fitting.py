"""Whether an entry fits a question beyond its phrasing, and how an answer is described."""

from __future__ import annotations

import re
from dataclasses import replace

from ask import compose, safety, shorthand
from ask.catalogue import Entry
from ask.compose import Bound, Query
from ask.grammar import Wants
from ask.ranking import Ranked
from ask.reading import Reading
from ask.safety import Limits, Refused
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


_OF_REQUESTS = {("error",), ("status",), ("traffic",)}  # of a service: what its requests are like


def implied(reading: Reading, hub: str) -> frozenset[str]:
    """Terms that the names in a question state: what it measures is not left open by them."""
    found = {"disk", "hypertable", "table", "slot", "size"}
    if any(one.value == hub for one in reading.mentions):
        found.add("hub")
    if any("job" in one.labels for one in reading.mentions) and reading.asked in _OF_REQUESTS:
        return frozenset({"request"})
    return reading.hints & found if reading.asked else frozenset()


_GROUP_TERMS = {"job": "service", "datname": "database", "host": "host", "container": "container", "status": "status"}


def terms_of_groups(reading: Reading) -> frozenset[str]:
    """Terms that state the groups of a result, which entries are chosen by anyway."""
    return frozenset(_GROUP_TERMS[one] for one in reading.wants.groups if one in _GROUP_TERMS)


_NOT = re.compile(r"\b(?:not|never|nicht|kein\w*)\b|n't\b")
_WHEN_LARGEST = re.compile(
    r"\b(?:when|at what time|what time|wann|cuándo)\b.*\b(?:peak\w*|max\w*|min\w*|highest|lowest|largest|smallest"
    r"|spike\w*)\b"
)
_RATIO_OF_TWO = re.compile(r"\b(?:ratio|quotient) (?:of|between)\b")
_WITHOUT = re.compile(r"\b(?:without|except|excluding|other than|apart from|but no|ohne|excepto)\b")


def negated(reading: Reading) -> str:
    """Why there is no query for what is not the case, or for all lines but some; empty if nothing is negated."""
    text = reading.text.replace(reading.search.lower(), " ") if reading.search else reading.text
    if _NOT.search(text) or (reading.about_logs and _WITHOUT.search(text)):
        return "What the question leaves out or negates cannot be expressed: state which value is wanted."
    if _WHEN_LARGEST.search(reading.original.lower()):
        return "The time at which a value was the largest or smallest cannot be expressed: show its graph."
    if len(reading.mentions) > 1 and _RATIO_OF_TWO.search(reading.text):
        return "The ratio of the values of two names cannot be expressed: name both without it."
    return ""


def exists(entry: Entry, world: World) -> bool:
    """Whether the hub has one of the entry's metrics at least; a part that is missing is a part of a sum or union."""
    return not world.metrics or bool(entry.metrics & world.metrics)


def fits(entry: Entry, reading: Reading) -> bool:
    """Whether units and labels allow what the question wants."""
    wants = reading.wants
    if not compose.fits(wants.threshold, entry.unit) or (reading.unit and not compose.is_of(reading.unit, entry.unit)):
        return False
    if reading.values and "ratio" in reading.asked and entry.unit != "percentunit":
        return False
    if "ALERTS_FOR_STATE" in entry.metrics and (reading.times.window or reading.times.back):
        return False
    kept = compose.kept_labels(entry.expr)
    if (wants.top or wants.threshold) and kept == ():
        return False
    return not wants.groups or compose.has_groups(entry, wants.groups)


_MEAN = re.compile(r"\b(?:average|avg|mean|durchschnitt\w*|promedio)\b")
_QUANTILE = re.compile(
    r"histogram_quantile\([\d.]+, sum by \((?P<by>[\w, ]+), le\) \(rate\((?P<name>\w+)_bucket(?P<rest>.*)\)\)\)"
)


def meant(entry: Entry, reading: Reading) -> Entry:
    """An entry that shows a quantile with the quantile that the question names, or as the mean if it wants that."""
    wanted = shorthand.quantile(reading.text)
    if wanted is not None and shorthand.QUANTILE.search(entry.title):
        expr = re.sub(r"histogram_quantile\([\d.]+", f"histogram_quantile({wanted:g}", entry.expr)
        title = shorthand.QUANTILE.sub(f"p{100 * wanted:g}", entry.title)
        return replace(entry, expr=expr, title=title)
    found = _QUANTILE.fullmatch(entry.expr)
    if not found or not _MEAN.search(reading.original.lower()):
        return entry
    parts = (f"sum by ({found['by']}) (rate({found['name']}_{part}{found['rest']}))" for part in ("sum", "count"))
    return replace(entry, expr=" / ".join(parts), title=re.sub(r"\bp\d\d\b", "Mean", entry.title))


def breadth(entry: Entry) -> int:
    """How many labels a result has: of two that fit equally, the coarser one is meant."""
    if entry.language != "promql":
        return 50
    kept = compose.kept_labels(entry.expr)
    return 99 if kept is None else len(kept) or 50


def title_of(entry: Entry) -> str:
    """How people ask for the entry."""
    return entry.phrasings[0] if entry.phrasings else f"{entry.title} {entry.name}".strip()


def folded(question: str) -> str:
    """The same for questions that differ in case, spaces or their last mark alone."""
    return " ".join(question.lower().split()).rstrip(" ?!.")


def is_askable(question: str, limits: Limits) -> bool:
    """Whether a question is not refused for what is written: it may hold a label value, which others choose."""
    try:
        safety.question(question, limits)
    except Refused:
        return False
    return True


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
