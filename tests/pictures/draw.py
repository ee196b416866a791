"""Draws one dashboard's data (JSON on stdin) into a PNG. Runs by itself in a virtualenv that has matplotlib."""

from __future__ import annotations

import json
import math
import sys
from datetime import datetime, timezone
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.dates as dates
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator
from PIL import Image

WIDTH, ROW, DPI, COLUMNS = 16.0, 0.34, 75, 24
MOST_SERIES, MOST_ROWS, MOST_TEXT = 12, 14, 150
GREY, TEXT = "#d8d8d8", "#30343a"
COLOURS = {
    "dark-red": "#a11",
    "red": "#d33",
    "yellow": "#d9a400",
    "green": "#3a3",
    "blue": "#36c",
    "light-blue": "#6ae",
}
TIMES = ((31536000, "years"), (604800, "weeks"), (86400, "days"), (3600, "h"), (60, "min"), (1, "s"))


def _scaled(value: float, base: int, names: tuple[str, ...]) -> str:
    power = 0
    while abs(value) >= base and power < len(names) - 1:
        value, power = value / base, power + 1
    return f"{value:.3g} {names[power]}".strip()


def text_of(value: float, unit: str) -> str:
    """A value as people read it; the units are Grafana's names."""
    if math.isnan(value) or math.isinf(value):
        return "-"
    if unit == "percentunit":
        return f"{value * 100:.3g} %"
    if unit in {"bytes", "binBps"}:
        return _scaled(value, 1024, ("B", "KiB", "MiB", "GiB", "TiB")) + ("/s" if unit == "binBps" else "")
    if unit == "s":
        for seconds, name in TIMES:
            if abs(value) >= seconds:
                return f"{value / seconds:.3g} {name}"
        return f"{value * 1000:.3g} ms"
    ends = {"ops": "/s", "reqps": "/s"}
    end = " " + unit.removeprefix("suffix:") if unit.startswith("suffix:") else ends.get(unit, "")
    return _scaled(value, 1000, ("", "k", "M", "G")) + end


def _when(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=timezone.utc)


def _graph(axes: Axes, panel: dict[str, Any], board: dict[str, Any]) -> None:
    series = [one for one in panel["series"] if one["points"]]
    series.sort(key=lambda one: -max((v for _, v in one["points"] if not math.isnan(v)), default=0))
    ground: dict[float, float] = {}
    for one in series:
        at = [_when(when) for when, _ in one["points"]]
        values = [0.0 if math.isnan(value) and panel["stack"] else value for _, value in one["points"]]
        colour = COLOURS.get(panel["colours"].get(one["name"], ""))
        base = [ground.get(when, 0.0) for when, _ in one["points"]] if panel["stack"] else [0.0] * len(values)
        top = [low + value for low, value in zip(base, values, strict=True)]
        ground |= {when: value for (when, _), value in zip(one["points"], top, strict=True)}
        if panel["bars"]:
            wide = (one["points"][1][0] - one["points"][0][0]) / 86400 * 0.8 if len(at) > 1 else 0.0002
            axes.bar(at, values, bottom=base, width=wide, color=colour, label=one["name"])
        else:
            (line,) = axes.plot(at, top, linewidth=1.1, color=colour, label=one["name"])
            if panel["stack"]:
                axes.fill_between(at, base, top, alpha=0.3, color=line.get_color(), linewidth=0)
    for mark in board["marks"]:
        if board["start"] <= mark <= board["end"]:
            axes.axvline(_when(mark), color="#36c", linestyle="--", linewidth=0.9)
    axes.set_xlim(_when(board["start"]), _when(board["end"]))
    low, high = axes.get_ylim()
    axes.set_ylim(0, panel["top"] or (high if high > 0 and series else 1))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: text_of(value, panel["unit"])))
    axes.xaxis.set_major_formatter(dates.DateFormatter("%H:%M"))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.tick_params(labelsize=7, colors=TEXT, length=2)
    axes.grid(color=GREY, linewidth=0.5)
    for side in axes.spines.values():
        side.set_color(GREY)
    if series:
        handles, names = axes.get_legend_handles_labels()
        shown = [name[:42] for name in names[:MOST_SERIES]]
        axes.legend(handles[:MOST_SERIES], shown, fontsize=6, loc="upper left", frameon=True, framealpha=0.6)
    else:
        axes.text(0.5, 0.5, "no data", transform=axes.transAxes, ha="center", color="#999", fontsize=9)


def _stat(axes: Axes, panel: dict[str, Any], _: dict[str, Any]) -> None:
    axes.axis("off")
    tiles = panel["tiles"] or [("", "nan")]
    for number, (name, value) in enumerate(tiles):
        shown = panel["words"].get(value) or text_of(float(value), panel["unit"])
        x = (number + 0.5) / len(tiles)
        size = 9 if len(shown) > 12 else 18
        axes.text(x, 0.5, shown, ha="center", va="center", fontsize=size, color="#1f60c4", transform=axes.transAxes)
        if panel["names"]:
            axes.text(x, 0.15, name, ha="center", va="center", fontsize=7, color=TEXT, transform=axes.transAxes)


def _table(axes: Axes, panel: dict[str, Any], _: dict[str, Any]) -> None:
    axes.axis("off")
    head = [*panel["labels"], *(column["title"] for column in panel["columns"])]
    labels = len(panel["labels"])
    rows = []
    for row in panel["rows"][:MOST_ROWS]:
        cells = [str(cell)[:34] for cell in row[:labels]]
        for cell, column in zip(row[labels:], panel["columns"], strict=True):
            shown = column["words"].get(cell) or text_of(float(cell), column["unit"]) if cell is not None else ""
            cells.append(shown)
        rows.append(cells)
    if not rows:
        axes.text(0.5, 0.5, "no data", transform=axes.transAxes, ha="center", color="#999", fontsize=9)
        return
    table = axes.table(cellText=rows, colLabels=head, loc="upper left", cellLoc="left", edges="horizontal")
    table.auto_set_font_size(False)
    table.set_fontsize(7)
    table.auto_set_column_width(list(range(len(head))))
    for cell in table.get_celld().values():
        cell.set_edgecolor(GREY)
        cell.get_text().set_color(TEXT)


def _logs(axes: Axes, panel: dict[str, Any], _: dict[str, Any]) -> None:
    axes.axis("off")
    lines = [f"{_when(at):%H:%M:%S}  {line[:MOST_TEXT]}" for at, line in panel["lines"]] or ["no lines"]
    text = "\n".join(lines).replace("$", r"\$")
    axes.text(0, 1, text, va="top", fontsize=6.5, family="monospace", color=TEXT, transform=axes.transAxes)


DRAW = {"graph": _graph, "stat": _stat, "table": _table, "logs": _logs}


def draw(board: dict[str, Any], path: str) -> None:
    """The whole page, in the dashboard's own grid."""
    total = sum(row["height"] + (1 if row["heading"] else 0) for row in board["rows"]) + 2
    figure = plt.figure(figsize=(WIDTH, total * ROW), dpi=DPI)
    span = f"{_when(board['start']):%Y-%m-%d %H:%M} to {_when(board['end']):%H:%M} UTC"
    words = f"{board['title']}: {span}; data of a running stack, drawn without Grafana; dashed: changes by fleetwatch"
    figure.text(0.012, 1 - 0.9 / total, words, fontsize=10, color=TEXT)
    y = 2.0
    for row in board["rows"]:
        if row["heading"]:
            figure.text(0.012, 1 - (y + 0.6) / total, row["heading"], fontsize=9, weight="bold", color=TEXT)
            y += 1
        free = sum(1 for panel in row["panels"] if not panel["width"])
        rest = COLUMNS - sum(panel["width"] for panel in row["panels"])
        x = 0.0
        for panel in row["panels"]:
            width = panel["width"] or rest / free
            inner = (0.85, 1.1) if panel["kind"] == "graph" else (0.2, 0.3)
            left, bottom = (x + inner[0]) / COLUMNS, 1 - (y + row["height"] - inner[1]) / total
            axes = figure.add_axes(
                (left, bottom, (width - inner[0] - 0.3) / COLUMNS, (row["height"] - inner[1] - 0.9) / total)
            )
            axes.set_title(panel["title"], fontsize=8, loc="left", color=TEXT, pad=3)
            DRAW[panel["kind"]](axes, panel, board)
            x += width
        y += row["height"]
    figure.savefig(path, dpi=DPI)
    with Image.open(path) as picture:  # a few dozen colours do: a third of the size
        picture.convert("RGB").quantize(48).save(path, optimize=True)


if __name__ == "__main__":
    draw(json.load(sys.stdin), sys.argv[1])
