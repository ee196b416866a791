"""Renders one panel of model.py to JSON: queries, units, thresholds, value mappings, table columns and links."""

from __future__ import annotations

from typing import Any

from configs.dashboards.layout import column_widths
from configs.dashboards.model import (
    LOKI,
    MOST_SERIES,
    NOT_SHOWN,
    Column,
    Graph,
    Logs,
    Mappings,
    Panel,
    Query,
    Stat,
    Steps,
    Table,
)

Json = dict[str, Any]
# Upper bound of an axis on which nothing is higher; without one Grafana draws zeros on an axis to 100.
SOFT_MAX = {"percentunit": 0.1, "bytes": 1024, "binBps": 1024}
# Between two points of graphs that count over an interval: with the shortest ones their bars are needles.
LEAST_INTERVAL = "1m"


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
    description = panel.description
    if isinstance(panel, Graph) and any(f"topk({MOST_SERIES}, " in query.expr for query in panel.queries):
        description += f" The {MOST_SERIES} series with the highest peaks."
    common: Json = {"title": panel.title, "description": description, "datasource": data_source(panel.source)}
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
        "fillOpacity": _fill(panel),
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"group": "A", "mode": "normal" if panel.stack else "none"},
    }
    defaults: Json = {"unit": panel.unit, "min": 0, "color": {"mode": "palette-classic"}, "custom": custom}
    if panel.axis_max is not None:
        defaults["max"] = panel.axis_max
    else:
        custom["axisSoftMax"] = SOFT_MAX.get(panel.unit, 1)
    overrides = [
        _override(name, "color", {"mode": "fixed", "fixedColor": colour})
        for name, colour in panel.series_colours.items()
    ]
    return {
        "type": "timeseries",
        "targets": [_target(n, query, panel.source, instant=False) for n, query in enumerate(panel.queries)],
        **({"interval": LEAST_INTERVAL} if panel.bars or panel.source == LOKI else {}),
        "fieldConfig": {"defaults": defaults, "overrides": overrides},
        "options": {
            "legend": {
                "showLegend": True,
                "displayMode": "table",
                "placement": "right" if panel.side_legend else "bottom",
                "calcs": ["lastNotNull", "max"],
                "sortBy": "Max",
                "sortDesc": True,
            },
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
    }


def _fill(panel: Graph) -> int:
    """Translucent areas of several series add up to a colour that is none of theirs, unless they are stacked."""
    if panel.bars:
        return 60
    if panel.stack:
        return 25
    alone = len(panel.queries) == 1 and "{{" not in panel.queries[0].legend
    return 10 if alone else 0


def _column_override(column: Column) -> Json:
    properties: list[Json] = [{"id": "unit", "value": column.unit}]
    if column.steps:
        properties.append({"id": "thresholds", "value": _thresholds(column.steps)})
    if column.mappings:
        properties.append({"id": "mappings", "value": _mappings(column.mappings)})
    if column.steps or column.mappings:
        properties.append({"id": "custom.cellOptions", "value": {"type": "color-text"}})
    return {"matcher": {"id": "byName", "options": column.title}, "properties": properties}


def _override(shown: str, name: str, value: Any) -> Json:
    """A property of the column or the series that is shown under this name."""
    return {"matcher": {"id": "byName", "options": shown}, "properties": [{"id": name, "value": value}]}


def _table(panel: Table) -> Json:
    queries = [Query(expr=column.expr, interval=column.interval) for column in panel.columns]
    # Grafana's name of a value column is `Value #A`, ..., except that Prometheus' only one is plain `Value`.
    alone = len(queries) == 1 and panel.source != LOKI
    values = ["Value"] if alone else [f"Value #{chr(ord('A') + n)}" for n in range(len(queries))]
    shown = {label: title for label, title in panel.labels.items() if title != NOT_SHOWN}
    rename = shown | {value: column.title for value, column in zip(values, panel.columns, strict=True)}
    organize = {
        "excludeByName": {"Time": True} | {label: True for label in panel.labels if label not in shown},
        "indexByName": {name: number for number, name in enumerate(rename)},
        "renameByName": rename,
    }
    widths = [_override(heading, "custom.minWidth", width) for heading, width in column_widths(panel).items()]
    # Only names are worth a filter; its icon takes a part of the heading.
    filters = [_override(heading, "custom.filterable", True) for heading in shown.values()]
    # Empty cells of a table that has rows stay blank; `noValue` is for a table without rows.
    blank = [_override(heading, "noValue", "") for heading in rename.values() if panel.no_value]
    linked = [
        _override(heading, "links", [{"title": title, "url": url}]) for heading, (title, url) in panel.links.items()
    ]
    return {
        "type": "table",
        "targets": [_target(n, q, panel.source, instant=True, table=True) for n, q in enumerate(queries)],
        "transformations": [{"id": "merge", "options": {}}, {"id": "organize", "options": organize}],
        "fieldConfig": {
            "defaults": {"custom": {"align": "auto", "filterable": False}},
            "overrides": [_column_override(column) for column in panel.columns] + widths + filters + linked + blank,
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
