"""Times in a question: spans, days, times of day, and what is compared with. Other sentences than the questions'."""

from __future__ import annotations

import pytest

from ask import times
from ask.moments import Times
from tests.ask.seed import AT

HOUR, DAY = 3600, 86400


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("cpu in the past 90 minutes", -1.5, 0),
        ("cpu over the last two days", -48, 0),
        ("cpu yesterday afternoon", -24, -18),
        ("cpu last night", -14, -6),
        ("cpu this morning", -6, 0),
        ("cpu between 8 and 10:30", -4, -1.5),
        ("cpu yesterday between 8 and 10", -28, -26),
        ("cpu at 7:15", -4.75, -4.75),
        ("cpu at 9 pm yesterday", -15, -15),
        ("cpu 45 minutes ago", -0.75, -0.75),
        ("cpu vor 2 stunden", -2, -2),
        ("cpu hace 3 horas", -3, -3),
        ("cpu in den letzten 3 tagen", -72, 0),
        ("cpu since 9am", -3, 0),
        ("cpu since tuesday", -84, 0),
        ("cpu since yesterday", -36, 0),
        ("cpu on thursday morning", -30, -24),
        ("cpu last friday", -180, -156),
        ("cpu at the weekend", -156, -108),
        ("cpu on 2026-11-17", -84, -60),
        ("cpu vorgestern", -60, -36),
        ("cpu around noon yesterday", -24, -24),
        ("cpu at 4 o'clock this morning", -8, -8),
        ("cpu at 23:15 last night", -12.75, -12.75),
        ("cpu 6h max", -6, 0),
        ("cpu between 2 and 4 pm", -22, -20),
        ("cpu from 9am to 11am", -3, -1),
        ("cpu from 9 to 5 yesterday", -27, -19),
        ("cpu from 22:00 to 02:00", -14, -10),
        ("cpu between 10 and 2 pm yesterday", -26, -22),
        ("cpu from monday to wednesday", -108, -36),
        ("cpu since 3 hours ago", -3, 0),
        ("cpu since noon yesterday", -24, 0),
        ("cpu since monday 8:00", -100, 0),
        ("cpu since last night", -14, 0),
        ("cpu from 9 am on", -3, 0),
        ("cpu yesterday after 6pm", -18, -12),
        ("cpu before 9 am", -12, -3),
        ("cpu last tuesday at 14:00", -70, -70),
        ("cpu 2026-11-18 14:00", -46, -46),
        ("cpu yesterday 15:30", -20.5, -20.5),
        ("cpu two days ago at 5 pm", -43, -43),
        ("cpu at 3 a.m.", -9, -9),
        ("cpu at midnight", -12, -12),
        ("cpu on november 18", -60, -36),
        ("cpu on the 18th of november", -60, -36),
        ("cpu overnight", -14, -6),
        ("cpu yesterday and today", -36, 0),
        ("cpu on monday and tuesday", -108, -60),
        ("cpu from monday to now", -108, 0),
        ("cpu during the night", -14, -6),
        ("cpu gestern abend", -18, -12),
        ("cpu heute morgen", -6, 0),
        ("cpu ayer por la tarde", -24, -18),
        ("cpu desde las 8", -4, 0),
        ("cpu la semana pasada", -168, 0),
        ("cpu in the last quarter of an hour", -0.25, 0),
        ("cpu over the last couple of hours", -2, 0),
        ("cpu for an hour and a half", -1.5, 0),
        ("cpu", 0, 0),
    ],
)
def test_times(text: str, start: float, end: float) -> None:
    found = times.parse(text, AT)
    assert (found.start - AT) / HOUR == pytest.approx(start)
    assert (found.end - AT) / HOUR == pytest.approx(end)
    assert "cpu" in found.rest


@pytest.mark.parametrize("text", ["between 5 and 10 gb free", "disks from 50 to 80 %", "shop:8000", "cpu on feb 30"])
def test_what_is_no_time(text: str) -> None:
    assert times.parse(text, AT) == Times(AT, AT, rest=text)


@pytest.mark.parametrize(
    ("text", "back"),
    [
        ("memory against last month", 30 * DAY),
        ("memory today vs monday", 4 * DAY),
        ("compare memory yesterday and today", DAY),
        ("memory compared with last friday", 7 * DAY),
        ("memory compared to 3 pm yesterday", 21 * HOUR),
        ("memory today vs the same day last week", 7 * DAY),
        ("memory relative to two days ago", 2 * DAY),
        ("has memory increased in the past 6 hours", 6 * HOUR),
        ("memory im vergleich zu gestern", DAY),
        ("did memory go up since yesterday", DAY),
        ("memory now and two days ago", 2 * DAY),
        ("rebooted less than 3 days ago", 0),
    ],
)
def test_comparisons(text: str, back: float) -> None:
    assert times.parse(text, AT).back == back
