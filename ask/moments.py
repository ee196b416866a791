"""Days and times of day in a question: "yesterday afternoon", "since 9 am", "last Tuesday", "at 15:00"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone

from ask.words import cut

_HOUR = r"(?P<h>[01]?\d|2[0-3])(?::(?P<m>[0-5]\d))?\s*(?P<half>am\b|pm\b|uhr\b|o'?clock\b)?(?![\d%])"
_CLOCK = re.compile(rf"\b(?:at|around|about|um|a las)\s+{_HOUR}")
_SINCE_CLOCK = re.compile(rf"\b(?:since|seit|desde(?: las)?)\s+{_HOUR}")
_BETWEEN = re.compile(
    r"\b(?:between|from|zwischen)\s+(?P<a>[01]?\d|2[0-3])(?::(?P<am>[0-5]\d))?\s+(?:and|to|until|und|bis)\s+"
    r"(?P<b>[01]?\d|2[0-4])(?::(?P<bm>[0-5]\d))?(?: ?uhr)?\b"
)
_DAY = r"(?P<day>yesterday|today|gestern|heute|ayer|hoy)"
_PART = r"(?P<part>morning|afternoon|evening|night)"
_WEEKDAYS = {
    "monday": 0, "tuesday": 1, "wednesday": 2, "thursday": 3, "friday": 4, "saturday": 5, "sunday": 6,
    "montag": 0, "dienstag": 1, "mittwoch": 2, "donnerstag": 3, "freitag": 4, "samstag": 5, "sonntag": 6,
    "lunes": 0, "martes": 1, "miércoles": 2, "jueves": 3, "viernes": 4, "sábado": 5, "domingo": 6,
}  # fmt: skip
_DATE = re.compile(
    r"(?P<since>\b(?:since|seit|desde)\s+)?(?:\b(?:on|am|el|of|from)\s+)?(?:\blast\s+|\bletzten?\s+)?"
    rf"\b(?:(?P<weekday>{'|'.join(_WEEKDAYS)})|(?P<date>\d{{4}}-\d\d-\d\d)|(?P<before>(?:the )?day before yesterday"
    rf"|vorgestern|anteayer)|(?P<weekend>weekend))\b(?:\s+(?:in the\s+)?{_PART})?"
)
_SINCE_DAY = re.compile(r"\b(?:since|seit|desde)\s+(?:(?P<day>yesterday|gestern|ayer)|midnight|this morning)\b")
_DAYS = re.compile(
    rf"\b{_DAY}(?:\s+{_PART})?\b|\bthis (?P<span>week|month)\b|"
    rf"\blast night\b|\bthis {_PART.replace('part', 'part2')}\b"
)
_PARTS = {"morning": (6, 12), "afternoon": (12, 18), "evening": (18, 24), "night": (22, 30)}
_COMPARING = re.compile(r"\b(?:vs\.?|versus|compared?|than|against|verglichen)\b")


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


def midnight(now: float) -> float:
    """The beginning of the day of a time."""
    today = datetime.fromtimestamp(now, tz=timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    return today.timestamp()


def between(text: str, now: float) -> Times | None:
    """Between two times of a day."""
    found = _BETWEEN.search(text)
    if not found:
        return None
    base = midnight(now)
    rest = cut(text, found)
    if day := re.search(r"\b(yesterday|gestern|ayer)\b", rest):
        base -= 86400
        rest = cut(rest, day)
    start = base + int(found["a"]) * 3600 + int(found["am"] or 0) * 60
    end = base + int(found["b"]) * 3600 + int(found["bm"] or 0) * 60
    if end > now and base == midnight(now) and start > now:
        start, end = start - 86400, end - 86400
    return Times(start, min(end, now), window=True, rest=rest)


def since(text: str, now: float) -> Times | None:
    """From a time of day or a day until now."""
    found = _SINCE_DAY.search(text)
    if found:
        start = midnight(now) - (86400 if found["day"] else -6 * 3600 if "morning" in found[0] else 0)
        return Times(min(start, now), now, window=True, rest=cut(text, found))
    found = _SINCE_CLOCK.search(text)
    if not found or not (found["m"] or found["half"]):
        return None
    start, rest = _moment(found, cut(text, found), now)
    return None if start > now else Times(start, now, window=True, rest=rest)


def date(text: str, now: float) -> Times | None:
    """A day by its weekday or date, the weekend, and the day before yesterday."""
    found = _DATE.search(text)
    if not found or re.search(r"\bat \d", text) or _COMPARING.search(text[: found.start()]):
        return None
    today, days = midnight(now), 1
    weekday = datetime.fromtimestamp(today, tz=timezone.utc).weekday()
    if found["date"]:
        try:
            start = datetime.fromisoformat(found["date"]).replace(tzinfo=timezone.utc).timestamp()
        except ValueError:
            return None
    elif found["before"]:
        start = today - 2 * 86400
    else:
        wanted = _WEEKDAYS[found["weekday"]] if found["weekday"] else 5
        days = 1 if found["weekday"] else 2
        start = today - ((weekday - wanted) % 7 or 7) * 86400
    if start > now:
        return Times(now, now, future=True, rest=text)
    first, last = _PARTS[found["part"]] if found["part"] else (0, 24 * days)
    end = now if found["since"] else start + last * 3600
    return Times(start + first * 3600, min(end, now), window=True, rest=cut(text, found))


def day(text: str, now: float) -> Times | None:
    """Today, yesterday, this week or month, last night, or a part of a day."""
    found = _DAYS.search(text)
    if not found or re.search(r"\bat \d", text):
        return None
    today = midnight(now)
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
    return Times(start, min(end, now), window=True, rest=cut(text, found))


def clock(text: str, now: float) -> Times | None:
    """At a time of day."""
    found = _CLOCK.search(text)
    if not found or not (found["m"] or found["half"]):
        return None
    moment, rest = _moment(found, cut(text, found), now)
    return Times(moment, moment, moment=moment <= now, future=moment > now, rest=rest)


def _moment(found: re.Match[str], rest: str, now: float) -> tuple[float, str]:
    """A time of day, of the day that the rest names, else the last one; and what is left of the rest."""
    hour = int(found["h"]) % 12 + 12 if found["half"] == "pm" else int(found["h"])
    moment = midnight(now) + hour * 3600 + int(found["m"] or 0) * 60
    day = re.search(r"\b(yesterday|gestern|ayer|today|heute|hoy|last night|this (?:morning|afternoon|evening))\b", rest)
    if day is None:
        return moment - (86400 if moment > now else 0), rest
    before = day[0] in {"yesterday", "gestern", "ayer"} or (day[0] == "last night" and hour >= 12)
    return moment - (86400 if before else 0), cut(rest, day)
