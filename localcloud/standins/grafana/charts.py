"""Time series as inline SVG: lines, areas, bars, stacks, axes with the panel's unit. No script, no outside file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from html import escape
from typing import Any

from .annotations import Mark
from .fields import PALETTE, Field, colour, field_for
from .queries import Series
from .timerange import NICE, TimeRange

MOST_SERIES = 60
LEFT, RIGHT, TOP, BOTTOM = 64, 10, 8, 20


@dataclass
class Trace:
    """A series as drawn."""

    series: Series
    field: Field
    name: str
    colour: str
    base: list[float]
    top: list[float]


@dataclass(frozen=True)
class Frame:
    """Where values land in the picture."""

    span: TimeRange
    low: float
    high: float
    width: int
    height: int

    def x(self, when: float) -> float:
        return LEFT + (when - self.span.start) / self.span.seconds * (self.width - LEFT - RIGHT)

    def y(self, value: float) -> float:
        share = (value - self.low) / ((self.high - self.low) or 1)
        return self.height - BOTTOM - share * (self.height - TOP - BOTTOM)


def traces(panel: dict[str, Any], series: list[Series]) -> list[Trace]:
    """Colours, names and, where the panel stacks, the ground each series stands on."""
    done: list[Trace] = []
    ground: dict[float, float] = {}
    for number, one in enumerate(series[:MOST_SERIES]):
        field = field_for(panel, one.name)
        paint = field.fixed_colour() or PALETTE[number % len(PALETTE)]
        values = [value for _, value in one.points]
        base = [0.0] * len(values)
        if (field.custom.get("stacking") or {}).get("mode") in {"normal", "percent"}:
            base = [ground.get(when, 0.0) for when, _ in one.points]
            values = [b + (0.0 if math.isnan(v) else v) for b, v in zip(base, values, strict=True)]
            ground |= {when: value for (when, _), value in zip(one.points, values, strict=True)}
        done.append(Trace(one, field, field.display_name or one.name, paint, base, values))
    return done


def _limits(drawn: list[Trace], defaults: Field) -> tuple[float, float]:
    values = [v for t in drawn for v in t.top if math.isfinite(v)] or [0.0, 1.0]
    low, high = defaults.number("min"), defaults.number("max")
    least = min(values) if low is None else low
    soft = defaults.custom.get("axisSoftMax")
    bound = high if high is not None else float(soft) if isinstance(soft, (int, float)) else max(values)
    most = max(bound, max(values))
    if any(t.field.custom.get("fillOpacity") or t.field.custom.get("drawStyle") == "bars" for t in drawn):
        least = min(least, 0.0) if low is None else low
    if most - least < 1e-12:
        pad = abs(most) * 0.1 or 1.0
        least, most = (least if low is not None else 0.0 if most > 0 else least - pad), most + pad
    return least, most + (0 if high is not None and most == high else (most - least) * 0.06)


def _ticks(low: float, high: float, binary: bool) -> list[float]:
    rough = (high - low) / 4
    root = 2 if binary else 10
    power = root ** math.floor(math.log(rough, root))
    step = next((power * m for m in ((1, 2) if binary else (1, 2, 2.5, 5, 10)) if power * m >= rough), power * root)
    first = math.ceil(low / step) * step
    return [first + n * step for n in range(12) if first + n * step <= high + step * 1e-9]


def _axes(frame: Frame, field: Field) -> list[str]:
    out = []
    for value in _ticks(frame.low, frame.high, field.unit in {"bytes", "binBps"}):
        y = frame.y(value)
        out.append(f'<line class="rule" x1="{LEFT}" x2="{frame.width - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        label = escape(field.text(value))
        out.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    wanted = frame.span.seconds / max(frame.width / 110, 1)
    step = next((nice for nice in NICE if nice >= wanted), int(wanted // 86400 + 1) * 86400)
    form = "%H:%M:%S" if step < 60 else "%H:%M" if frame.span.seconds <= 86400 else "%m-%d %H:%M"
    when = math.ceil(frame.span.start / step) * step
    while when < frame.span.end:
        x, text = frame.x(when), datetime.fromtimestamp(when, tz=timezone.utc).strftime(form)
        out.append(f'<line class="rule" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{frame.height - BOTTOM}"/>')
        out.append(f'<text x="{x:.1f}" y="{frame.height - 5}" text-anchor="middle">{text}</text>')
        when += step
    return out


def _runs(trace: Trace) -> list[list[tuple[float, float, float]]]:
    """Stretches without a gap: a missing step stays visible as a hole."""
    runs: list[list[tuple[float, float, float]]] = []
    last = -math.inf
    for (when, value), base, top in zip(trace.series.points, trace.base, trace.top, strict=True):
        if not math.isfinite(top) or math.isnan(value):
            last = -math.inf
            continue
        if not runs or when - last > trace.series.step * 1.5:
            runs.append([])
        runs[-1].append((when, base, top))
        last = when
    return runs


def _draw(trace: Trace, frame: Frame) -> list[str]:
    out, paint, custom = [], trace.colour, trace.field.custom
    name = f"<title>{escape(trace.name)}</title>"
    opacity = min(float(custom.get("fillOpacity") or 0), 100) / 100
    for run in _runs(trace):
        if custom.get("drawStyle") == "bars":
            wide = max(trace.series.step / frame.span.seconds * (frame.width - LEFT - RIGHT) * 0.8, 1.5)
            for when, base, top in run:
                y, tall = frame.y(top), max(frame.y(base) - frame.y(top), 0)
                x = frame.x(when) - wide / 2
                box = f'x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{tall:.1f}"'
                out.append(f'<rect {box} fill="{paint}">{name}</rect>')
            continue
        line = " ".join(f"{frame.x(when):.1f},{frame.y(top):.1f}" for when, _, top in run)
        if len(run) == 1:
            when, _, top = run[0]
            out.append(f'<circle cx="{frame.x(when):.1f}" cy="{frame.y(top):.1f}" r="2" fill="{paint}">{name}</circle>')
            continue
        if opacity:
            ground = [(when, max(base, frame.low)) for when, base, _ in reversed(run)]
            back = " ".join(f"{frame.x(when):.1f},{frame.y(base):.1f}" for when, base in ground)
            out.append(f'<polygon points="{line} {back}" fill="{paint}" fill-opacity="{opacity:.2f}"/>')
        out.append(f'<polyline points="{line}" stroke="{paint}" class="line">{name}</polyline>')
    return out


def _marks(marks: Sequence[Mark], frame: Frame) -> list[str]:
    out = []
    for mark in marks:
        if frame.span.start <= mark.time <= frame.span.end:
            x, paint = frame.x(mark.time), colour(mark.colour)
            ends = f'x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{frame.height - BOTTOM}"'
            dashes = 'stroke-dasharray="4 3" stroke-width="1.5"'
            out.append(f'<line class="mark" {ends} stroke="{paint}" {dashes}><title>{escape(mark.text)}</title></line>')
    return out


def chart(
    panel: dict[str, Any],
    drawn: list[Trace],
    span: TimeRange,
    width: int,
    height: int,
    marks: Sequence[Mark] = (),
) -> str:
    """The whole picture."""
    defaults = drawn[0].field if drawn else field_for(panel, "")
    low, high = _limits(drawn, defaults)
    frame = Frame(span, low, high, width, height)
    parts = _axes(frame, defaults)
    for trace in drawn:
        parts += _draw(trace, frame)
    parts += _marks(marks, frame)
    box = f'viewBox="0 0 {width} {height}" preserveAspectRatio="none"'
    return f'<svg class="chart" role="img" {box}>' + "".join(parts) + "</svg>"


def sparkline(series: Series, paint: str) -> str:
    """A small line without axes, for stats."""
    points = [(w, v) for w, v in series.points if math.isfinite(v)]
    if len(points) < 2:
        return ""
    first, last = points[0][0], points[-1][0]
    low, high = min(v for _, v in points), max(v for _, v in points)
    spread = (high - low) or 1.0
    line = " ".join(f"{(w - first) / (last - first) * 200:.1f},{38 - (v - low) / spread * 34:.1f}" for w, v in points)
    return (
        '<svg class="spark" viewBox="0 0 200 40" preserveAspectRatio="none" aria-hidden="true">'
        f'<polygon points="{line} 200,40 0,40" fill="{paint}" fill-opacity="0.15"/>'
        f'<polyline points="{line}" stroke="{paint}" class="line"/></svg>'
    )
