"""A chart of a range result as SVG, without a script: lines with gaps, axes with units, a legend.

Colours are classes of the style sheet, so that the chart follows the page's dark and light appearance and needs no
inline style.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from markupsafe import Markup

from ask import units

WIDTH, HEIGHT = 720, 260
LEFT, RIGHT, TOP, BOTTOM = 84, 24, 12, 28
COLOURS = 8  # classes s0 to s7
MOST = 20  # series that are drawn
DIGITS = range(3, 8)  # significant digits of a label: the fewest that tell all apart
MOST_SHOWN, LEAST_SHOWN = 1e100, 1e-100
GAP = 2.5  # steps without a sample that interrupt a line
_STEPS = (60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000, 7776000)

Point = tuple[float, float]


@dataclass(frozen=True)
class Scale:
    """From times and values to coordinates."""

    start: float
    end: float
    low: float
    high: float

    def x(self, at: float) -> float:
        """The horizontal position of a time."""
        return LEFT + (at - self.start) / (self.end - self.start) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """The vertical position of a value."""
        return HEIGHT - BOTTOM - (value - self.low) / (self.high - self.low) * (HEIGHT - TOP - BOTTOM)


def svg(title: str, series: Sequence[Mapping[str, Any]], unit: str, start: float, end: float) -> Markup:
    """The chart; empty if there is nothing to draw."""
    drawn = [(str(one["name"]), _points(one["values"])) for one in series[:MOST]]
    values = [value for _, points in drawn for _, value in points if math.isfinite(value)]
    if not values or end <= start:
        return Markup("")
    ticks = value_ticks(min(values), max(values), unit)
    scale = Scale(start, end, ticks[0], ticks[-1])
    parts = [_axes(scale, ticks, unit)]
    parts += [_line(number, name, points, scale) for number, (name, points) in enumerate(drawn)]
    label = f"{title}: {len(drawn)} {'line' if len(drawn) == 1 else 'lines'} from {_when(start)} to {_when(end)} UTC"
    box = f"0 0 {WIDTH} {HEIGHT}"
    return Markup('<svg class="chart" viewBox="{}" role="img" aria-label="{}">{}</svg>').format(
        box, label, Markup("").join(parts)
    )


def legend(series: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """The class and the name of each line that is drawn."""
    return [(f"s{number % COLOURS}", str(one["name"]) or "value") for number, one in enumerate(series[:MOST])]


def value_ticks(low: float, high: float, unit: str) -> list[float]:
    """About five round values that contain all others; from zero if the values are not far from it."""
    low = 0.0 if 0 <= low < high * 0.75 or low == high > 0 else low
    high = 0.0 if low < 0 and 0 >= high > low * 0.75 else high
    if high == low:
        low, high = low - 1, high + 1
    base = 1024.0 if unit.startswith(("bytes", "binBps")) else 10.0
    raw = (high - low) / 4
    size = base ** math.floor(math.log(raw, base))
    step = next(size * one for one in (1, 2, 2.5, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1024) if size * one >= raw)
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def value_labels(ticks: Sequence[float], unit: str) -> list[str]:
    """A label for each tick, all different: with more digits in a small range. A label that is still the same as
    another one is empty."""
    for digits in DIGITS:
        labels = [units.show(one, unit, digits=digits) for one in ticks]
        if len(set(labels)) == len(labels):
            return labels
    return [one if one not in labels[:at] else "" for at, one in enumerate(labels)]


def time_ticks(start: float, end: float) -> list[float]:
    """At most six round times."""
    step = next((one for one in _STEPS if (end - start) / one <= 6), (end - start) / 6)
    first = math.ceil(start / step)
    return [number * step for number in range(first, math.floor(end / step) + 1)]


def _points(values: Iterable[tuple[float, float | None]]) -> list[Point]:
    """Values that no scale can hold are gaps, as those that are no numbers; the smallest are zero."""
    found = [(float(at), math.nan if value is None else float(value)) for at, value in values]
    return [
        (at, math.nan if abs(value) > MOST_SHOWN else 0.0 if abs(value) < LEAST_SHOWN else value) for at, value in found
    ]


def _axes(scale: Scale, ticks: list[float], unit: str) -> Markup:
    parts = []
    for value, label in zip(ticks, value_labels(ticks, unit), strict=True):
        y = f"{scale.y(value):.1f}"
        line = Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(LEFT, WIDTH - RIGHT, y, y)
        text = Markup('<text class="value" x="{}" y="{}">{}</text>').format(LEFT - 8, y, label)
        parts += [line, text] if label else [line]
    for at in time_ticks(scale.start, scale.end):
        text = Markup('<text class="time" x="{:.1f}" y="{}">{}</text>').format(
            scale.x(at), HEIGHT - 8, time_label(at, scale.end - scale.start)
        )
        parts.append(text)
    return Markup("").join(parts)


def _line(number: int, name: str, points: list[Point], scale: Scale) -> Markup:
    """One path with a move at each gap."""
    steps = [later[0] - earlier[0] for earlier, later in zip(points, points[1:], strict=False)]
    longest = min(steps, default=0.0) * GAP
    path: list[str] = []
    before: float | None = None
    for at, value in points:
        if not math.isfinite(value):
            before = None
            continue
        move = before is None or at - before > longest
        path.append(f"{'M' if move else 'L'}{scale.x(at):.1f} {scale.y(value):.1f}")
        path += ["h0.1"] if move else []
        before = at
    shape = Markup('<path class="line s{}" d="{}"><title>{}</title></path>')
    return shape.format(number % COLOURS, " ".join(path), name)


def time_label(at: float, span: float) -> str:
    """A time of the axis, so that no two within the span look the same."""
    when = datetime.fromtimestamp(at, timezone.utc)
    if span < 86400:
        return f"{when:%H:%M}"
    if span < 7 * 86400:
        return f"{when:%a %H:%M}"
    return f"{when:%b %d}" if span < 365 * 86400 else f"{when:%b %Y}"


def _when(at: float) -> str:
    return f"{datetime.fromtimestamp(at, timezone.utc):%Y-%m-%d %H:%M}"
