"""The catalogue file, read and prepared for ranking: entries of one expression are one, with the phrasings of all."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ask import promql, rules, words

FORMAT = 1
EVERYWHERE = {"env", "host"}  # labels that every series has: the agents add them
_ALERT = re.compile(r"(?<=[a-z])(?=[A-Z])")


class CatalogueError(ValueError):
    """The file cannot be used: what is wrong with it."""


@dataclass(frozen=True)
class Entry:
    """A panel's query, an alert or a recording rule."""

    id: str
    kind: str
    board: str
    title: str
    name: str
    meaning: str
    unit: str
    language: str
    form: str
    expr: str
    interval: int = 0
    variables: dict[str, str] = field(default_factory=dict)
    present: frozenset[str] = frozenset()  # labels that a series must have if a variable restricts them
    phrasings: tuple[str, ...] = ()
    severity: str = ""
    runbook: str = ""
    wait: str = ""
    checks: tuple[str, ...] = ()
    metrics: frozenset[str] = frozenset()

    @property
    def documents(self) -> list[tuple[str, ...]]:
        """The content terms of each phrasing and of the titles."""
        texts = [*self.phrasings, f"{self.title} {self.name}" if self.kind == "panel" else ""]
        if self.kind == "alert":
            texts.append(_ALERT.sub(" ", self.title))
        found = [words.content(re.sub(r"\{\{.*?\}\}", " ", text)) for text in texts]
        return [one for one in dict.fromkeys(found) if one]


@dataclass(frozen=True)
class Catalogue:
    """`panels` are the entries that answer questions, merged by expression; `metrics` are those of all entries."""

    jobs: tuple[str, ...]
    panels: tuple[Entry, ...]
    alerts: dict[str, Entry]
    metrics: frozenset[str]


def filled(expr: str, rate: str = "5m", window: str = "1h") -> str:
    """The expression with windows instead of Grafana's variables."""
    return (
        expr.replace("$__rate_interval", rate)
        .replace("$__range", window)
        .replace("$__auto", rate)
        .replace("$__interval", "1m")
    )


def load(text: str) -> Catalogue:
    """From the file's text."""
    try:
        document = json.loads(text)
        if document["format"] != FORMAT:
            raise CatalogueError(f"catalogue: format {document['format']!r}, expected {FORMAT}: render it again")
        entries = tuple(_entry(one) for one in document["entries"])
    except (ValueError, KeyError, TypeError) as problem:
        if isinstance(problem, CatalogueError):
            raise
        raise CatalogueError(f"catalogue: not a catalogue file ({type(problem).__name__}: {problem})") from None
    panels = _merged([one for one in entries if one.kind != "alert"])
    alerts = {one.title: replace(one, unit=_unit(one, panels)) for one in entries if one.kind == "alert"}
    known = frozenset(name for one in entries for name in one.metrics)
    return Catalogue(tuple(document["jobs"]), panels, alerts, known)


def read(path: Path) -> Catalogue:
    """From the file."""
    return load(path.read_text(encoding="utf-8"))


def _entry(raw: dict[str, Any]) -> Entry:
    metrics: frozenset[str] = frozenset()
    expr = raw["expr"]
    if raw["kind"] == "record":
        expr = raw["title"]
    if raw["language"] == "promql":
        try:
            metrics = frozenset(promql.names(promql.parse(filled(expr))))
        except promql.NotPromQL as problem:
            raise CatalogueError(f"catalogue: {raw['id']}: not PromQL: {problem}") from None
    return Entry(
        id=raw["id"],
        kind=raw["kind"],
        board=raw.get("board", ""),
        title=raw["title"],
        name=raw.get("name", ""),
        meaning=raw["meaning"],
        unit=raw["unit"],
        language=raw["language"],
        form=raw["form"],
        expr=expr,
        interval=raw.get("interval", 0),
        variables=raw.get("variables", {}),
        present=frozenset(raw.get("present", ())) - EVERYWHERE,
        phrasings=tuple(raw["phrasings"]),
        severity=raw.get("severity", ""),
        runbook=raw.get("runbook", ""),
        wait=raw.get("for", ""),
        checks=tuple(raw.get("checks", ())),
        metrics=metrics,
    )


def _unit(alert: Entry, panels: tuple[Entry, ...]) -> str:
    """The unit of the values that an alert looks at: that of the panels that show the same values."""
    if alert.language != "promql":
        return ""
    values = rules.core(rules.looked_at(alert.expr).text)
    same = [one for one in panels if one.metrics == alert.metrics and one.language == "promql"]
    units = {one.unit for one in same if rules.core(filled(one.expr)) == values}
    return units.pop() if len(units) == 1 else ""


def _merged(entries: list[Entry]) -> tuple[Entry, ...]:
    """One entry for each expression, the first with the phrasings of all; graphs come before tables and numbers."""
    order = {"series": 0, "value": 1, "lines": 1}
    found: dict[str, Entry] = {}
    for one in sorted(entries, key=lambda entry: order[entry.form]):
        same = found.get(one.expr)
        if same is None:
            found[one.expr] = one
        else:
            found[one.expr] = replace(same, phrasings=tuple(dict.fromkeys((*same.phrasings, *one.phrasings))))
    return tuple(found.values())
