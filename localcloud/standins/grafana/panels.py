"""One panel as HTML. Covered: timeseries, stat, gauge, bargauge, table, logs, text; others say that they are not."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

from . import charts, tables
from .annotations import Mark
from .fields import NAMED, Field, field_for, reduce
from .provisioning import Store
from .queries import Line, Result, Series, run_panel
from .timerange import TimeRange, parse_range
from .units import moment
from .variables import Variables

ROW_PX, PAGE_PX = 38, 1600
LEVELS = {"error": "red", "err": "red", "fatal": "red", "critical": "purple", "crit": "purple", "warn": "yellow"}
LEVELS |= {"warning": "yellow", "info": "green", "debug": "blue", "trace": "blue"}


@dataclass(frozen=True)
class Page:
    """What every panel of a page shares. `resolve` fills variables into titles and links."""

    store: Store
    span: TimeRange
    variables: Variables
    resolve: Callable[[str], str]
    marks: Sequence[Mark] = ()


def _size(panel: dict[str, Any]) -> tuple[int, int]:
    place = panel.get("gridPos") or {}
    return int(place.get("w", 12) / 24 * PAGE_PX) - 30, int(place.get("h", 8)) * ROW_PX - 40


def _nothing(panel: dict[str, Any]) -> str:
    """The text of a panel without a result: the dashboard's own, if it has one."""
    text = ((panel.get("fieldConfig") or {}).get("defaults") or {}).get("noValue") or "No data"
    return f'<p class="nodata">{escape(str(text))}</p>'


def _calc(panel: dict[str, Any]) -> str:
    calcs = ((panel.get("options") or {}).get("reduceOptions") or {}).get("calcs") or ["lastNotNull"]
    return str(calcs[0])


# Grafana's names of the figures that a legend is sorted by.
CALCS = {"Last *": "lastNotNull", "Max": "max", "Mean": "mean", "Min": "min"}


def _sorted(drawn: list[charts.Trace], options: dict[str, Any]) -> list[charts.Trace]:
    calc = CALCS.get(str(options.get("sortBy")))
    if not calc:
        return drawn

    def rank(trace: charts.Trace) -> float:
        value = reduce(trace.series.points, calc)
        return -math.inf if math.isnan(value) else value

    return sorted(drawn, key=rank, reverse=bool(options.get("sortDesc")))


def _legend(panel: dict[str, Any], drawn: list[charts.Trace], total: int) -> str:
    options = (panel.get("options") or {}).get("legend") or {}
    if options.get("showLegend") is False:
        return ""
    drawn = _sorted(drawn, options)
    calcs = options.get("calcs") or []
    head = "".join(f"<th>{escape(re.sub('NotNull$', '', str(calc)))}</th>" for calc in calcs)
    rows = "".join(
        f'<tr><td><i style="background:{trace.colour}"></i>{escape(trace.name)}</td>'
        + "".join(f"<td class=num>{escape(trace.field.text(reduce(trace.series.points, c)))}</td>" for c in calcs)
        + "</tr>"
        for trace in drawn
    )
    more = f'<p class="note">showing {len(drawn)} of {total} series</p>' if total > len(drawn) else ""
    place = "side" if options.get("placement") == "right" else "below"
    return f'<div class="legend {place}"><table><tr><th></th>{head}</tr>{rows}</table>{more}</div>'


def _timeseries(panel: dict[str, Any], result: Result, page: Page) -> str:
    if not any(one.points for one in result.series):
        return _nothing(panel)
    drawn = charts.traces(panel, result.series)
    legend = _legend(panel, drawn, len(result.series))
    width, height = _size(panel)
    side = 'legend side"' in legend
    if side:
        width = int(width * 0.7)
    elif legend:
        height -= min(18 * (len(drawn) + 1) + 6, int(height * 0.4))
    kind = "graph side" if side else "graph"
    picture = charts.chart(panel, drawn, page.span, width, max(height, 60), page.marks)
    return f'<div class="{kind}">{picture}{legend}</div>'


def _tiles(panel: dict[str, Any], series: list[Series], draw: Callable[[Series, Field, float, str], str]) -> str:
    parts = []
    for one in series[:40]:
        field = field_for(panel, one.name)
        value = reduce(one.points, _calc(panel))
        paint = field.fixed_colour() or field.colour_of(value) or NAMED["text"]
        parts.append(draw(one, field, value, paint))
    return f'<div class="tiles">{"".join(parts)}</div>' if parts else _nothing(panel)


def _stat(panel: dict[str, Any], result: Result, page: Page) -> str:
    options = panel.get("options") or {}
    mode, alone = options.get("textMode") or "auto", len(result.series) < 2

    def draw(one: Series, field: Field, value: float, paint: str) -> str:
        show = mode in {"name", "value_and_name"} or (mode == "auto" and not alone)
        name = f"<span>{escape(field.display_name or one.name)}</span>" if show else ""
        text = "" if mode == "name" else escape(field.text(value))
        spark = charts.sparkline(one, paint) if options.get("graphMode", "area") == "area" else ""
        return f'<div class="tile" style="color:{paint}">{name}<b>{text}</b>{spark}</div>'

    return _tiles(panel, result.series, draw)


def _share(field: Field, value: float) -> float:
    low = field.number("min") or 0.0
    high = field.number("max") or (1.0 if field.unit == "percentunit" else 100.0)
    return 0.0 if math.isnan(value) else min(max((value - low) / ((high - low) or 1), 0.0), 1.0)


def _gauge(panel: dict[str, Any], result: Result, page: Page) -> str:
    def draw(one: Series, field: Field, value: float, paint: str) -> str:
        angle = math.pi * (1 - _share(field, value))
        x, y = 60 + 48 * math.cos(angle), 58 - 48 * math.sin(angle)
        return (
            f'<div class="tile" style="color:{paint}"><svg class="gauge" viewBox="0 0 120 64">'
            '<path d="M12 58 A48 48 0 0 1 108 58" class="track"/>'
            f'<path d="M12 58 A48 48 0 0 1 {x:.1f} {y:.1f}" stroke="{paint}" class="arc"/></svg>'
            f"<b>{escape(field.text(value))}</b><span>{escape(field.display_name or one.name)}</span></div>"
        )

    return _tiles(panel, result.series, draw)


def _bargauge(panel: dict[str, Any], result: Result, page: Page) -> str:
    highest = max((reduce(one.points, _calc(panel)) for one in result.series), default=0.0)

    def draw(one: Series, field: Field, value: float, paint: str) -> str:
        bounded = field.number("max") is not None or field.unit in {"percent", "percentunit"}
        share = _share(field, value) if bounded else (value / highest if highest > 0 else 0.0)
        return (
            f'<div class="bar"><span>{escape(field.display_name or one.name)}</span><div class="track">'
            f'<div style="width:{share * 100:.1f}%;background:{paint}"></div></div>'
            f'<b style="color:{paint}">{escape(field.text(value))}</b></div>'
        )

    return _tiles(panel, result.series, draw).replace('class="tiles"', 'class="bars"')


def _table(panel: dict[str, Any], result: Result, page: Page) -> str:
    table, notes = tables.build(panel, result.series)
    result.problems += notes
    return tables.draw(panel, table, page.resolve) if table.rows else _nothing(panel)


def _line(line: Line) -> str:
    level = (line.labels.get("detected_level") or line.labels.get("level") or "").lower()
    paint = NAMED[LEVELS.get(level, "gray")]
    where = " ".join(line.labels[k] for k in ("host", "container", "job") if line.labels.get(k))
    full = escape(", ".join(f"{k}={v}" for k, v in sorted(line.labels.items())))
    return (
        f'<tr title="{full}"><td style="border-left:3px solid {paint}">{moment(line.time)}</td>'
        f"<td>{escape(where)}</td><td class=text>{escape(line.text)}</td></tr>"
    )


def _logs(panel: dict[str, Any], result: Result, page: Page) -> str:
    if not result.lines:
        return _nothing(panel)
    rows = "".join(_line(line) for line in result.lines)
    return f'<div class="scroll logs"><table>{rows}</table></div>'


def _text(panel: dict[str, Any], result: Result, page: Page) -> str:
    content = str((panel.get("options") or {}).get("content") or "")
    return f'<div class="scroll prose">{escape(page.resolve(content))}</div>'


KINDS: dict[str, Callable[[dict[str, Any], Result, Page], str]] = {
    "timeseries": _timeseries,
    "stat": _stat,
    "gauge": _gauge,
    "bargauge": _bargauge,
    "table": _table,
    "logs": _logs,
    "text": _text,
}


def render(panel: dict[str, Any], page: Page) -> str:
    """Query and draw. A failed query is shown in the panel, never swallowed."""
    kind = str(panel.get("type"))
    place = panel.get("gridPos") or {}
    x, y, w, h = (int(place.get(key, default)) for key, default in (("x", 0), ("y", 0), ("w", 12), ("h", 8)))
    spot = f"grid-column:{x + 1}/span {w};grid-row:{y + 1}/span {h}"
    title = escape(page.resolve(str(panel.get("title") or "")))
    if kind == "row":
        return f'<h2 class="row" style="{spot}">{title}</h2>'
    if kind not in KINDS:
        body = f'<p class="problem">the stand-in does not draw panels of type {escape(kind)}</p>'
        result = Result()
    else:
        if own := str(panel.get("timeFrom") or ""):
            page = replace(page, span=parse_range(f"now-{own}", "now"))
        result = run_panel(panel, page.store, page.span, page.variables, _size(panel)[0])
        body = KINDS[kind](panel, result, page)
        if result.problems and body == _nothing(panel):
            body = ""
    problems = "".join(f'<p class="problem">{escape(text)}</p>' for text in dict.fromkeys(result.problems))
    hint = escape("\n\n".join([str(panel.get("description") or ""), *result.queries]).strip())
    links = "".join(
        f'<a href="{escape(tables.link_target(str(link.get("url") or ""), {}, None, page.resolve))}">'
        f"{escape(str(link.get('title') or 'link'))}</a>"
        for link in panel.get("links") or []
    )
    back = f"<small>Last {escape(own)}</small>" if (own := str(panel.get("timeFrom") or "")) else ""
    head = f'<h3 title="{hint}">{title}{back}<small>{links}</small></h3>'
    return f'<section style="{spot}" data-panel="{escape(str(panel.get("id")))}">{head}{problems}{body}</section>'
