"""Checks of dashboards: the form that Grafana provisions, their identifiers, and the data sources that they use."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from configs.settings.custom_files import CustomFiles

SOURCES = ("prometheus", "loki", "alertmanager")  # the uid of each data source is its type
_BUILT_IN = ("-- Grafana --", "-- Mixed --", "-- Dashboard --", "grafana", "datasource", "__expr__", "-- Public --")
_NAMES = ("Prometheus", "Loki", "Alertmanager")  # as older dashboards write them
RESERVED = "fleetwatch-"
_UID = re.compile(r"[A-Za-z0-9_-]{1,40}")
_VARIABLE = re.compile(r"\$\{?(\w+)(?::\w+)?\}?|\[\[(\w+)\]\]")


def problems(custom: CustomFiles) -> Iterator[str]:
    """Of all dashboards."""
    uids: dict[str, str] = {}
    titles: dict[str, str] = {}
    for name, text in custom.dashboards.items():
        path = custom.path("dashboards", name)
        board, wrong = parse(text)
        if board is None:
            yield f"{path}: {wrong}"
            continue
        yield from (f"{path}: {problem}" for problem in _form(board))
        for key, seen in (("uid", uids), ("title", titles)):
            value = board.get(key)
            if isinstance(value, str) and value in seen:
                yield f"{path}: duplicate {key} {value!r}, already used by {seen[value]}; choose a different one"
            elif isinstance(value, str):
                seen[value] = path
        yield from (f"{path}: {problem}" for problem in _unknown_sources(board))


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number in JSON; write null or a number")


def parse(text: str) -> tuple[dict[str, Any] | None, str]:
    """The dashboard; or None and what is wrong."""
    try:
        board = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        return None, f"line {error.lineno}, column {error.colno}: expected JSON: {error.msg}"
    except ValueError as error:  # of _no_constant
        return None, f"expected JSON: {error}"
    except RecursionError:
        return None, "expected JSON: it is nested too deeply"
    if not isinstance(board, dict):
        return None, f"expected a JSON object, got {_kind(board)}"
    if isinstance(board.get("dashboard"), dict) and "panels" not in board:
        return (
            None,
            "expected the dashboard itself, this is an answer of Grafana's API; keep the value of `dashboard` only",
        )
    if "spec" in board and "panels" not in board:
        return None, "expected a classic dashboard with `panels`; in Grafana: Export, model Classic"
    return board, ""


def panels(board: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every panel, also those inside collapsed rows."""
    listed = board.get("panels")
    for panel in listed if isinstance(listed, list) else []:
        if isinstance(panel, dict):
            yield panel
            yield from panels(panel)


def _form(board: Mapping[str, Any]) -> Iterator[str]:
    title, uid, listed = board.get("title"), board.get("uid"), board.get("panels")
    if not isinstance(title, str) or not title.strip():
        yield "title: expected a text"
    if not isinstance(uid, str) or not _UID.fullmatch(uid):
        yield "uid: expected at most 40 letters, digits, - and _; without one its links change with each import"
    elif uid.startswith(RESERVED):
        yield f"uid: {uid!r} is reserved, dashboards of fleetwatch begin with {RESERVED}; choose a different one"
    if not isinstance(listed, list):
        yield "panels: expected a list"
    elif not listed:
        yield "panels: expected at least one panel"
    else:
        yield from _panel_forms(listed, "panels")
    if not isinstance(board.get("schemaVersion", 0), int):
        yield "schemaVersion: expected a whole number"
    if board.get("__inputs"):
        yield "__inputs: exported for sharing externally; export it without that option, so that it names data sources"


def _panel_forms(listed: Any, where: str) -> Iterator[str]:
    """Of a list of panels and of those inside rows."""
    if not isinstance(listed, list):
        yield f"{where}: expected a list"
        return
    for place, panel in enumerate(listed):
        at = f"{where}.{place}"
        if not isinstance(panel, dict) or not isinstance(panel.get("type"), str):
            yield f"{at}: expected an object with a `type`"
            continue
        position = panel.get("gridPos")
        if not isinstance(position, dict) or any(type(position.get(key)) is not int for key in "xywh"):
            yield f"{at}.gridPos: expected an object with whole numbers x, y, w and h, its place on a grid of 24"
        targets = panel.get("targets")
        if targets is not None and not (isinstance(targets, list) and all(isinstance(one, dict) for one in targets)):
            yield f"{at}.targets: expected a list of objects, each with a query"
        if panel.get("panels") is not None:
            yield from _panel_forms(panel["panels"], f"{at}.panels")


def _unknown_sources(board: Mapping[str, Any]) -> Iterator[str]:
    variables = _source_variables(board)
    known = f"expected one of {', '.join(SOURCES)}, or a variable of type datasource"
    for where, value in _sources(board, ""):
        uid = value.get("uid") if isinstance(value, Mapping) else value
        if uid is None or uid == "" or uid in (*SOURCES, *_BUILT_IN, *_NAMES, "default"):
            continue
        if not isinstance(uid, str):
            yield f"{where}: {known}, got {_kind(uid)}"
            continue
        found = _VARIABLE.fullmatch(uid)
        if found is None or (found[1] or found[2]) not in variables:
            yield f"{where}: unknown data source {uid!r}, {known}"


def _source_variables(board: Mapping[str, Any]) -> set[str]:
    return {str(one.get("name")) for one in variables(board) if one.get("type") == "datasource"}


def variables(board: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The dashboard's variables."""
    templating = board.get("templating")
    listed = templating.get("list") if isinstance(templating, Mapping) else None
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _sources(value: Any, where: str) -> Iterator[tuple[str, Any]]:
    """Every value of a key `datasource`, with its place: the panel's title where there is one."""
    if isinstance(value, dict):
        title = value.get("title")
        named = f"panel {title!r}" if isinstance(title, str) and "type" in value and where else where
        for key, inner in value.items():
            if key == "datasource":
                yield f"{named or 'dashboard'}: datasource", inner
            else:
                yield from _sources(inner, named if named.startswith("panel ") else f"{where}.{key}".lstrip("."))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _sources(inner, where if where.startswith("panel ") else f"{where}.{place}")


def source_type(board: Mapping[str, Any], panel: Mapping[str, Any], target: Mapping[str, Any]) -> str:
    """Which data source a query goes to: prometheus, loki, or "" for others."""
    for holder in (target, panel):
        given = holder.get("datasource")
        if isinstance(given, Mapping):
            uid, kind = str(given.get("uid") or ""), str(given.get("type") or "")
            if uid in SOURCES:
                return uid
            if kind in SOURCES:
                return kind
            if found := _VARIABLE.fullmatch(uid):
                return _of_variable(board, found[1] or found[2])
            if uid or kind:
                continue
        elif isinstance(given, str) and given.lower() in SOURCES:
            return given.lower()
        elif isinstance(given, str) and (found := _VARIABLE.fullmatch(given)):
            return _of_variable(board, found[1] or found[2])
    return "prometheus"


def _of_variable(board: Mapping[str, Any], name: str) -> str:
    kinds = [str(one.get("query")) for one in variables(board) if one.get("name") == name]
    return kinds[0] if kinds and kinds[0] in SOURCES else ""


def _kind(value: Any) -> str:
    return {dict: "an object", list: "a list", str: "a text", bool: "true or false"}.get(
        type(value), "a number or null"
    )
