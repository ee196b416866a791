"""Times in a question: windows, moments, days, and what it is compared with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

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
_BARE = re.compile(r"(?<![\w.-])(?P<n>\d+)(?P<u>m|h|d)\s*$")
_IN = re.compile(rf"\b(?:in|within|for|over)\s+{_AGO}\b(?! ago)")
_AT_AGO = re.compile(rf"\b{_AGO}\s+(?:ago|earlier|before)\b|\b(?:vor|hace)\s+(?P<n2>{_NUMBER}) ?(?P<u2>{_UNIT})\b")
_CLOCK = re.compile(r"\b(?:at|um|a las)\s+(?P<h>[01]?\d|2[0-3])(?::(?P<m>[0-5]\d))?\s*(?P<half>am|pm|uhr)?(?![\d%])")
_BETWEEN = re.compile(
    r"\b(?:between|from|zwischen)\s+(?P<a>[01]?\d|2[0-3])(?::(?P<am>[0-5]\d))?\s+(?:and|to|until|und|bis)\s+"
    r"(?P<b>[01]?\d|2[0-4])(?::(?P<bm>[0-5]\d))?(?: ?uhr)?\b"
)
_DAY = r"(?P<day>yesterday|today|gestern|heute|ayer|hoy)"
_PART = r"(?P<part>morning|afternoon|evening|night)"
_DAYS = re.compile(
    rf"\b{_DAY}(?:\s+{_PART})?\b|\bthis (?P<span>week|month)\b|"
    rf"\blast night\b|\bthis {_PART.replace('part', 'part2')}\b"
)
_PARTS = {"morning": (6, 12), "afternoon": (12, 18), "evening": (18, 24), "night": (22, 30)}
_FUTURE = re.compile(
    r"\b(tomorrow|next (?:hour|day|week|month|year)|morgen|nächste\w*|mañana|"
    r"in the next \d*|(?:in|within) the (?:coming|next))\b"
)
_BEFORE = r"(?:the\s+)?(?:same\s+(?:time|hour|moment)\s+)?(?:of\s+|on\s+)?"
_THEN = (
    rf"(?:(?P<yesterday>yesterday|gestern|ayer)|(?P<lastunit>last|the previous|letzte[rn]?)\s+(?P<lu>week|day|hour"
    rf"|month|woche|stunde)|(?:la semana pasada(?P<es>))|{_AGO}\s+(?:ago|earlier|before)|vor\s+(?P<vn>{_NUMBER})\s+"
    rf"(?P<vu>{_UNIT})\b)"
)
_COMPARE = re.compile(
    rf"\b(?:compared?\s+(?:to|with|against)|in comparison (?:to|with)|versus|vs\.?|against|relative to|than|"
    rf"difference (?:to|from|since)|verglichen mit|im vergleich (?:zu|zur|mit)|comparado con|to(?=\s+last)|since)\s+"
    rf"{_BEFORE}(?:it was\s+|at\s+)?{_THEN}"
)
_GROWTH = re.compile(
    rf"\b(?:change[ds]?|gr[eo]wn?|grow|growth|increased?|difference|shrunk|shrank)\b.*?"
    rf"(?P<span>(?:in|over|within|during|since)\s+(?:the\s+)?(?:last\s+|past\s+)?{SPAN})"
)
_NOW = re.compile(r"\b(?:right now|now|today|heute|hoy|currently|jetzt|ahora)\b")


@dataclass(frozen=True)
class Times:
    """What a question states about time, in seconds since 1970.

    `window`: a span is named. `moment`: one time is named. `back`: seconds before, to compare with.
    """

    start: float
    end: float
    window: bool = False
    moment: bool = False
    back: float = 0
    future: bool = False
    rest: str = ""


LARGEST = 1e9  # of a count of units: beyond every limit, and still a time


def length(number: str | None, unit: str) -> float:
    text = (number or "1").replace(",", ".")
    count = NUMBERS[text] if text in NUMBERS else min(float(text), LARGEST)
    for ending in ("", "s", "n", "e", "en", "es"):
        if unit.removesuffix(ending) in _UNITS and (not ending or unit.endswith(ending)):
            return count * _UNITS[unit.removesuffix(ending)]
    return count


def _midnight(now: float) -> float:
    today = datetime.fromtimestamp(now, tz=timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    return today.timestamp()


def parse(text: str, now: float) -> Times:
    """Take the times out of a question in lower case; `rest` is what is left of it."""
    if _FUTURE.search(text) and not re.search(r"\b(full|fill|voll|space)\b", text):
        return Times(now, now, future=True, rest=text)
    for reader in (_compared, _grown, _between, _past, _day, _ago, _clock):
        if (times := reader(text, now)) is not None:
            return times
    return Times(now, now, rest=text)


def _cut(text: str, found: re.Match[str]) -> str:
    return f"{text[: found.start()]} {text[found.end() :]}"


def _compared(text: str, now: float) -> Times | None:
    found = _COMPARE.search(text)
    if not found:
        return None
    if found["yesterday"]:
        back = 86400.0
    elif found["lastunit"]:
        back = length(None, found["lu"])
    elif found["es"] is not None:
        back = 604800.0
    else:
        back = length(found["n"] or found["vn"], found["u"] or found["vu"])
    rest = _NOW.sub(" ", _cut(text, found))
    return Times(now, now, back=back, rest=rest)


def _grown(text: str, now: float) -> Times | None:
    found = _GROWTH.search(text)
    if not found or not found["u"]:
        return None
    back = length(found["n"], found["u"])
    rest = f"{text[: found.start('span')]} {text[found.end('span') :]}"
    return Times(now, now, back=back, rest=rest)


def _between(text: str, now: float) -> Times | None:
    found = _BETWEEN.search(text)
    if not found:
        return None
    base = _midnight(now)
    rest = _cut(text, found)
    if day := re.search(r"\b(yesterday|gestern|ayer)\b", rest):
        base -= 86400
        rest = _cut(rest, day)
    start = base + int(found["a"]) * 3600 + int(found["am"] or 0) * 60
    end = base + int(found["b"]) * 3600 + int(found["bm"] or 0) * 60
    if end > now and base == _midnight(now) and start > now:
        start, end = start - 86400, end - 86400
    return Times(start, min(end, now), window=True, rest=rest)


def _past(text: str, now: float) -> Times | None:
    for pattern in (_PAST, _IN, _BARE):
        found = pattern.search(text)
        if found and not re.search(r"\b(?:full|fill\w*|voll)\b.*$", text[: found.start()]):
            past = length(found["n"], found["u"])
            return Times(now - past, now, window=True, rest=_cut(text, found))
    return None


def _day(text: str, now: float) -> Times | None:
    found = _DAYS.search(text)
    if not found or re.search(r"\bat \d", text):
        return None
    today = _midnight(now)
    part = found["part"] or found["part2"]
    if found["span"]:
        day = datetime.fromtimestamp(today, tz=timezone.utc)
        start, end = today - 86400 * (day.weekday() if found["span"] == "week" else day.day - 1), now
    elif found[0] == "last night":
        start, end = today - 2 * 3600, today + 6 * 3600
    else:
        base = today - 86400 if found["day"] in {"yesterday", "gestern", "ayer"} else today
        first, last = _PARTS[part] if part else (0, 24)
        start, end = base + first * 3600, base + last * 3600
    return Times(start, min(end, now), window=True, rest=_cut(text, found))


def _ago(text: str, now: float) -> Times | None:
    found = _AT_AGO.search(text)
    if not found:
        return None
    moment = now - length(found["n"] or found["n2"], found["u"] or found["u2"])
    return Times(moment, moment, moment=True, rest=_cut(text, found))


def _clock(text: str, now: float) -> Times | None:
    found = _CLOCK.search(text)
    if not found or not (found["m"] or found["half"]):
        return None
    hour = int(found["h"]) % 12 + 12 if found["half"] == "pm" else int(found["h"])
    rest = _cut(text, found)
    moment = _midnight(now) + hour * 3600 + int(found["m"] or 0) * 60
    if day := re.search(r"\b(yesterday|gestern|ayer|today|heute|hoy)\b", rest):
        moment -= 86400 if day[0] in {"yesterday", "gestern", "ayer"} else 0
        rest = _cut(rest, day)
    elif moment > now:
        moment -= 86400
    if moment > now:
        return Times(moment, moment, future=True, rest=rest)
    return Times(moment, moment, moment=True, rest=rest)


def show(seconds: float) -> str:
    """A length as people write it."""
    for unit, size in (("week", 604800), ("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        if seconds >= size and abs(seconds / size - round(seconds / size)) < 0.001:
            count = round(seconds / size)
            return f"{count} {unit}{'s' if count != 1 else ''}"
    return str(timedelta(seconds=round(seconds)))
