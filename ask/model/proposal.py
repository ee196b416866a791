"""What a model proposes: an entry of the catalogue, or a query in PromQL or LogQL. Checked before anything is executed.

A proposal has no text that a user is shown, except the query. Every metric must exist, by its name; every value of a
label that discovery knows must exist; functions that write texts into labels are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import promql_parser as parser

from ask import promql, safety
from ask.catalogue import Entry
from ask.compose import Query
from ask.engine import Engine
from ask.grammar import Wants
from ask.model import log_proposal
from ask.model.masking import Masks
from ask.moments import Times
from ask.plan import Plan
from ask.reading import Reading
from ask.safety import Refused
from ask.world import LABELS, World

CONFIDENCE = 0.5
LONGEST = 2000  # characters of a proposed query
UNITS = ("", "percentunit", "bytes", "binBps", "s", "cps", "reqps")
_LENGTH = re.compile(r"([1-9]\d{0,5})([smhdw])")
_SIZES = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_TEXT = {
    "entry": "The id of an entry, if `answer` is entry; else empty.",
    "promql": "One PromQL expression, if `answer` is promql; else empty.",
    "logql": "One LogQL query, if `answer` is logql; else empty.",
    "range": "The length of the time range for a chart or of log lines, such as 6h; empty for one value.",
    "ends_ago": "How long ago the time range or the moment ends, such as 1d; empty for now.",
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "answer": {
            "type": "string",
            "enum": ["entry", "promql", "logql", "none"],
            "description": "entry: an entry fits as it is. promql, logql: a query is needed. none: nothing fits.",
        },
        **{name: {"type": "string", "description": text} for name, text in _TEXT.items()},
        "unit": {"type": "string", "enum": list(UNITS), "description": "The unit of the query's values."},
    },
    "required": ["answer", *_TEXT, "unit"],
    "additionalProperties": False,
}


class Invalid(ValueError):
    """Not a proposal of the schema: which field, and what was expected."""


@dataclass(frozen=True)
class Proposal:
    """The fields of the schema."""

    answer: str
    entry: str = ""
    promql: str = ""
    logql: str = ""
    range: float = 0.0
    ends_ago: float = 0.0
    unit: str = ""


def read(raw: Mapping[str, Any]) -> Proposal:
    """A proposal of the right types. Fields that a model leaves out are empty. Raises Invalid."""
    answer = raw.get("answer")
    if not isinstance(answer, str) or answer not in {"entry", "promql", "logql", "none"}:
        raise Invalid("answer: expected entry, promql, logql or none")
    texts = {}
    for name in (*_TEXT, "unit"):
        value = raw.get(name, "")
        if value is not None and not isinstance(value, str):
            raise Invalid(f"{name}: expected a text")
        texts[name] = (value or "").strip()
    if texts["unit"] not in UNITS:
        raise Invalid(f"unit: expected one of {', '.join(filter(None, UNITS))}, or empty")
    length = {name: _seconds(name, texts[name]) for name in ("range", "ends_ago")}
    queries = texts["entry"], texts["promql"], texts["logql"]
    return Proposal(answer, *queries, length["range"], length["ends_ago"], texts["unit"])


def _seconds(name: str, text: str) -> float:
    found = _LENGTH.fullmatch(text)
    if text and not found:
        raise Invalid(f"{name}: expected a number with s, m, h, d or w, such as 6h")
    return float(int(found[1]) * _SIZES[found[2]]) if found else 0.0


@dataclass(frozen=True)
class Checker:
    """What proposals for one question are checked against."""

    engine: Engine
    world: World
    reading: Reading
    masks: Masks
    entries: Mapping[str, Entry]
    now: float

    def plan(self, one: Proposal) -> Plan:
        """The query to execute. Raises Refused with the reason, which the model is sent."""
        if one.answer == "entry":
            if one.entry not in self.entries:
                raise Refused("There is no entry of this id.")
            return self.engine.chosen(self.reading, self.entries[one.entry], self.world, CONFIDENCE)
        return self._of_logs(one) if one.answer == "logql" else self._of_query(one)

    def _of_logs(self, one: Proposal) -> Plan:
        limits, end = replace(self.engine.limits, length=LONGEST), self.now - one.ends_ago
        query = log_proposal.query(one.logql, one.range, end, self.now, self.world, self.masks, limits)
        times = Times(query.start, query.end, window=query.start != query.end)
        reading = replace(self.reading, wants=Wants(), times=times)
        return Plan(reading=reading, query=query, confidence=CONFIDENCE)

    def _of_query(self, one: Proposal) -> Plan:
        limits = replace(self.engine.limits, length=LONGEST)
        tree = safety.check(one.promql, self.world.metrics, limits, self.now, exact=True)
        text = promql.text(tree, self.masks.unmasked)
        tree = safety.check(text, self.world.metrics, limits, self.now, exact=True)
        if any(isinstance(node, parser.StringLiteral) for node in promql.walk(tree)):
            raise Refused("Functions that take a text, such as label_replace, are not allowed.")
        for each in promql.selectors(tree):
            self._selector(each)
        end = self.now - one.ends_ago
        start = end - one.range
        safety.time_range(start, end, self.now, limits)
        if self.now - start > limits.range:
            raise Refused("The time is too long ago.")
        query = Query(text, "promql", start, end, "series" if one.range else "value")
        names = promql.names(tree)
        entry = Entry("", "model", "", ", ".join(sorted(names)[:3]), "", "", self._unit(one, names), "promql", "", text)
        reading = replace(self.reading, wants=Wants(), times=Times(start, end, window=bool(one.range)))
        return Plan(reading=reading, query=query, entry=entry, confidence=CONFIDENCE)

    def _selector(self, one: promql.Selector) -> None:
        if any(matcher.label == "__name__" for matcher in one.matchers):
            raise Refused("Write the metric's name before the braces.")
        if one.name not in self.world.metrics:
            raise Refused(f"There is no metric {one.name}.")
        own = self.world.apps[one.name].labels if one.name in self.world.apps else {}
        for matcher in one.matchers:
            if own and matcher.label not in own and matcher.value:
                raise Refused(f"{one.name} has no label {matcher.label}.")
            known = own.get(matcher.label) or (self.world.values(matcher.label) if matcher.label in LABELS else None)
            if known and matcher.op == "=" and matcher.value and matcher.value not in known:
                raise Refused(f"The label {matcher.label} has no such value.")

    def _unit(self, one: Proposal, names: set[str]) -> str:
        """The unit of the catalogue's entries about the same metrics, if they agree; else the proposed one."""
        same = {entry.unit for entry in self.engine.entries.values() if entry.metrics == names}
        return same.pop() if len(same) == 1 and not one.unit else one.unit


def as_document(raw: object) -> dict[str, Any]:
    """A rejected proposal as the next request repeats it: the fields of the schema alone, bounded."""
    if not isinstance(raw, dict):
        return {}
    fields = cast("dict[str, Any]", raw)
    return {name: str(fields[name])[:LONGEST] for name in SCHEMA["properties"] if name in fields}
