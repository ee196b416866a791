"""A question taken apart: times, names, operations and content terms; a follow-up inherits what it leaves out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from ask import apps, entities, grammar, lexicon, logs, shorthand, times, values, words
from ask.catalogue import Catalogue
from ask.entities import Mention
from ask.grammar import Threshold, Wants
from ask.moments import Times
from ask.ranking import Index
from ask.values import Stated
from ask.world import LABELS, World

_FOLLOWS = re.compile(
    r"^(?:and|what about|how about|und|y|same|now|but|only|also|for|on|ok|okay|per|by|(?:grouped|split) by"
    r"|(?:more|less|higher|lower|greater|fewer) than|over|above|under|below)\b"
)
_GROWN = re.compile(
    r"\b(?:gr[eo]wn?|grows|growth|growing|(?:in|de)creased?|shrunk|shrank|chang(?:e|ed|es)|"
    r"(?:go|gone|went|going) (?:up|down)|increas\w+|decreas\w+|shrinking|rises?|rose|risen|rising|fall|fell|fallen|"
    r"falling|getting (?:bigger|larger|smaller|fuller|higher|lower|worse|better)|wächst|wachsen|steigt|crece|sube)\b"
)
_EXCLUDED = (
    r"\b(?:except(?: for| of)?|excluding|other than|apart from|besides|without|but not|not counting|ignoring|außer|ohne"
    r"|excepto|menos|sin)\s+(?:the\s+|all\s+)?(?:hosts?\s+|containers?\s+|services?\s+)?"
)
_ONLY_LOGS = {"container", "compose_project", "compose_service"}
_REBOOTED = re.compile(r"\breboot(?:s|ed)?\b|\brestart(?:s|ed)? (?:the )?(?:hosts?|servers?|machines?)\b")
_HINTS = {
    "host": {"host", "hub"},
    "container": {"container"},
    "database": {"database", "postgres"},
    "datname": {"database", "postgres"},
    "job": {"service", "request"},
    "mountpoint": {"disk"},
    "table": {"table", "size"},
    "hypertable": {"hypertable", "size"},
    "slot": {"slot", "replication"},
}


@dataclass(frozen=True)
class Context:
    """What was before: the previous question, the host that is looked at, and earlier questions, the oldest first."""

    question: str = ""
    host: str = ""
    earlier: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """The parts of a question. `text` is what is left after names and times, with phrases replaced."""

    original: str
    text: str
    asked: tuple[str, ...]
    mentions: tuple[Mention, ...]
    unknown: tuple[str, ...]
    suggestions: tuple[str, ...]
    wants: Wants
    times: Times
    about_logs: bool
    search: str
    hints: frozenset[str]
    notes: tuple[str, ...] = field(default=())
    unit: str = ""  # the kind of unit that the answer shall have
    values: tuple[Stated, ...] = ()
    excluded: str = ""  # a name that the question leaves out
    stated: str = ""  # the question that states the value, as it was written: this one, or one before it


def read(question: str, context: Context, world: World, index: Index, catalogue: Catalogue, now: float) -> Reading:
    """Take a question apart; one that follows another inherits what it leaves out."""
    reading = _single(question, world, index, catalogue, now)
    before: Reading | None = None
    for text in filter(None, (*context.earlier, context.question)):
        before = _continued(before, _single(text, world, index, catalogue, now))
    reading = _continued(before, reading)
    if context.host and not any("host" in one.labels for one in reading.mentions):
        mention = Mention(context.host, ("host",), context.host)
        note = f"{context.host} is the host that is looked at"
        reading = replace(reading, mentions=(*reading.mentions, mention), notes=(*reading.notes, note))
    return reading


def _continued(before: Reading | None, now: Reading) -> Reading:
    """With what was before it, if it refers to it or states no value itself."""
    refers = bool(_FOLLOWS.search(now.original.lower().strip())) or not now.asked
    return _following(before, now) if before is not None and refers else now


def _single(question: str, world: World, index: Index, catalogue: Catalogue, now: float) -> Reading:
    lower = shorthand.quantiles(re.sub(r"\s+", " ", question.lower().strip()))
    search = logs.quoted(question)
    about_logs = logs.is_about(lower)
    when = times.parse(lower if not (about_logs and search) else lower.replace(search.lower(), " "), now)
    names = entities.find(when.rest, _without_own_jobs(world, catalogue), LABELS, about_logs)
    stated, left = ((), names.rest) if about_logs else values.find(names.rest, catalogue.alerts)
    names = replace(names, rest=left)
    grown = bool(when.back and _GROWN.search(names.rest))
    unit, rest = grammar.unit(_GROWN.sub(" ", names.rest) if grown else names.rest)
    wants = grammar.parse(rest, when.window or bool(when.back), not names.mentions)
    if (rebooted := _rebooted(lower, when, wants)) is not wants:
        wants, when = rebooted, replace(when, window=False)
    text = words.phrases(wants.rest)
    asked, notes = _asked(text, index, world)
    asked, wants, unit = shorthand.resolve(asked, names.mentions, wants, when, unit, lower)
    if "fullin" in asked and when.window:  # a forecast does not depend on the time that is named
        when = replace(when, start=when.end, window=False)
    hints = frozenset(hint for one in names.mentions for hint in _HINTS.get(one.labels[0], set()))
    return Reading(
        original=question,
        text=text,
        asked=asked,
        mentions=names.mentions,
        unknown=names.unknown,
        suggestions=names.suggestions,
        wants=wants,
        times=when,
        about_logs=about_logs or _are_log_errors(asked, names.mentions),
        search=search if about_logs else "",
        unit=unit,
        values=stated,
        excluded=_excluded(lower, names.mentions),
        stated=question,
        hints=hints
        | frozenset({"size"} if grown else ())
        | frozenset(words.canonical(group) for group in wants.groups),
        notes=(*names.notes, *notes, *filter(None, (when.note,))),
    )


def _are_log_errors(asked: tuple[str, ...], mentions: tuple[Mention, ...]) -> bool:
    """Errors of containers that are no services with metrics of requests: those in their logs."""
    errors = [word for word in asked if not word.isdecimal()]
    return errors == ["error"] and bool(mentions) and all({*one.labels} <= _ONLY_LOGS for one in mentions)


def _excluded(text: str, mentions: tuple[Mention, ...]) -> str:
    """The name that a question leaves out, as in "except web-1"."""
    found = (one for one in mentions if re.search(_EXCLUDED + re.escape(one.written), text))
    return next((one.value for one in found), "")


def _rebooted(text: str, when: Times, wants: Wants) -> Wants:
    """Rebooted within a time: the uptime is less than that."""
    if not when.window or wants.threshold is not None or not _REBOOTED.search(text):
        return wants
    span = when.end - when.start
    return replace(wants, threshold=Threshold("<", span, "time", f"up for less than {times.show(span)}"))


def _without_own_jobs(world: World, catalogue: Catalogue) -> World:
    """A question is not restricted by the jobs of fleetwatch's exporters."""
    own = {*catalogue.jobs, "docker", "journal"}
    jobs = frozenset(one for one in world.values("job") if one not in own and not one.startswith("fleetwatch-"))
    return replace(world, labels={**world.labels, "job": jobs}, logs={**world.logs, "job": frozenset()})


def _asked(text: str, index: Index, world: World) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The content terms, with spelling corrected and compounds divided."""
    own = {word for metric in world.apps.values() for word in apps.content(metric)}
    own |= {part for name in world.apps for part in name.lower().split("_")} | set(world.apps)
    known = index.vocabulary | own
    found: list[str] = []
    notes: list[str] = []
    for word in (part for whole in words.split(text) for part in _parts(whole)):
        if word in own or words.canonical(word) in known or words.is_known(word):
            found.append(words.canonical(word))
        elif parts := words.compound(word):
            found += parts
        elif word not in lexicon.ORDINARY and (near := words.closest(word, _spellings() | own)):
            notes.append(f'"{word}" is taken as {near}')
            found += [] if near in lexicon.STOP else [words.canonical(near)]
        else:
            found.append(words.canonical(word))
    return tuple(dict.fromkeys(found)), tuple(notes)


def _parts(word: str) -> list[str]:
    """The parts of a metric's name that is written out."""
    if "_" not in word:
        return [word]
    return [part for part in word.split("_") if part and part not in apps.UNIT_WORDS]


def _spellings() -> set[str]:
    """Every word that the lexicon spells."""
    return {word for written in lexicon.SYNONYMS.values() for word in written.split()} | set(lexicon.SYNONYMS)


def _with_new(before: Wants, now: Wants) -> Wants:
    """What was wanted, with what a follow-up wants besides or instead."""
    return replace(
        before,
        top=now.top or before.top,
        lowest=now.lowest if now.top else before.lowest,
        threshold=now.threshold or before.threshold,
        over_time=now.over_time or before.over_time,
        groups=now.groups or before.groups,
        chart=now.chart or before.chart,
        total=now.total or before.total,
        per=now.per if now.per != 1 else before.per,
    )


def _following(before: Reading, now: Reading) -> Reading:
    """The new question with what it leaves out taken from the previous one."""
    labels = {label for one in now.mentions for label in one.labels}
    kept = tuple(one for one in before.mentions if not labels & set(one.labels))
    added = {*map(words.canonical, now.wants.groups), *(("rate",) if now.wants.per != 1 else ())}
    adds = bool(now.asked) and set(now.asked) <= added  # "per container": the value is the one before
    strong = (now.asked and not adds) or now.about_logs
    same_time = now.times.window or now.times.moment or now.times.back
    return replace(
        now,
        text=now.text if strong else before.text,
        asked=tuple(dict.fromkeys((*before.asked, *now.asked))) if adds else now.asked or before.asked,
        mentions=(*kept, *now.mentions),
        times=now.times if same_time else before.times,
        about_logs=now.about_logs or (before.about_logs and not now.asked),
        search=now.search or before.search,
        wants=now.wants if strong else _with_new(before.wants, now.wants),
        hints=now.hints | before.hints,
        values=now.values if strong else before.values,
        notes=(*now.notes, f'continues "{before.original}"'),
        stated=now.stated if strong else before.stated,
    )
