"""Renders one panel of model.py to JSON: queries, units, thresholds, value mappings, table columns and links."""

from __future__ import annotations

from typing import Any

from configs.dashboards.model import LOKI, Column, Graph, Logs, Mappings, Panel, Query, Stat, Steps, Table

Json = dict[str, Any]


def data_source(uid: str) -> Json:
    return {"type": uid, "uid": uid}


def _target(number: int, query: Query, source: str, instant: bool, table: bool = False) -> Json:
    target: Json = {
        "refId": chr(ord("A") + number),
        "datasource": data_source(source),
        "expr": query.expr,
        "legendFormat": query.legend or "__auto",
    }
    if source == LOKI:
        return target | {"queryType": "instant" if instant else "range"}
    return target | {
        **({"interval": f"{query.interval}s"} if query.interval else {}),
        "instant": instant,
        "range": not instant,
        "format": "table" if table else "time_series",
        "editorMode": "code",
    }


def _thresholds(steps: Steps) -> Json:
    return {"mode": "absolute", "steps": [{"value": value, "color": colour} for value, colour in steps]}


def _mappings(mappings: Mappings) -> list[Json]:
    if not mappings:
        return []
    options = {
        str(value): {"text": text, "color": colour, "index": number}
        for number, (value, (text, colour)) in enumerate(mappings.items())
    }
    return [{"type": "value", "options": options}]


def panel_json(panel: Panel) -> Json:
    """Without `id` and `gridPos`, which depend on the whole dashboard."""
    common: Json = {"title": panel.title, "description": panel.description, "datasource": data_source(panel.source)}
    document = common | _type_specific(panel)
    if panel.no_value:
        document["fieldConfig"]["defaults"]["noValue"] = panel.no_value
    if panel.time_from:
        document["timeFrom"] = panel.time_from
    return document


def _type_specific(panel: Panel) -> Json:
    if isinstance(panel, Stat):
        return _stat(panel)
    if isinstance(panel, Graph):
        return _graph(panel)
    if isinstance(panel, Table):
        return _table(panel)
    if isinstance(panel, Logs):
        return _logs(panel)
    raise TypeError(f"no JSON is known for a panel of type {type(panel).__name__}")


def _stat(panel: Stat) -> Json:
    defaults = {
        "unit": panel.unit,
        "color": {"mode": "thresholds"},
        "thresholds": _thresholds(panel.steps),
        "mappings": _mappings(panel.mappings),
    }
    return {
        "type": "stat",
        "targets": [_target(0, panel.query, panel.source, instant=True)],
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": {
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "textMode": "value_and_name" if panel.show_names else "value",
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
    if panel.axis_max is not None:
        defaults["max"] = panel.axis_max
    overrides = [
        {
            "matcher": {"id": "byName", "options": name},
            "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}],
        }
        for name, colour in panel.series_colours.items()
    ]
    return {
        "type": "timeseries",
        "targets": [_target(n, query, panel.source, instant=False) for n, query in enumerate(panel.queries)],
        "fieldConfig": {"defaults": defaults, "overrides": overrides},
        "options": {
            "legend": {
                "showLegend": True,
                "displayMode": "table",
                "placement": "bottom",
                "calcs": ["lastNotNull", "max"],
            },
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
    }


def _column_override(column: Column) -> Json:
    properties: list[Json] = [{"id": "unit", "value": column.unit}]
    if column.steps:
        properties.append({"id": "thresholds", "value": _thresholds(column.steps)})
    if column.mappings:
        properties.append({"id": "mappings", "value": _mappings(column.mappings)})
    if column.steps or column.mappings:
        properties.append({"id": "custom.cellOptions", "value": {"type": "color-text"}})
    return {"matcher": {"id": "byName", "options": column.title}, "properties": properties}


def _table(panel: Table) -> Json:
    queries = [Query(expr=column.expr, interval=column.interval) for column in panel.columns]
    # Grafana's name of a value column is `Value #A`, ..., except that Prometheus' only one is plain `Value`.
    alone = len(queries) == 1 and panel.source != LOKI
    values = ["Value"] if alone else [f"Value #{chr(ord('A') + n)}" for n in range(len(queries))]
    rename = panel.labels | {value: column.title for value, column in zip(values, panel.columns, strict=True)}
    organize = {
        "excludeByName": {"Time": True},
        "indexByName": {name: number for number, name in enumerate(rename)},
        "renameByName": rename,
    }
    # Empty cells of a table that has rows stay blank; `noValue` is for a table without rows.
    blank = [
        {"matcher": {"id": "byName", "options": heading}, "properties": [{"id": "noValue", "value": ""}]}
        for heading in rename.values()
        if panel.no_value
    ]
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
            "defaults": {"custom": {"align": "auto", "filterable": True}},
            "overrides": [_column_override(column) for column in panel.columns] + linked + blank,
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
        "fieldConfig": {"defaults": {}, "overrides": []},
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
