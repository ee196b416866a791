"""Questions about log lines: LogQL from sources, levels, a text and what is counted."""

from __future__ import annotations

import re

from ask import lexicon, words
from ask.compose import HOUR, Bound, Query
from ask.grammar import Wants
from ask.moments import Times
from ask.promql import among, duration

_ABOUT = re.compile(
    r"\b(?:logs?|logged|logging|log ?lines?|lines?|tail|protokoll\w*|registros?|logzeilen|logeinträge\w*)\b(?!-)"
)
_NOT = re.compile(
    r"\b(?:log streams?|lost (?:log )?lines?|log agents?|write[- ]ahead|log rate|log volume|dropped (?:log )?lines?"
    r"|logins?|log in(?! the| last)|"
    r"logged in(?! the| last)|logging in(?! the| last)|last log line|loki|sign\w*|"
    r"lines? (?:are )?(?:lost|dropped)|audit|"
    r"certificate log|firing|alerts?|backups?)\b"
)
_LEVELS = (
    ("fatal", re.compile(r"\b(?:fatals?|panics?|crit(?:ical)?)\b")),
    ("error|fatal", re.compile(r"\b(?:errors?|fehler\w*|exceptions?|errores|failures?)\b")),
    ("warn", re.compile(r"\b(?:warn(?:ings?)?|warnungen|advertencias?)\b")),
    ("info", re.compile(r"\binfo\b(?= (?:level|lines?|logs?))")),
    ("debug", re.compile(r"\bdebug\b")),
)
_LEVEL_WORD = re.compile(r"\bwarnings\b|\b(?:warning|fatals?) (?:of|from|in|on)\b")
_OF_SOURCE = re.compile(
    r"\berrors?\b.*\b(?:of|in|from|by|per|for) (?:the )?containers?\b|\bcontainers?\b.*\berrors?\b|\bpanics?\b|"
    r"^\s*grep\b|\bfatal(?:s| errors?)?\b|\bexceptions?\b|\bstack ?traces?\b|\w messages (?:of|from|in|on)\b"
)
_OF_NETWORK = re.compile(r"\b(?:network|packets?|interfaces?|drop\w*|http|ratio|oom|throttl\w*|restart\w*)\b")
_MESSAGES = re.compile(r"(?P<text>[a-z][\w-]*(?: [a-z][\w-]*)?) messages\b", re.I)
_QUOTED = re.compile(r"[\"'`“„«](?P<text>[^\"'`”“»]{2,100})[\"'`”“»]")
_CONTAINING = re.compile(
    r"\b(?:grep(?: for)?|(?:search|look)(?:ing)? for|find|occurrences? of|containing|contains?|"
    r"with the (?:text|word)|mentioning|matching|that say|saying|enthält|contienen|contiene)\s+"
    r"(?:(?:the )?(?:word|text|string)\s+)?(?P<text>[\w.:/-]{2,60})"
)
_COUNT = re.compile(r"\b(?:how many|count|number of|anzahl|wie viele|cu[aá]nt[oa]s)\b")
_RATE = re.compile(r"\b(?:per second|rate|/s)\b")
_WHICH_MOST = re.compile(
    r"\b(?:which|what|top)\b.*\b(?:most|noisiest|loudest)\b|\bnoisiest\b|\bloudest\b|\bmost (?:logs?|lines)\b"
)
# Content terms that a query about lines expresses, or that state only that it is about lines.
_USED = frozenset(
    words.content(
        "log logs logged logging lines line entries tail grep search find contain containing contains matching mention "
        "mentioning saying say with show newest latest recent last print get level error fatal panic critical "
        "exception failure warning info debug count number rate second most noisiest loudest top host container job "
        "service project message messages text word stack trace fehler protokoll logzeilen logeinträge zeilen anzahl "
        "registros"
    )
)


def unused(asked: tuple[str, ...], search: str) -> tuple[str, ...]:
    """The content terms of a question about log lines that its query does not express."""
    searched = set(words.content(search))
    return tuple(one for one in asked if one not in _USED and one not in searched and not one.isdecimal())


def quoted(text: str) -> str:
    """The text in quotes, or after a word such as "containing", with its case."""
    found = _QUOTED.search(text) or next((one for one in _CONTAINING.finditer(text) if _is_text(one["text"])), None)
    if found is None and (found := _MESSAGES.search(text)):
        kept = found["text"].split()
        while kept and (kept[0].lower() in lexicon.STOP or set(words.content(kept[0])) <= _USED):
            kept = kept[1:]
        return " ".join(kept)
    return found["text"] if found else ""


def _is_text(word: str) -> bool:
    """Whether a word is something to look for, and not a level, a source, or a word without content."""
    return word.lower() not in lexicon.STOP and not set(words.content(word)) <= _USED


def is_unrestricted(text: str, search: str, wants: Wants) -> bool:
    """Whether a query without a source would be for every line."""
    plain = text.replace(search.lower(), " ") if search else text
    counted = wants.top or wants.groups or _COUNT.search(plain) or _WHICH_MOST.search(plain)
    return not search and not counted and not any(pattern.search(plain) for _, pattern in _LEVELS)


def is_about(text: str) -> bool:
    """Whether a question in lower case is about log lines."""
    if _NOT.search(text):
        return False
    if _OF_SOURCE.search(text) and not _OF_NETWORK.search(text):
        return True
    return bool(_ABOUT.search(text) or _LEVEL_WORD.search(text) or re.search(r"\berrors? from \S", text))


def build(text: str, search: str, bound: Bound, wants: Wants, times: Times) -> Query:
    """The query for a question about log lines."""
    names = [among(label, values) for label, values in sorted(bound.items())]
    streams = "{" + (",".join(map(str, names)) or 'job=~".+"') + "}"
    plain = text.replace(search.lower(), " ") if search else text
    level = next((name for name, pattern in _LEVELS if pattern.search(plain)), "")
    filters = f' | level{"=~" if "|" in level else "="}"{level}"' if level else ""
    if search:
        filters += " |~ `(?i)" + re.escape(search).replace("\\ ", " ").replace("`", ".") + "`"
    start, end = times.start if times.window else times.end - HOUR, times.end
    notes = () if times.window else ("no time was given: the last hour",)
    if times.moment:
        start, end, notes = times.end - HOUR / 2, times.end + HOUR / 2, ("half an hour before and after that time",)
    span = duration(end - start)
    source = "host, job, container"
    if wants.top or _WHICH_MOST.search(plain):
        count = wants.top if wants.top > 1 else 10
        by = "host" if re.search(r"\b(?:which|what) hosts?\b|\bhosts?\b.*\bmost\b", plain) else source
        text = f"topk({count}, sum by ({by}) (count_over_time({streams}{filters} [{span}])))"
        return Query(text, "logql", end, end, "value", notes)
    groups = tuple(one for one in wants.groups if one in {"host", "container", "job", "level", "compose_project"})
    rated = bool(_RATE.search(plain)) or wants.per != 1
    if groups or rated or _COUNT.search(plain) or re.search(r"\bcount\b", plain):
        by = source if groups == ("container",) else ", ".join(groups)
        function = "rate" if rated else "count_over_time"
        each = f" * {wants.per:g}" if wants.per != 1 else ""
        counted = f"sum{f' by ({by}) ' if by else ''}({function}({streams}{filters} [{span}])){each}"
        if wants.threshold is not None:
            counted = f"{counted} {wants.threshold.op} {wants.threshold.value:.12g}"
        return Query(counted, "logql", end, end, "value", notes)
    return Query(f"{streams}{filters}", "logql", start, end, "lines", notes)
