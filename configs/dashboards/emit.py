"""From the words of model.py to Grafana's classic (v1) dashboard JSON, with a computed grid and running panel ids."""

from __future__ import annotations

import json

from configs import names
from configs.dashboards.emit_panels import Json, data_source, panel_json
from configs.dashboards.model import EVERY_HOST, LOKI, SOME_HOSTS, TAG, Dashboard, Row, Variable

SCHEMA_VERSION = 39
COLUMNS = 24
# What the gate of an update, and the hub's own change, leave at Loki (configs/deploy/note.sh).
_CHANGES: Json = {
    "name": "Changes by fleetwatch",
    "datasource": data_source(LOKI),
    "enable": True,
    "hide": False,
    "iconColor": "blue",
    "expr": f'{{job="{names.CHANGES_JOB}",env=~"$env",host=~"$host"}}',
    "titleFormat": "{{host}}",
    "tagKeys": "host",
}


def to_json(board: Dashboard) -> str:
    """The file's text: sorted keys, so that equal input gives equal bytes."""
    return json.dumps(dashboard(board), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def dashboard(board: Dashboard) -> Json:
    """The whole document."""
    return {
        "uid": board.uid,
        "title": board.title,
        "description": board.about,
        "tags": [TAG, board.of],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": [_CHANGES]},
        # A host without a database would lead to a page about databases that has nothing on it.
        "links": [_links(EVERY_HOST, with_choice=True), _links(SOME_HOSTS, with_choice=False)],
        "templating": {"list": [_variable(variable) for variable in board.variables]},
        "panels": _place(board.rows),
    }


def _links(tag: str, with_choice: bool) -> Json:
    """To every dashboard with this tag, whichever there are."""
    return {
        "type": "dashboards",
        "title": tag,
        "tags": [TAG, tag],
        "asDropdown": False,
        "includeVars": with_choice,
        "keepTime": True,
        "targetBlank": False,
    }


def _place(rows: tuple[Row, ...]) -> list[Json]:
    placed: list[Json] = []
    y = 0
    for row in rows:
        if row.heading:
            spot = {"x": 0, "y": y, "w": COLUMNS, "h": 1}
            placed.append({"type": "row", "title": row.heading, "collapsed": False, "panels": [], "gridPos": spot})
            y += 1
        free = sum(1 for panel in row.panels if not panel.width)
        rest = COLUMNS - sum(panel.width for panel in row.panels)
        x = shared = given = 0
        for panel in row.panels:
            width = panel.width
            if not width:
                shared += 1
                width = rest * shared // free - given  # what division leaves over is spread
                given += width
            placed.append(panel_json(panel) | {"gridPos": {"x": x, "y": y, "w": width, "h": row.height}})
            x += width
        y += row.height
    return [panel | {"id": number} for number, panel in enumerate(placed, start=1)]


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
    return common | choice | asked | {"type": "query", "datasource": data_source(variable.source)}
