"""A panel's targets, queried live: series for graphs, last values for stats and tables, lines for logs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .provisioning import DataSource, Store
from .sources import SourceError, fetch
from .timerange import TimeRange, parse_duration
from .variables import Variables, interpolate

DEFAULT_SCRAPE = 15.0


@dataclass
class Series:
    """Points of one series, in seconds; one point for an instant query."""

    ref: str
    name: str
    labels: dict[str, str]
    points: list[tuple[float, float]]
    step: float = 0.0
    loki: bool = False


@dataclass
class Line:
    """One log line with the labels of its stream."""

    time: float
    labels: dict[str, str]
    text: str


@dataclass
class Result:
    """Everything a panel's targets gave. `problems` are shown in the panel."""

    series: list[Series] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)


def builtins(span: TimeRange, step: int, scrape: float, instant: bool) -> dict[str, str]:
    """Grafana's own variables."""
    whole = max(int(span.seconds), 1)
    return {
        "__interval": f"{step}s",
        "__interval_ms": str(step * 1000),
        "__rate_interval": f"{int(max(step + scrape, 4 * scrape))}s",
        "__range": f"{whole}s",
        "__range_s": str(whole),
        "__range_ms": str(whole * 1000),
        "__auto": f"{whole if instant else step}s",
        "__from": str(int(span.start * 1000)),
        "__to": str(int(span.end * 1000)),
    }


def _name(target: dict[str, Any], labels: Mapping[str, str], expr: str) -> str:
    legend = str(target.get("legendFormat") or "")
    if legend and legend != "__auto":
        return re.sub(r"\{\{\s*(.+?)\s*\}\}", lambda m: labels.get(m.group(1), ""), legend)
    shown = {key: value for key, value in labels.items() if key != "__name__"}
    if not shown:
        return labels.get("__name__", expr)
    pairs = ", ".join(f'{key}="{value}"' for key, value in sorted(shown.items()))
    return labels.get("__name__", "") + "{" + pairs + "}"


def _points(item: dict[str, Any]) -> list[tuple[float, float]]:
    pairs = item.get("values") or ([item["value"]] if "value" in item else [])
    return [(float(when), float(value)) for when, value in pairs]


def _series(data: Any, target: dict[str, Any], expr: str, step: float) -> list[Series]:
    kind, items = data.get("resultType"), data.get("result") or []
    ref = str(target.get("refId") or "A")
    if kind == "scalar":
        return [Series(ref, _name(target, {}, expr), {}, [(float(items[0]), float(items[1]))])]
    pairs = [(item.get("metric") or {}, _points(item)) for item in items]
    found = [Series(ref, _name(target, labels, expr), labels, points, step) for labels, points in pairs]
    return sorted(found, key=lambda series: series.name)


def lines_of(data: Any) -> list[Line]:
    """The lines of Loki's answer, newest first."""
    found = [
        Line(int(when) / 1e9, stream.get("stream") or {}, str(text))
        for stream in data.get("result") or []
        for when, text, *_ in stream.get("values") or []
    ]
    return sorted(found, key=lambda line: line.time, reverse=True)


def _run(source: DataSource, target: dict[str, Any], expr: str, span: TimeRange, step: int, result: Result) -> None:
    instant = bool(target.get("instant")) or target.get("queryType") == "instant"
    if source.type == "alertmanager":
        raise SourceError("the stand-in draws no panels from an Alertmanager; query ALERTS from Prometheus")
    loki = source.type == "loki"
    prefix = "/loki/api/v1" if loki else "/api/v1"
    if instant:
        data = fetch(source, f"{prefix}/query", {"query": expr, "time": f"{span.end:.3f}"})
        for one in _series(data, target, expr, 0.0):
            one.loki = loki
            result.series.append(one)
        return
    # Steps on whole multiples give the same points on every reload, as in Grafana.
    start = span.start if loki else span.start // step * step
    limit = int(target.get("maxLines") or 500) if loki else None
    window: dict[str, object] = {"start": f"{start:.3f}", "end": f"{span.end:.3f}", "step": step, "limit": limit}
    if loki:
        window |= {"start": int(span.start * 1e9), "end": int(span.end * 1e9)}
    data = fetch(source, f"{prefix}/query_range", {"query": expr, **window})
    if data.get("resultType") == "streams":
        result.lines += lines_of(data)
    else:
        result.series += _series(data, target, expr, float(step))


def run_panel(panel: dict[str, Any], store: Store, span: TimeRange, variables: Variables, pixels: int) -> Result:
    """Ask every visible target; one that fails does not hide the others."""
    result = Result()
    for target in panel.get("targets") or []:
        if target.get("hide"):
            continue
        source = store.find_source(target.get("datasource") or panel.get("datasource"))
        if source is None:
            result.problems.append(f"data source {target.get('datasource')!r} is not provisioned")
            continue
        usual = parse_duration(str((source.raw.get("jsonData") or {}).get("timeInterval") or ""), DEFAULT_SCRAPE)
        scrape = parse_duration(str(target.get("interval") or ""), usual)
        least = max(scrape, parse_duration(str(panel.get("interval") or ""), scrape))
        step = span.step(pixels, least)
        instant = bool(target.get("instant")) or target.get("queryType") == "instant"
        expr = interpolate(str(target.get("expr") or ""), variables, builtins(span, step, scrape, instant))
        result.queries.append(expr)
        try:
            _run(source, target, expr, span, step, result)
        except SourceError as error:
            result.problems.append(str(error))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            result.problems.append(f"{source.name}: the answer is not what its API promises ({type(error).__name__})")
    return result
