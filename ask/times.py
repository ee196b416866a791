"""Times in a question: windows, moments, days, and what it is compared with."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

from ask import points
from ask.moments import Times, between, both, clock, date, day, since
from ask.words import cut

_UNITS = {
    "s": 1, "sec": 1, "second": 1, "sekunde": 1, "segundo": 1, "m": 60, "min": 60, "minute": 60, "minuto": 60,
    "h": 3600, "hr": 3600, "hour": 3600, "stunde": 3600, "hora": 3600, "d": 86400, "day": 86400, "tag": 86400,
    "día": 86400, "dia": 86400, "w": 604800, "wk": 604800, "week": 604800, "woche": 604800, "semana": 604800,
    "month": 2592000, "monat": 2592000, "mes": 2592000, "year": 31536000, "jahr": 31536000, "año": 31536000,
}  # fmt: skip
NUMBERS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "twelve": 12, "fifteen": 15, "twenty": 20, "twenty-four": 24, "thirty": 30, "half": 0.5,
    "ein": 1, "einer": 1, "eine": 1, "zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "zehn": 10, "una": 1, "un": 1,
    "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "diez": 10,
}  # fmt: skip
_UNIT = "|".join(
    sorted((rf"{unit}(?:s|n|e|en|es)?" if len(unit) > 1 else unit for unit in _UNITS), key=len, reverse=True)
)
_NUMBER = r"\d+(?:[.,]\d+)?|" + "|".join(sorted(NUMBERS, key=len, reverse=True))
SPAN = rf"(?P<n>{_NUMBER})? ?(?P<u>{_UNIT})\b"
_AGO = rf"(?P<n>{_NUMBER}) ?(?P<u>{_UNIT})"
_PAST = re.compile(
    rf"(?:\b(?:in|over|for|during|within|of|from|auf|der|en|durante)\s+)?(?:\b(?:the|den|der|las?|los)\s+)?"
    rf"\b(?:last|past|previous|letzten?|letzter|vergangenen?|[uú]ltim[ao]s?)\s+{SPAN}"
)
_BARE = re.compile(r"(?<![\w.<>=-])(?P<n>\d+)(?P<u>m|h|d|w)\b(?! ?ago)")
_BOUND = re.compile(r"(?:than|over|above|below|under|exceed\w*|within|least|most|in|[<>]=?)\s*$")
_IN = re.compile(rf"\b(?:in|within|for|over)\s+{_AGO}\b(?! ago)")
_SINCE_AGO = re.compile(
    rf"\b(?:since|seit|desde)\s+(?:about\s+)?{_AGO}\s+ago\b|\bseit\s+(?P<n2>{_NUMBER}) ?(?P<u2>{_UNIT})\b"
)
_AT_AGO = re.compile(rf"\b{_AGO}\s+(?:ago|earlier|before)\b|\b(?:vor|hace)\s+(?P<n2>{_NUMBER}) ?(?P<u2>{_UNIT})\b")
_FUTURE = re.compile(
    r"(?<!heute )(?<!gestern )(?<!guten )(?<!diesen )(?<!esta )(?<!la )"
    r"\b(tomorrow|next (?:hour|day|week|month|year)|morgen|nächste\w*|mañana|"
    r"in the next \d*|(?:in|within) the (?:coming|next))\b"
)
_BEFORE = r"(?:the\s+)?(?:same\s+(?:time|hour|moment|day|weekday)\s+)?(?:of\s+|on\s+)?"
_THEN = (
    rf"(?:(?P<point>{points.either(points.CLEAR)})"
    rf"|(?P<yesterday>yesterday|gestern|ayer)|(?P<lastunit>last|the previous|letzte[rn]?)\s+(?P<lu>week|day|hour"
    rf"|month|woche|stunde|semana)|{_AGO}\s+(?:ago|earlier|before)|vor\s+(?P<vn>{_NUMBER})\s+"
    rf"(?P<vu>{_UNIT})\b)"
)
_COMPARE = re.compile(
    rf"\b(?:compared?\s+(?:to|with|against)|in comparison (?:to|with)|versus|vs\.?|against|relative to|than|"
    rf"difference (?:to|from|since)|verglichen mit|im vergleich (?:zu|zur|mit)|comparado con|to(?=\s+last)|since"
    r"|now and)\s+"
    rf"{_BEFORE}(?:it was\s+|at\s+)?{_THEN}"
)
_GROWTH = re.compile(
    rf"\b(?:change[ds]?|gr[eo]wn?|grow|growth|increased?|difference|shrunk|shrank)\b.*?"
    rf"(?P<span>(?:in|over|within|during|since)\s+(?:the\s+)?(?:last\s+|past\s+)?{SPAN})"
)
_CHANGED = re.compile(
    r"\b(?:gr[eo]wn?|chang\w*|(?:in|de)creas\w*|up|down|higher|lower|more|less|ris\w+|rose|fall\w*|fell|drop\w*|"
    r"diff\w*|shr\w+|larger|bigger|smaller|worse|better|gone|gestiegen|gewachsen|subido|crecido)\b"
)
_NOW = re.compile(r"\b(?:right now|now|today|heute|hoy|currently|jetzt|ahora)\b")


_BOUNDED = re.compile(r"\b(?:less|more|fewer|longer|older|younger|earlier|later)\s+(?:than\s+)?$")
LARGEST = 1e9  # of a count of units: beyond every limit, and still a time


_WRITTEN = tuple(
    (re.compile(pattern), written)
    for pattern, written in (
        (r"\b(a|p)\.m\.?(?!\w)", r"\1m"),
        (r"\b(?:noon|midday|mittags?|mediodía)\b", "12:00"),
        (r"\b(?:midnight|mitternacht|medianoche)\b", "00:00"),
        (r"\b(\d\d?(?::\d\d)?)(?: o'?clock)? (?:in the morning|de la mañana)\b", r"\1 am"),
        (r"\b(\d\d?(?::\d\d)?)(?: o'?clock)? (?:in the (?:afternoon|evening)|de la tarde)\b", r"\1 pm"),
        (r"\b(\d{4}-\d\d-\d\d)t(\d\d:\d\d)(?::\d\d)?z?\b", r"\1 \2"),
        (r"\bquarter(?: of an)? hour\b|\bviertelstunde\b|\bcuarto de hora\b", "15 minutes"),
        (r"\bhalf an hour\b|\bhalben? stunde\b|\bmedia hora\b", "30 minutes"),
        (r"\b(?:one and a half hours|an hour and a half|hour and a half|anderthalb stunden)\b", "90 minutes"),
        (r"\b(?:a )?couple of (?=(?:minute|hour|day|week)s\b)", "2 "),
        (r"\b(?:a )?fortnight\b", "2 weeks"),
        (r"\b(?:la |el )?(semana|mes|hora|día) pasad[ao]\b", r"last \1"),
    )
)


def length(number: str | None, unit: str) -> float:
    text = (number or "1").replace(",", ".")
    count = NUMBERS[text] if text in NUMBERS else min(float(text), LARGEST)
    for ending in ("", "s", "n", "e", "en", "es"):
        if unit.removesuffix(ending) in _UNITS and (not ending or unit.endswith(ending)):
            return count * _UNITS[unit.removesuffix(ending)]
    return count


_COMPARING = re.compile(r"\b(?:compar\w+|differen\w+|vergleich\w*)\b")
_YESTERDAY_AND_TODAY = re.compile(
    r"\b(?:yesterday|gestern|ayer) (?:and|with|to|und|mit|y|con) (?:today|now|heute|jetzt|hoy|ahora)\b"
)
_PACE = re.compile(
    r"\bhow (?:fast|quickly|much)\b.*\b(?:grow\w*|increas\w+|ris\w+|shrink\w*|decreas\w+)\b"
    r"|\b(?:is|are)\b.*\b(?:growing|increasing|rising|decreasing|shrinking|falling|going (?:up|down)"
    r"|getting (?:bigger|larger|smaller|fuller|higher|lower|worse|better))\b"
    r"|\b(?:growth|wachstum|crecimiento)(?: rate)?\b|\bwie schnell wächst\b|\bwächst\b|\bsteigt\b|\bcrece\b"
)
_HOW_MUCH = re.compile(
    r"\bhow (?:much|fast|quickly) (?:did|does|has|have)\b.*"
    r"\b(?:gr[eo]w\w*|increas\w+|rise\w*|rose|shr[iau]nk\w*|decreas\w+|change\w*|fell|fallen)\b"
)
_EACH = re.compile(r"\b(?:per|a|each|every|pro|por|al) (?P<u>hour|day|week|month|stunde|tag|woche|hora|día|semana)\b")


def parse(text: str, now: float) -> Times:
    """Take the times out of a question in lower case; `rest` is what is left of it."""
    if _FUTURE.search(text) and not re.search(r"\b(full|fill|voll|space)\b", text):
        return Times(now, now, future=True, rest=text)
    for pattern, written in _WRITTEN:
        text = pattern.sub(written, text)
    if _COMPARING.search(text):
        text = _YESTERDAY_AND_TODAY.sub("today vs yesterday", text)
    for reader in (_compared, _grown, between, since, _past, clock, both, date, day, _ago, _paced):
        if (times := reader(text, now)) is not None:
            return _grown_within(times)
    return Times(now, now, rest=text)


def _compared(text: str, now: float) -> Times | None:
    found = _COMPARE.search(text)
    if not found or (found[0].startswith("since") and not _CHANGED.search(text[: found.start()])):
        return None
    is_ago = found["n"] or "days ago" in found[0]
    if is_ago and found[0].startswith("than") and _BOUNDED.search(text[: found.start()]):
        return None
    if found["point"]:
        then = points.read(found["point"], now)
        if then is None:
            return None
        back = now - then.start if then.is_time else points.midnight(now) - then.start
        if back <= 0:
            return None
    elif found["yesterday"]:
        back = 86400.0
    elif found["lastunit"]:
        back = length(None, found["lu"])
    else:
        back = length(found["n"] or found["vn"], found["u"] or found["vu"])
    rest = _NOW.sub(" ", cut(text, found))
    return Times(now, now, back=back, rest=rest)


def _grown(text: str, now: float) -> Times | None:
    found = _GROWTH.search(text)
    if not found or not found["u"]:
        return None
    back = length(found["n"], found["u"])
    rest = f"{text[: found.start('span')]} {text[found.end('span') :]}"
    return Times(now, now, back=back, rest=rest)


def _grown_within(times: Times) -> Times:
    """How much something grew within a time: the difference between its end and its start."""
    if not times.window or not _HOW_MUCH.search(times.rest):
        return times
    return replace(times, start=times.end, window=False, back=times.end - times.start)


def _paced(text: str, now: float) -> Times | None:
    """How fast something grows, where no time is named: since a day before, or since the unit that it is stated in."""
    if not _PACE.search(text):
        return None
    each = _EACH.search(text)
    back = length(None, each["u"]) if each else 86400.0
    note = "" if each else "no time was given: compared with 1 day before"
    rest = re.sub(r"\bhow (?:fast|quickly)\b|\brate\b", " ", cut(text, each) if each else text)
    return Times(now, now, back=back, rest=rest, note=note)


def _past(text: str, now: float) -> Times | None:
    if found := _SINCE_AGO.search(text):
        past = length(found["n"] or found["n2"], found["u"] or found["u2"])
        return Times(now - past, now, window=True, rest=cut(text, found))
    for pattern in (_PAST, _IN, _BARE):
        found = pattern.search(text)
        if found and pattern is _BARE and _BOUND.search(text[: found.start()]):
            continue
        if found and not re.search(r"\b(?:full|fill\w*|voll)\b.*$", text[: found.start()]):
            past = length(found["n"], found["u"])
            return Times(now - past, now, window=True, rest=cut(text, found))
    return None


def _ago(text: str, now: float) -> Times | None:
    found = _AT_AGO.search(text)
    if not found or re.search(r"\bthan\s*$", text[: found.start()]):
        return None
    moment = now - length(found["n"] or found["n2"], found["u"] or found["u2"])
    return Times(moment, moment, moment=True, rest=cut(text, found))


def show(seconds: float) -> str:
    """A length as people write it."""
    for unit, size in (("week", 604800), ("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        if seconds >= size and abs(seconds / size - round(seconds / size)) < 0.001:
            count = round(seconds / size)
            return f"{count} {unit}{'s' if count != 1 else ''}"
    return str(timedelta(seconds=round(seconds)))
