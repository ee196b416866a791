"""A point in time as people write it: a day, a time of day, or both in either order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone

from ask.words import cut

DAY = 86400.0
WEEKDAYS = {
    "monday": 0, "tuesday": 1, "wednesday": 2, "thursday": 3, "friday": 4, "saturday": 5, "sunday": 6,
    "montag": 0, "dienstag": 1, "mittwoch": 2, "donnerstag": 3, "freitag": 4, "samstag": 5, "sonntag": 6,
    "lunes": 0, "martes": 1, "miércoles": 2, "jueves": 3, "viernes": 4, "sábado": 5, "domingo": 6,
}  # fmt: skip
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar enero", "february feb februar febrero", "march mar märz marzo", "april apr abril",
            "may mai mayo", "june jun juni junio", "july jul juli julio", "august aug agosto",
            "september sept sep septiembre", "october oct oktober octubre", "november nov noviembre",
            "december dec dezember diciembre",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_NUMBER = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th|\.)?"
ISO = r"\d{4}-\d\d-\d\d"
DATE = (
    rf"(?:{ISO}\b|{_NUMBER} (?:of |de )?(?:{_MONTH})\b(?: \d{{4}}\b)?"
    rf"|(?:{_MONTH}) {_NUMBER}(?![\d:])(?! ?[ap]m\b)(?:,? \d{{4}}\b)?)"
)
_NIGHTS = r"last night|this (?:morning|afternoon|evening)|esta (?:mañana|tarde)"
A_DAY = (
    r"(?:(?:on|last|the|am|el|of|letzten?|vom|del?)\s+)*"
    rf"\b(?:day before yesterday|vorgestern|anteayer|yesterday|today|gestern|heute|ayer|hoy|{_NIGHTS}"
    rf"|(?:{'|'.join(WEEKDAYS)})\b|{DATE}|(?:\d+|two|three|four|five|six) days ago)"
)
_CUE = r"(?:at|around|about|um|gegen|a las|las)"
_CLOCK = r"(?:2[0-4]|[01]?\d)(?::[0-5]\d)?(?:\s*(?:am|pm|uhr|o'?clock)\b)?(?![\d:%])"
CLEAR = r"(?:(?:2[0-4]|[01]?\d):[0-5]\d(?:\s*(?:am|pm|uhr)\b)?|(?:2[0-4]|[01]?\d)\s*(?:am|pm|uhr|o'?clock)\b)(?![\d:])"


def either(clock: str) -> str:
    """The pattern of a point with such a time of day, or of a day alone."""
    return (
        rf"(?:{A_DAY}(?:\s+{_CUE})?,?\s+{clock}|(?:{_CUE}\s+)?{clock}(?:,?\s+{A_DAY})?"
        rf"|{A_DAY}(?!\s+(?:morning|afternoon|evening|night)))"
    )


ANY = either(_CLOCK)
_TIME = re.compile(r"(?<![\d-])(?P<h>2[0-4]|[01]?\d)(?::(?P<m>[0-5]\d))?\s*(?P<half>am\b|pm\b)?")
FIND = re.compile(A_DAY)
_COUNTS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6}


@dataclass(frozen=True)
class Point:
    """Equal `start` and `end` are a time of day, else it is a whole day. `day`: one is named."""

    start: float
    end: float
    day: bool

    @property
    def is_time(self) -> bool:
        return self.start == self.end


def moment(now: float) -> datetime:
    """A time in UTC."""
    return datetime.fromtimestamp(now, tz=timezone.utc)


def midnight(now: float) -> float:
    """The beginning of the day of a time."""
    return moment(now).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


def beginning(day: str, now: float) -> float | None:
    """The beginning of a day that is named; None if there is no such day."""
    today = midnight(now)
    if re.search(r"before yesterday|vorgestern|anteayer", day):
        return today - 2 * DAY
    if re.search(r"yesterday|gestern|ayer", day):
        return today - DAY
    if ago := re.search(r"(\w+) days ago", day):
        return today - min(_COUNTS.get(ago[1]) or int(ago[1]), 100_000) * DAY
    for name, number in WEEKDAYS.items():
        if re.search(rf"\b{name}\b", day):
            return today - ((moment(today).weekday() - number) % 7 or 7) * DAY
    return _date(day, now) if re.search(DATE, day) else today


def _date(day: str, now: float) -> float | None:
    """A date without its year is the last one."""
    try:
        if iso := re.search(ISO, day):
            return datetime.fromisoformat(iso[0]).replace(tzinfo=timezone.utc).timestamp()
        month = next(number for word in re.findall(r"[^\W\d]+", day) if (number := _MONTHS.get(word)))
        year = re.search(r"\d{4}", day)
        of_month = re.search(r"(?<!\d)\d\d?(?!\d)", day)
        this = moment(now).year
        first = datetime(
            int(year[0]) if year else this, month, int(of_month[0]) if of_month else 1, tzinfo=timezone.utc
        )
        return (first if year or first.timestamp() <= now else first.replace(year=this - 1)).timestamp()
    except (ValueError, StopIteration):
        return None


def clock(text: str, half: str = "") -> float | None:
    """Seconds since midnight of the time of day in a text. `half`: am or pm, where the text has neither."""
    found = _TIME.search(text)
    if not found:
        return None
    hour, half = int(found["h"]), found["half"] or half
    if half and hour <= 12:
        hour = hour % 12 + (12 if half == "pm" else 0)
    return hour * 3600.0 + int(found["m"] or 0) * 60


def read(text: str, now: float, half: str = "") -> Point | None:
    """The point that a text is; None if there is no such day. Without a day it is the last such time."""
    found = FIND.search(text)
    first = beginning(found[0], now) if found else midnight(now)
    if first is None:
        return None
    seconds = clock(cut(text, found) if found else text, half)
    if seconds is None:
        return Point(first, first + DAY, True) if found else None
    at = first + seconds
    if (found and "last night" in found[0] and seconds >= DAY / 2) or (not found and at > now):
        at -= DAY
    return Point(at, at, found is not None)
