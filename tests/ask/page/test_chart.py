"""Charts: round values and times on the axes, gaps, names as text, nothing outside of the frame."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import pytest

from ask.page import chart
from tests.ask.page.backend import NASTY, answer
from tests.ask.seed import AT

DAY = 86400.0


def test_the_picture_is_whole_and_names_are_text() -> None:
    found = answer()
    text = chart.svg(found.title, found.series, found.unit, found.start, found.end)
    tree = ElementTree.fromstring(text)
    assert NASTY in tree.attrib["aria-label"]
    assert [one.text for one in tree.iter("title")] == [f"web-{number} {NASTY}" for number in range(3)]
    assert not re.search(r"<script|style=", text)


@pytest.mark.parametrize(
    ("low", "high", "unit", "expected"),
    [
        (0.1, 0.9, "percentunit", [0, 0.25, 0.5, 0.75, 1]),
        (0.0, 0.0, "", [-1, -0.5, 0, 0.5, 1]),
        (5, 5, "", [0, 2, 4, 6]),
        (97.0, 99.0, "", [97, 97.5, 98, 98.5, 99]),
        (-4.0, -1.0, "", [-4, -3, -2, -1, 0]),
    ],
)
def test_values_of_the_axis_are_round(low: float, high: float, unit: str, expected: list[float]) -> None:
    assert chart.value_ticks(low, high, unit) == pytest.approx(expected)


@pytest.mark.parametrize("unit", ["bytes", "", "s", "percentunit"])
@pytest.mark.parametrize("high", [1e-9, 0.3, 7, 999, 2.0**20, 3.3e9, 1e15, 1e300])
@pytest.mark.parametrize("low", [0.0, 0.5, -1.0])
def test_the_axis_contains_every_value_with_few_lines(unit: str, high: float, low: float) -> None:
    lowest = low * high
    ticks = chart.value_ticks(lowest, high, unit)
    assert ticks[0] <= lowest + abs(high) * 1e-6
    assert ticks[-1] >= high * (1 - 1e-6)
    assert 2 <= len(ticks) <= 7


@pytest.mark.parametrize("unit", ["", "percentunit", "bytes", "binBps", "s", "reqps"])
@pytest.mark.parametrize("span", [1e-6, 1e-4, 0.001, 0.02, 0.5, 1, 10, 1000, 1e6])
@pytest.mark.parametrize("low", [0.0, 0.5, 0.987, 1.0, 42, 99.9, 1000, 86400, 123456, 5e9, -0.5, -1e6])
def test_labels_of_values_are_all_different(unit: str, span: float, low: float) -> None:
    ticks = chart.value_ticks(low, low + span, unit)
    shown = [one for one in chart.value_labels(ticks, unit) if one]
    assert len(shown) == len(set(shown)) >= 1
    if span >= 1e-5 * abs(low):
        assert len(shown) == len(ticks), "none is left out where a few more digits are enough"


@pytest.mark.parametrize(
    ("low", "high", "unit", "expected"),
    [
        (0.9871, 0.9874, "percentunit", ["98.71 %", "98.72 %", "98.73 %", "98.74 %"]),
        (2.0**30, 2.0**30 + 2**20, "bytes", ["1023.9 MiB", "1.0004 GiB", "1.0009 GiB", "1.0014 GiB"]),
        (3600.0, 3604.0, "s", ["60 min", "60.02 min", "60.03 min", "60.05 min", "60.07 min"]),
        (10.0, 10.004, "", ["10", "10.001", "10.002", "10.003", "10.004"]),
        (0.0, 1.0, "percentunit", ["0 %", "25 %", "50 %", "75 %", "100 %"]),
    ],
)
def test_a_small_range_has_as_many_digits_as_it_needs(low: float, high: float, unit: str, expected: list[str]) -> None:
    ticks = chart.value_ticks(low, high, unit)
    assert chart.value_labels(ticks, unit) == expected


@pytest.mark.parametrize("span", [1, 60, 600, 3600, DAY / 2, DAY, 1.5 * DAY, 3 * DAY, 7 * DAY, 8 * DAY, 31 * DAY,
                                  365 * DAY, 400 * DAY, 3650 * DAY])  # fmt: skip
@pytest.mark.parametrize("end", [AT, AT - AT % DAY, AT - AT % (7 * DAY), AT - AT % DAY + DAY / 4])
def test_labels_of_times_are_all_different(span: float, end: float) -> None:
    shown = [chart.time_label(one, span) for one in chart.time_ticks(end - span, end)]
    assert len(shown) == len(set(shown))


@pytest.mark.parametrize("span", [60, 3600, 5 * 3600, DAY, 7 * DAY, 31 * DAY, 400 * DAY])
def test_times_of_the_axis_are_round_and_few(span: float) -> None:
    ticks = chart.time_ticks(AT - span, AT)
    assert 1 <= len(ticks) <= 7
    assert all(AT - span <= one <= AT for one in ticks)


def test_a_gap_interrupts_the_line() -> None:
    values = [[AT + 60 * n, 1.0] for n in range(5)] + [[AT + 60 * n, 2.0] for n in range(50, 55)]
    text = chart.svg("x", [{"name": "a", "values": values}], "", AT, AT + 3600)
    assert len(re.findall(r"M[\d.]+ ", text)) == 2


@pytest.mark.parametrize("value", [math.nan, math.inf, None])
def test_what_is_no_number_is_a_gap(value: float | None) -> None:
    values = [[AT, 1.0], [AT + 60, value], [AT + 120, 2.0]]
    text = chart.svg("x", [{"name": "a", "values": values}], "", AT, AT + 120)
    assert len(re.findall(r"M[\d.]+ ", text)) == 2
    assert not re.search("nan|inf", text)


def test_without_values_there_is_no_picture() -> None:
    assert chart.svg("x", [], "", AT, AT + 60) == ""
    assert chart.svg("x", [{"name": "a", "values": [[AT, math.nan]]}], "", AT, AT + 60) == ""
    assert chart.svg("x", [{"name": "a", "values": [[AT, 1.0]]}], "", AT, AT) == ""


def test_many_series_are_limited() -> None:
    series = [{"name": f"c{n}", "values": [[AT, 1.0], [AT + 60, n]]} for n in range(200)]
    assert chart.svg("x", series, "", AT, AT + 60).count("<path") == chart.MOST
