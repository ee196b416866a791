"""From the words of model.py to Grafana's classic (v1) dashboard JSON, with a computed grid and running panel ids."""

from __future__ import annotations

import json
from typing import Any

from configs.dashboards.model import (
    LOKI,
    TAG,
    Column,
    Dashboard,
    Graph,
    Logs,
    Panel,
    Query,
    Row,
    Stat,
    Steps,
    Table,
    Variable,
)

SCHEMA_VERSION = 39
COLUMNS = 24
Json = dict[str, Any]


def to_json(board: Dashboard) -> str:
    """The file's text: sorted keys, so that equal input gives equal bytes."""
    return json.dumps(dashboard(board), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def dashboard(board: Dashboard) -> Json:
    """The whole document."""
    return {
        "uid": board.uid,
        "title": board.title,
        "description": board.about,
        "tags": [TAG],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": []},
        "links": [
            {
                "type": "dashboards",
                "title": "fleetwatch",
                "tags": [TAG],
                "asDropdown": False,
                "includeVars": True,
                "keepTime": True,
                "targetBlank": False,
            }
        ],
        "templating": {"list": [_variable(variable) for variable in board.variables]},
        "panels": _place(board.rows),
    }


def _place(rows: tuple[Row, ...]) -> list[Json]:
    placed: list[Json] = []
    y = 0
    for row in rows:
        if row.heading:
            spot = {"x": 0, "y": y, "w": COLUMNS, "h": 1}
            placed.append({"type": "row", "title": row.heading, "collapsed": False, "panels": [], "gridPos": spot})
            y += 1
        free = [panel for panel in row.panels if not panel.width]
        rest = COLUMNS - sum(panel.width for panel in row.panels)
        x = 0
        for panel in row.panels:
            width = panel.width or rest // len(free)
            if panel is row.panels[-1]:
                width = COLUMNS - x  # what integer division left over
            placed.append(_panel(panel) | {"gridPos": {"x": x, "y": y, "w": width, "h": row.height}})
            x += width
        y += row.height
    return [panel | {"id": number} for number, panel in enumerate(placed, start=1)]


def _source(uid: str) -> Json:
    return {"type": uid, "uid": uid}


def _variable(variable: Variable) -> Json:
    common: Json = {"name": variable.name, "label": variable.title, "hide": 0, "skipUrlSync": False}
    if variable.text:
        return common | {"type": "textbox", "query": "", "current": {"text": "", "value": ""}, "options": []}
    choice = {
        "multi": True,
        "includeAll": True,
        "allValue": variable.everything,
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "options": [],
    }
    if variable.values:
        return common | choice | {"type": "custom", "query": ",".join(variable.values)}
    if variable.source == LOKI:
        query: Json = {"type": 1, "label": variable.label, "stream": variable.selector, "refId": "Variable"}
        definition = f"label_values({variable.selector}, {variable.label})"
    else:
        definition = f"label_values({variable.selector}, {variable.label})"
        query = {"query": definition, "refId": "Variable"}
    asked = {"query": query, "definition": definition, "refresh": 2, "regex": "", "sort": 1}
    return common | choice | asked | {"type": "query", "datasource": _source(variable.source)}


def _target(number: int, query: Query, source: str, instant: bool, table: bool = False) -> Json:
    target: Json = {
        "refId": chr(ord("A") + number),
        "datasource": _source(source),
        "expr": query.expr,
        "legendFormat": query.legend or "__auto",
    }
    if source == LOKI:
        return target | {"queryType": "instant" if instant else "range"}
    return target | {
        "instant": instant,
        "range": not instant,
        "format": "table" if table else "time_series",
        "editorMode": "code",
    }


def _thresholds(steps: Steps) -> Json:
    return {"mode": "absolute", "steps": [{"value": value, "color": colour} for value, colour in steps]}


def _mappings(words: dict[int, tuple[str, str]]) -> list[Json]:
    if not words:
        return []
    options = {
        str(value): {"text": text, "color": colour, "index": number}
        for number, (value, (text, colour)) in enumerate(words.items())
    }
    return [{"type": "value", "options": options}]


def _panel(panel: Panel) -> Json:
    common: Json = {"title": panel.title, "description": panel.about, "datasource": _source(panel.source)}
    if isinstance(panel, Stat):
        return common | _stat(panel)
    if isinstance(panel, Graph):
        return common | _graph(panel)
    if isinstance(panel, Table):
        return common | _table(panel)
    if isinstance(panel, Logs):
        return common | _logs(panel)
    raise TypeError(f"no JSON is known for a panel of type {type(panel).__name__}")


def _stat(panel: Stat) -> Json:
    defaults = {
        "unit": panel.unit,
        "color": {"mode": "thresholds"},
        "thresholds": _thresholds(panel.steps),
        "mappings": _mappings(panel.words),
    }
    return {
        "type": "stat",
        "targets": [_target(0, panel.query, panel.source, instant=True)],
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": {
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "textMode": "value_and_name" if panel.names else "value",
            "colorMode": "value",
            "graphMode": "none",
            "justifyMode": "auto",
            "orientation": "auto",
        },
    }


def _graph(panel: Graph) -> Json:
    custom: Json = {
        "drawStyle": "bars" if panel.bars else "line",
        "lineWidth": 1,
        "fillOpacity": 60 if panel.bars else 25 if panel.stack else 6,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"group": "A", "mode": "normal" if panel.stack else "none"},
    }
    defaults: Json = {"unit": panel.unit, "min": 0, "color": {"mode": "palette-classic"}, "custom": custom}
    if panel.top is not None:
        defaults["max"] = panel.top
    overrides = [
        {
            "matcher": {"id": "byName", "options": name},
            "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}],
        }
        for name, colour in panel.colours.items()
    ]
    return {
        "type": "timeseries",
        "targets": [_target(n, query, panel.source, instant=False) for n, query in enumerate(panel.queries)],
        "fieldConfig": {"defaults": defaults, "overrides": overrides},
        "options": {
            "legend": {"showLegend": True, "displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"]},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
    }


def _column_override(column: Column) -> Json:
    properties: list[Json] = [{"id": "unit", "value": column.unit}]
    if column.steps:
        properties.append({"id": "thresholds", "value": _thresholds(column.steps)})
    if column.words:
        properties.append({"id": "mappings", "value": _mappings(column.words)})
    if column.steps or column.words:
        properties.append({"id": "custom.cellOptions", "value": {"type": "color-text"}})
    return {"matcher": {"id": "byName", "options": column.title}, "properties": properties}


def _table(panel: Table) -> Json:
    queries = [Query(expr=column.expr) for column in panel.columns]
    # Grafana calls the only value column `Value`, and several ones `Value #A`, `Value #B`, ...
    values = [f"Value #{chr(ord('A') + n)}" for n in range(len(queries))] if len(queries) > 1 else ["Value"]
    rename = panel.labels | {value: column.title for value, column in zip(values, panel.columns, strict=True)}
    organize = {
        "excludeByName": {"Time": True},
        "indexByName": {name: number for number, name in enumerate(rename)},
        "renameByName": rename,
    }
    linked = [
        {
            "matcher": {"id": "byName", "options": heading},
            "properties": [{"id": "links", "value": [{"title": title, "url": url}]}],
        }
        for heading, (title, url) in panel.links.items()
    ]
    return {
        "type": "table",
        "targets": [_target(n, q, panel.source, instant=True, table=True) for n, q in enumerate(queries)],
        "transformations": [{"id": "merge", "options": {}}, {"id": "organize", "options": organize}],
        "fieldConfig": {
            "defaults": {"unit": panel.unit, "custom": {"align": "auto", "filterable": True}},
            "overrides": [_column_override(column) for column in panel.columns] + linked,
        },
        "options": {
            "showHeader": True,
            "cellHeight": "sm",
            "sortBy": [{"displayName": panel.sort, "desc": True}] if panel.sort else [],
        },
    }


def _logs(panel: Logs) -> Json:
    return {
        "type": "logs",
        "targets": [_target(0, Query(expr=panel.expr), panel.source, instant=False) | {"maxLines": 500}],
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
        "options": {
            "showTime": True,
            "wrapLogMessage": True,
            "enableLogDetails": True,
            "sortOrder": "Descending",
            "dedupStrategy": "none",
            "showLabels": False,
            "showCommonLabels": False,
            "prettifyLogMessage": False,
        },
    }
