"""Days and times of day in a question: "yesterday afternoon", "since 9 am", "last Tuesday", "at 15:00"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ask import points
from ask.points import DAY, Point, beginning, midnight
from ask.words import cut

_NO_UNIT = (
    r"(?!\s*(?:%|percent|[kmgt]i?b\b|m?s\b|bytes|(?:milli)?sec|min|hours?\b|h\b|days?\b|weeks?\b|requests|cores"
    r"|replicas|stunden|tagen?\b|wochen|horas|días))"
)
_RANGE = re.compile(
    rf"\b(?:between|from|zwischen|von|entre(?: las?)?|desde(?: las?)?)\s+(?P<a>{points.ANY})\s+"
    rf"(?:and|to|until|till|und|bis|y|a|hasta)\s+(?P<b>{points.ANY}){_NO_UNIT}"
)
_ONWARDS = r"(?:on|onwards?|(?:to|until|till) now)\b"
_SINCE = re.compile(
    rf"\b(?:since|seit|desde(?: las?)?|starting(?: from)?|from(?=.{{2,25}}\b{_ONWARDS}))\s+"
    rf"(?P<p>{points.ANY}){_NO_UNIT}(?:\s+{_ONWARDS})?"
)
_OF_DAYS = re.compile(r"since|seit|desde")  # with a day alone or its part these are read as days
_BOTH = re.compile(rf"(?P<a>{points.A_DAY})\s+(?:and|und|y)\s+(?P<b>{points.A_DAY})")
_AFTER = re.compile(rf"\b(?:after|nach|después de las)\s+(?P<p>{points.either(points.CLEAR)})")
_UNTIL = re.compile(rf"\b(?:before|until|till|bis|vor|hasta las|antes de las)\s+(?P<p>{points.either(points.CLEAR)})")
_MOMENT = re.compile(rf"(?:\b(?:at|around|about|um|gegen|a las)\s+)?(?<![\w:./-]){points.CLEAR}")
_NIGHT = (
    r"last night|(?:during|in|over|at) (?:the )?night|overnight|letzte nacht|heute nacht|in der nacht|über nacht"
    r"|anoche|(?:durante|por) la noche"
)
_DAY = r"(?P<day>yesterday|today|gestern|heute|ayer|hoy)"
_THIS = r"(?:this|diese[nr]?|esta)"
_PART_NAMES = {
    "morning": r"morning|morgen|früh|vormittag|por la mañana|mañana",
    "afternoon": r"afternoon|nachmittag|por la tarde|tarde",
    "evening": r"evening|abend",
    "night": r"night|nacht|por la noche|noche",
}
_PART = "(?:" + "|".join(f"(?P<{name}>{written})" for name, written in _PART_NAMES.items()) + ")"
_PART_ALONE = re.compile(r"\b(?:" + "|".join(_PART_NAMES.values()) + r")\b")
_DATE = re.compile(
    r"(?P<since>\b(?:since|seit|desde)\s+)?(?:\b(?:on|am|el|of|from|the)\s+)*(?:\blast\s+|\bletzten?\s+)?"
    rf"\b(?P<named>{'|'.join(points.WEEKDAYS)}|{points.DATE}|(?:the )?day before yesterday|vorgestern|anteayer"
    rf"|(?P<weekend>weekend|wochenende))(?!\w)(?:\s+(?:in the\s+)?{_PART}\b)?"
)
_DAYS = re.compile(
    rf"(?P<since>\b(?:since|seit|desde)\s+)?(?:\b(?P<nightly>{_NIGHT})\b|\b{_DAY}(?:\s+{_PART})?\b"
    rf"|\b(?:{_THIS}|(?:the )?(?:whole|entire)|all) (?P<span>week|month|year)\b"
    rf"|\b{_THIS} {_PART.replace('(?P<', '(?P<this_')}\b)"
)
_PARTS = {"morning": (6, 12), "afternoon": (12, 18), "evening": (18, 24), "night": (22, 30)}
_COMPARING = re.compile(r"\b(?:vs\.?|versus|compared?|than|against|verglichen)\b")


@dataclass(frozen=True)
class Times:
    """What a question states about time, in seconds since 1970.

    `window`: a span is named. `moment`: one time is named. `back`: seconds before, to compare with. `note`: what
    was assumed.
    """

    start: float
    end: float
    window: bool = False
    moment: bool = False
    back: float = 0
    future: bool = False
    rest: str = ""
    note: str = ""


def between(text: str, now: float) -> Times | None:
    """Between two times of day, or two days."""
    found = _RANGE.search(text)
    if not found:
        return None
    rest = cut(text, found)
    first, last = found["a"], found["b"]
    a_day, b_day = points.FIND.search(first), points.FIND.search(last)
    day = a_day or b_day
    if day is None and (day := points.FIND.search(rest)):
        rest = _PART_ALONE.sub(" ", cut(rest, day))
    hours = [points.clock(cut(text, of) if of else text) for text, of in ((first, a_day), (last, b_day))]
    if hours == [None, None]:
        return _days(first, last, now, rest)
    if None in hours or (base := beginning(day[0], now) if day else midnight(now)) is None:
        return None
    start, end = (base + one for one in _of_one_day(first, last))
    if b_day and a_day and (to := points.read(last, now)):
        end = to.start
    elif end <= start:
        end += DAY
    if day is None and (start > now or end > midnight(now) + DAY):
        start, end = start - DAY, end - DAY
    return _later(start, now, text) or Times(start, min(end, now), window=True, rest=rest)


def _later(start: float, now: float, text: str) -> Times | None:
    return Times(now, now, future=True, rest=text) if start > now else None


def _days(first: str, last: str, now: float, rest: str) -> Times | None:
    """From a day to the end of another one."""
    start, end = points.read(first, now), points.read(last, now)
    if start is None or end is None:
        return None
    begins = start.start - (7 * DAY if start.start > end.start else 0)
    return Times(begins, min(end.end, now), window=True, rest=rest)


def _of_one_day(first: str, last: str) -> tuple[float, float]:
    """Seconds since midnight of two times: "2 and 4 pm", "9 to 5"."""
    halves = [found[0] if (found := re.search(r"[ap]m\b", one)) else "" for one in (first, last)]
    start, end = points.clock(first, halves[1]) or 0.0, points.clock(last) or 0.0
    if not halves[0] and start > end:
        start = points.clock(first) or 0.0
    if halves == ["", ""] and end <= start <= DAY / 2 and end <= DAY / 2 and not re.search(r":|uhr", first + last):
        end += DAY / 2
    return start, end


def _with_day(found: re.Match[str], text: str, now: float) -> tuple[Point | None, str]:
    """A point, of the day that is named elsewhere in the text if it names none, and the rest."""
    rest, written = cut(text, found), found["p"]
    if not points.FIND.search(written) and (day := points.FIND.search(rest)):
        rest, written = cut(rest, day), f"{day[0]} {written}"
    return points.read(written, now), rest


def both(text: str, now: float) -> Times | None:
    """A day and the next one."""
    found = _BOTH.search(text)
    if not found:
        return None
    first, second = sorted(beginning(found[name], now) or 0.0 for name in ("a", "b"))
    if second - first != DAY:
        return None
    return Times(first, min(second + DAY, now), window=True, rest=cut(text, found))


def since(text: str, now: float) -> Times | None:
    """From a time of day until now, or within a day from it or until it."""
    found = _SINCE.search(text)
    if found and (not _OF_DAYS.match(found[0]) or points.clock(points.FIND.sub(" ", found["p"])) is not None):
        point, rest = _with_day(found, text, now)
        if point is not None:
            return _later(point.start, now, text) or Times(point.start, now, window=True, rest=rest)
    for pattern in (_AFTER, _UNTIL):
        if found := pattern.search(text):
            point, rest = _with_day(found, text, now)
            if point is None or not point.is_time:
                return None
            start, end = midnight(point.start), min(midnight(point.start) + DAY, now)
            start, end = (point.start, end) if pattern is _AFTER else (start, min(point.start, now))
            return _later(start, now, text) or Times(start, end, window=True, rest=rest)
    return None


def date(text: str, now: float) -> Times | None:
    """A day by its weekday or date, the weekend, and the day before yesterday."""
    found = _DATE.search(text)
    if not found or _COMPARING.search(text[: found.start()]):
        return None
    start = beginning("saturday" if found["weekend"] else found["named"], now)
    if start is None:
        return None
    if start > now:
        return Times(now, now, future=True, rest=text)
    first, last = _part(found) or (0, 48 if found["weekend"] else 24)
    end = now if found["since"] else start + last * 3600
    return Times(start + first * 3600, min(end, now), window=True, rest=cut(text, found))


def _part(found: re.Match[str], prefix: str = "") -> tuple[int, int] | None:
    return next((hours for name, hours in _PARTS.items() if found[prefix + name]), None)


def day(text: str, now: float) -> Times | None:
    """Today, yesterday, this week or month, last night, or a part of a day."""
    found = _DAYS.search(text)
    if not found:
        return None
    today = midnight(now)
    if found["span"]:
        start, end = _beginning_of(found["span"], now), now
    elif found["nightly"]:
        start, end = today - 2 * 3600, today + 6 * 3600
    else:
        base = today - DAY if found["day"] in {"yesterday", "gestern", "ayer"} else today
        first, last = _part(found) or _part(found, "this_") or (0, 24)
        start, end = base + first * 3600, base + last * 3600
    end = now if found["since"] else min(end, now)
    return Times(start, end, window=True, rest=cut(text, found))


def _beginning_of(span: str, now: float) -> float:
    """Of the week, the month or the year."""
    today = points.moment(midnight(now))
    if span == "week":
        return midnight(now) - DAY * today.weekday()
    return today.replace(day=1, month=1 if span == "year" else today.month).timestamp()


def clock(text: str, now: float) -> Times | None:
    """At a time of day."""
    found = _MOMENT.search(text)
    if not found:
        return None
    rest, written = cut(text, found), found[0]
    if day := points.FIND.search(rest):
        rest, written = cut(rest, day), f"{day[0]} {written}"
    point = points.read(written, now)
    if point is None:
        return None
    future = point.start > now
    return Times(point.start, point.start, moment=not future, future=future, rest=rest)
