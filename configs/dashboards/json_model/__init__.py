"""Renders a dashboard to Grafana's classic (v1) JSON model, with a computed grid and sequential panel ids."""

from __future__ import annotations

import json

from configs import names
from configs.dashboards.json_model.panels import Json, data_source, panel_json
from configs.dashboards.layout import COLUMNS, panel_widths, row_height
from configs.dashboards.model import EVERY_HOST, LOKI, SOME_HOSTS, TAG, Dashboard, Row, Variable

SCHEMA_VERSION = 39
# The lines that an update writes to Loki (configs/deploy/note.sh).
_CHANGES: Json = {
    "name": "Deployments",
    "datasource": data_source(LOKI),
    "enable": True,
    "hide": False,
    "iconColor": "blue",
    "expr": f'{{job="{names.CHANGES_JOB}",env=~"$env",host=~"$host"}}',
    "titleFormat": "{{host}}",
    "tagKeys": "host",
}


def to_json(board: Dashboard) -> str:
    """The text of the file, with sorted keys: the same input gives the same bytes."""
    return json.dumps(dashboard(board), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def dashboard(board: Dashboard) -> Json:
    """The whole document."""
    return {
        "uid": board.uid,
        "title": board.title,
        "description": board.description,
        "tags": [TAG, board.coverage],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": [_CHANGES]},
        # A dashboard of databases would be empty for a selected host that has none.
        "links": [_links(EVERY_HOST, with_variables=True), _links(SOME_HOSTS, with_variables=False)],
        "templating": {"list": [_variable(variable) for variable in board.variables]},
        "panels": _place(board.rows),
    }


def _links(tag: str, with_variables: bool) -> Json:
    """To every dashboard that has this tag."""
    return {
        "type": "dashboards",
        "title": tag,
        "tags": [TAG, tag],
        "asDropdown": False,
        "includeVars": with_variables,
        "keepTime": True,
        "targetBlank": False,
    }


def _place(rows: tuple[Row, ...]) -> list[Json]:
    placed: list[Json] = []
    y = 0
    for row in rows:
        if row.title:
            position = {"x": 0, "y": y, "w": COLUMNS, "h": 1}
            placed.append({"type": "row", "title": row.title, "collapsed": False, "panels": [], "gridPos": position})
            y += 1
        x, height = 0, row_height(row)
        for panel, width in zip(row.panels, panel_widths(row), strict=True):
            placed.append(panel_json(panel) | {"gridPos": {"x": x, "y": y, "w": width, "h": height}})
            x += width
        y += height
    return [panel | {"id": number} for number, panel in enumerate(placed, start=1)]


def _variable(variable: Variable) -> Json:
    common: Json = {"name": variable.name, "label": variable.title, "hide": 0, "skipUrlSync": False}
    if variable.text:
        return common | {"type": "textbox", "query": "", "current": {"text": "", "value": ""}, "options": []}
    selection = {
        "multi": True,
        "includeAll": True,
        "allValue": variable.all_value,
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "options": [],
    }
    if variable.values:
        return common | selection | {"type": "custom", "query": ",".join(variable.values)}
    if variable.source == LOKI:
        query: Json = {"type": 1, "label": variable.label, "stream": variable.selector, "refId": "Variable"}
        definition = f"label_values({variable.selector}, {variable.label})"
    else:
        definition = f"label_values({variable.selector}, {variable.label})"
        query = {"query": definition, "refId": "Variable"}
    lookup = {"query": query, "definition": definition, "refresh": 2, "regex": "", "sort": 1}
    return common | selection | lookup | {"type": "query", "datasource": data_source(variable.source)}
