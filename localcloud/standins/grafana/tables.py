"""Table panels: instant results as rows, with the merge and organize transformations, units, mappings and links."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import quote

from .fields import Field, colour, field_for
from .queries import Series
from .units import moment

Cell = float | str | None
MOST_ROWS = 500
COLUMN = 150  # pixels: the least width of a column that has none


@dataclass
class Table:
    """Column names and rows; a row lacks what it has no value for."""

    columns: list[str]
    rows: list[dict[str, Cell]]


def _frames(series: list[Series]) -> list[Table]:
    refs = list(dict.fromkeys(one.ref for one in series))
    frames = []
    for ref in refs:
        mine = [one for one in series if one.ref == ref]
        labels = sorted({key for one in mine for key in one.labels if key != "__name__"})
        # As Grafana names them: only Prometheus' single value column goes without its query's letter.
        value = "Value" if len(refs) == 1 and not any(one.loki for one in mine) else f"Value #{ref}"
        rows: list[dict[str, Cell]] = []
        for one in mine:
            if one.points:
                row: dict[str, Cell] = {"Time": moment(one.points[-1][0]), **one.labels, value: one.points[-1][1]}
                rows.append(row)
        frames.append(Table(["Time", *labels, value], rows))
    return frames


def _merge(frames: list[Table]) -> Table:
    """Rows with the same shared columns become one, as Grafana's merge does."""
    columns = list(dict.fromkeys(column for frame in frames for column in frame.columns))
    shared = [c for c in columns if c != "Time" and all(c in frame.columns for frame in frames)]
    rows: dict[tuple[Cell, ...], dict[str, Cell]] = {}
    for frame in frames:
        for row in frame.rows:
            rows.setdefault(tuple(row.get(column) for column in shared), {}).update(row)
    return Table(columns, list(rows.values()))


def _organize(table: Table, options: dict[str, Any]) -> Table:
    hidden = {name for name, off in (options.get("excludeByName") or {}).items() if off}
    order = options.get("indexByName") or {}
    rename = {old: new for old, new in (options.get("renameByName") or {}).items() if new}
    kept = [column for column in table.columns if column not in hidden]
    kept.sort(key=lambda column: order.get(column, 10**6))
    rows = [{rename.get(c, c): row.get(c) for c in kept} for row in table.rows]
    return Table([rename.get(column, column) for column in kept], rows)


def build(panel: dict[str, Any], series: list[Series]) -> tuple[Table, list[str]]:
    """The table, and what about it the stand-in does not cover."""
    frames, notes = _frames(series), []
    for step in panel.get("transformations") or []:
        if step.get("id") == "merge" and frames:
            frames = [_merge(frames)]
        elif step.get("id") == "organize":
            frames = [_organize(frame, step.get("options") or {}) for frame in frames]
        elif step.get("id") not in {"merge", "organize"}:
            notes.append(f"the stand-in does not cover the transformation {step.get('id')}")
    table = frames[0] if frames else Table([], [])
    if len(frames) > 1:
        notes.append(f"showing the first of {len(frames)} results: merge them to see all")
    for rule in (panel.get("options") or {}).get("sortBy") or []:
        name = str(rule.get("displayName"))
        table.rows.sort(key=lambda row: _rank(row.get(name)), reverse=bool(rule.get("desc")))
    return table, notes


def _rank(value: Cell) -> tuple[int, float, str]:
    if isinstance(value, float):
        return (1, -math.inf if math.isnan(value) else value, "")
    return (0, 0.0, str(value or ""))


def _cell(value: Cell, row: Mapping[str, Cell], field: Field, resolve: Callable[[str], str]) -> str:
    paint = None
    if isinstance(value, float):
        text = field.text(value)
        plain = (field.custom.get("cellOptions") or {}).get("type") in {"color-text", "color-background"}
        paint = field.colour_of(value) if plain else None
    else:
        mapped = field.mapping(value) if value is not None else None
        text = str(value or "") if not mapped else str(mapped.get("text") or value)
        paint = colour(mapped["color"]) if mapped and mapped.get("color") else None
    body = escape(text)
    if links := field.settings.get("links"):
        url = link_target(str(links[0].get("url") or ""), row, value, resolve)
        body = f'<a href="{escape(url)}" title="{escape(str(links[0].get("title") or ""))}">{body}</a>'
    style = f' style="color:{paint}"' if paint else ""
    align = ' class="num"' if isinstance(value, float) else ""
    return f"<td{align}{style}>{body}</td>"


def link_target(url: str, row: Mapping[str, Cell], value: Cell, resolve: Callable[[str], str]) -> str:
    """A data link's address; only paths of this server and http(s) addresses come through."""

    def one(match: re.Match[str]) -> str:
        return quote(str(row.get(match.group(1) or match.group(2)) or ""), safe="")

    url = re.sub(r'\$\{__data\.fields(?:\.(\w+)|\["([^"\]]+)"\])\}', one, url)
    url = re.sub(r"\$\{__value\.(?:raw|text)\}", lambda _: quote(str(value), safe=""), url)
    url = resolve(url)
    return url if re.match(r"/(?!/)|https?://", url) else "#"


def _width(field: Field) -> int:
    """As Grafana: `width`, else `minWidth`, else 150 pixels; what does not fit is behind a scroll bar."""
    found = field.custom.get("width") or field.custom.get("minWidth")
    return int(found) if isinstance(found, (int, float)) else COLUMN


def draw(panel: dict[str, Any], table: Table, resolve: Callable[[str], str]) -> str:
    """The HTML table."""
    fields = {column: field_for(panel, column) for column in table.columns}
    shown = [column for column in table.columns if not fields[column].custom.get("hidden")]
    numeric = {column for column in shown if any(isinstance(row.get(column), float) for row in table.rows)}
    head = "".join(
        f'<th class="{"num" if column in numeric else ""}" style="min-width:{_width(fields[column])}px">'
        f"{escape(fields[column].display_name or column)}</th>"
        for column in shown
    )
    body = "".join(
        "<tr>" + "".join(_cell(row.get(column), row, fields[column], resolve) for column in shown) + "</tr>"
        for row in table.rows[:MOST_ROWS]
    )
    note = f"<p class=note>first {MOST_ROWS} of {len(table.rows)} rows</p>" if len(table.rows) > MOST_ROWS else ""
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{note}'
