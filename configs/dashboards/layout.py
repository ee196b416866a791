"""Sizes on a screen of 1366 pixels: what Grafana leaves for a panel, what a table's columns need, how high rows are.

Grafana gives a column at least 150 pixels unless it has a `minWidth`, and hides what does not fit behind a scroll bar.
The figures are those of Grafana's theme: 14 pixels Inter in tables, cells of size `sm`, a grid of 24 columns.
"""

from __future__ import annotations

import math

from configs.dashboards.model import NOT_SHOWN, Column, Graph, Row, Table

COLUMNS = 24
SCREEN = 1366
# The navigation that Grafana docks beside the page from this width on, the page's padding and its scroll bar.
MENU, PADDING, SCROLL_BAR = 300, 32, 12
GAP, UNIT = 8, 30  # pixels between two panels, and of one grid row
PANEL_FRAME = 18  # padding and border of a panel, on both sides together
PANEL_HEAD = 32
TABLE_ROW = 36
CHARACTER, CELL_PADDING, ICON = 7.5, 12, 18  # of a heading; an icon is that of a filter, or of the sort order
LEGEND_SHARE, LEGEND_HEAD, LEGEND_ROW = 0.35, 27, 24  # of a legend below a graph
GRAPH_HEIGHT = 9  # three rows of a legend, none cut
# The widest usual content, in pixels.
LABELS = {
    "alertname": 170,
    "container": 190,
    "database": 80,
    "datname": 90,
    "host": 110,
    "hypertable": 130,
    "job": 110,
    "job_id": 60,
    "server": 130,
    "probe": 110,
    "proc": 140,
    "schema": 80,
    "severity": 80,
    "table": 150,
}
VALUES = {"percentunit": 66, "none": 60, "short": 66, "s": 78, "bytes": 88, "binBps": 100, "reqps": 88, "ops": 88}
VALUE = 88  # of any other unit


def available(width: int) -> int:
    """Pixels for the columns of a table that is `width` grid columns wide."""
    page = SCREEN - MENU - PADDING - SCROLL_BAR
    column = (page - GAP * (COLUMNS - 1)) / COLUMNS
    return int(width * column + (width - 1) * GAP) - PANEL_FRAME - SCROLL_BAR


def _heading(title: str, icons: int) -> int:
    return math.ceil(len(title) * CHARACTER) + CELL_PADDING + icons * ICON


def label_width(table: Table, label: str) -> int:
    """The least width of a column of labels; those have a filter."""
    return max(LABELS[label], _heading(table.labels[label], 1))


def value_width(table: Table, column: Column) -> int:
    """The least width of a column of values: its heading, its usual content, and the texts that it is mapped to."""
    texts = [_heading(text, 0) for text, _ in column.mappings.values()]
    heading = _heading(column.title, int(column.title == table.sort))
    return max(VALUES.get(column.unit, VALUE), heading, *texts)


def column_widths(table: Table) -> dict[str, int]:
    """The least width of each visible column by its title."""
    labels = {title: label_width(table, label) for label, title in table.labels.items() if title != NOT_SHOWN}
    return labels | {column.title: value_width(table, column) for column in table.columns}


def visible_rows(count: int) -> int:
    """Rows of a table of things that the stack file names, in steps, so that one more seldom changes a dashboard. Not
    for hosts: adding one must not write any file of Grafana's."""
    return next((rows for rows in (3, 5, 8) if count <= rows), 10)


def table_height(rows: int) -> int:
    """Grid rows of a table that shows so many rows."""
    return math.ceil((PANEL_HEAD + PANEL_FRAME + TABLE_ROW * (rows + 1) + GAP) / (UNIT + GAP))


def legend_rows(height: int) -> float:
    """Rows of a legend below a graph of so many grid rows that are visible at the same time."""
    inside = height * (UNIT + GAP) - GAP - PANEL_HEAD - PANEL_FRAME
    return (LEGEND_SHARE * inside - LEGEND_HEAD) / LEGEND_ROW


def row_height(row: Row) -> int:
    """Grid rows of a row of panels."""
    if row.height:
        return row.height
    tables = [table_height(panel.rows) for panel in row.panels if isinstance(panel, Table)]
    graphs = [GRAPH_HEIGHT for panel in row.panels if isinstance(panel, Graph)]
    return max(tables + graphs, default=GRAPH_HEIGHT)


def panel_widths(row: Row) -> list[int]:
    """Grid columns of each panel: its own width, or an even share of what the others leave."""
    free = sum(1 for panel in row.panels if not panel.width)
    rest = COLUMNS - sum(panel.width for panel in row.panels)
    widths: list[int] = []
    divided = assigned = 0
    for panel in row.panels:
        width = panel.width
        if not width:
            divided += 1
            width = rest * divided // free - assigned  # spreads the remainder of the division
            assigned += width
        widths.append(width)
    return widths
