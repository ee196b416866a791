"""Dashboard variables: their choices, what is chosen, and `$name` in queries, titles and links.

Covered: query (label_values of Prometheus and Loki), custom, constant, textbox, interval. Others say that they are not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from .provisioning import Dashboard, Store
from .sources import SourceError, fetch
from .timerange import TimeRange

ALL = "$__all"
_LABEL_VALUES = re.compile(r"^\s*label_values\(\s*(?:(?P<query>.+?)\s*,\s*)?(?P<label>[A-Za-z_]\w*)\s*\)\s*$", re.S)
_REFERENCE = re.compile(r"\$\{(?P<braced>[A-Za-z_]\w*)(?::(?P<format>\w+))?\}|\$(?P<plain>[A-Za-z_]\w*)")


@dataclass
class Variable:
    """One variable as it stands on this page."""

    name: str
    label: str
    kind: str
    multi: bool = False
    include_all: bool = False
    all_value: str = ""
    hidden: bool = False
    options: list[str] = field(default_factory=list)
    chosen: list[str] = field(default_factory=list)
    problem: str = ""

    @property
    def is_all(self) -> bool:
        return ALL in self.chosen

    def values(self) -> list[str]:
        return self.options if self.is_all else self.chosen

    def text(self, style: str) -> str:
        """The text that replaces a reference: a regular expression for queries by default."""
        if style == "queryparam":
            return urlencode([(f"var-{self.name}", value) for value in self.chosen])
        if style in {"text", "raw", "csv", "pipe"}:
            if self.is_all and style == "text":
                return "All"
            return {"pipe": "|", "text": " + "}.get(style, ",").join(self.values())
        if self.is_all and self.all_value:
            return self.all_value
        if self.kind == "textbox" or not (self.multi or self.include_all):
            return ",".join(self.values())
        escaped = [re.sub(r"([\\^$*+?.()|\[\]{}])", r"\\\\\1", value) for value in self.values()]
        return escaped[0] if len(escaped) == 1 else "(" + "|".join(escaped) + ")"


Variables = Mapping[str, Variable]


def interpolate(text: str, variables: Variables, builtins: Mapping[str, str], style: str = "") -> str:
    """Replace references; unknown names stay as they are, as in Grafana."""

    def one(match: re.Match[str]) -> str:
        name = match.group("braced") or match.group("plain")
        if name in builtins:
            return builtins[name]
        variable = variables.get(name)
        return variable.text(match.group("format") or style) if variable else match.group(0)

    return _REFERENCE.sub(one, text)


def _choices(model: dict[str, Any], store: Store, span: TimeRange, before: Variables) -> list[str]:
    query = model.get("query")
    source = store.find_source(model.get("datasource"))
    if source is None:
        raise SourceError("its data source is not provisioned")
    if isinstance(query, dict) and "stream" in query and "query" not in query:
        selector, label = str(query.get("stream") or ""), str(query.get("label") or "")
    else:
        text = str(query.get("query", "") if isinstance(query, dict) else query or "")
        match = _LABEL_VALUES.match(text)
        if not match:
            raise SourceError(f"the stand-in covers label_values() only, got {text!r}")
        selector, label = match.group("query") or "", match.group("label")
    selector = interpolate(selector, before, {})
    prefix = "/loki/api/v1" if source.type == "loki" else "/api/v1"
    key = "query" if source.type == "loki" else "match[]"
    factor = 10**9 if source.type == "loki" else 1
    window = {"start": int(span.start * factor), "end": int(span.end * factor)}
    found = fetch(source, f"{prefix}/label/{label}/values", {key: selector or None, **window})
    values = sorted(str(value) for value in found or [])
    pattern = str(model.get("regex") or "").strip("/")
    return [value for value in values if re.search(pattern, value)] if pattern else values


def _chosen(model: dict[str, Any], variable: Variable, given: Sequence[str]) -> list[str]:
    """The value in the address, else the dashboard's default, else All or the first."""
    given = [ALL if value == "All" else value for value in given]
    if not given:
        current = (model.get("current") or {}).get("value")
        given = [str(v) for v in (current if isinstance(current, list) else [current]) if v not in (None, "")]
    if variable.kind in {"textbox", "constant"}:
        return given[:1] or [str(model.get("query") or "")]
    if ALL in given and not variable.include_all:
        given = []
    others = [value for value in given if value != ALL]
    if variable.include_all and not others:
        return [ALL]
    given = others  # a box ticked beside All means that one
    return (list(given) if variable.multi else list(given[:1])) or variable.options[:1]


def resolve(
    board: Dashboard, params: Mapping[str, Sequence[str]], store: Store, span: TimeRange
) -> dict[str, Variable]:
    """All variables of a dashboard, in order, since later ones may use earlier ones."""
    done: dict[str, Variable] = {}
    for model in (board.json.get("templating") or {}).get("list") or []:
        kind, name = str(model.get("type")), str(model.get("name"))
        variable = Variable(
            name=name,
            label=str(model.get("label") or name),
            kind=kind,
            multi=bool(model.get("multi")),
            include_all=bool(model.get("includeAll")),
            all_value=str(model.get("allValue") or ""),
            hidden=model.get("hide") == 2 or kind == "constant",
        )
        try:
            if kind == "query":
                variable.options = _choices(model, store, span, done)
            elif kind in {"custom", "interval"}:
                variable.options = [part.strip() for part in str(model.get("query") or "").split(",") if part.strip()]
            elif kind not in {"textbox", "constant"}:
                variable.problem = f"the stand-in does not cover variables of type {kind}"
        except SourceError as error:
            variable.problem = str(error)
        variable.chosen = _chosen(model, variable, params.get(f"var-{name}", ()))
        done[name] = variable
    return done
