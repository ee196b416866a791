"""What assistants of others may call: five tools over the same answers, limits, checks and audit as the HTTP API."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ask.catalogue import Entry
from ask.reading import Context
from ask.service import inventory, queries, web
from ask.service.accounts import Caller
from ask.service.answering import Asked
from ask.service.problems import invalid, not_found
from ask.service.service import Service

SERIES = 20  # of an answer, for a program that reads them as text
POINTS = 60  # of each of them
_TIME = Field(default=None, ge=0, le=253402300800, description="Seconds since 1970; now if left out.")


class Arguments(BaseModel):
    """Of a tool; what is unknown is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class AskArguments(Arguments):
    """A question, and those that it continues."""

    question: str = Field(description="A question in plain language about one value, such as: cpu of web-1 yesterday.")
    earlier: tuple[Annotated[str, Field(max_length=2000)], ...] = Field(
        default=(), max_length=6, description="Questions that this one continues, the oldest first."
    )


class AlertArguments(Arguments):
    """An alert by its name."""

    alert: str = Field(max_length=200, description="The name of an alert, such as DiskUsed.")


class QueryArguments(Arguments):
    """A query with its time range."""

    query: str = Field(min_length=1, max_length=50_000, description="PromQL, or LogQL with its stream selector.")
    language: Literal["promql", "logql"] = "promql"
    start: float | None = _TIME
    end: float | None = _TIME


class MetricsArguments(Arguments):
    """Which metrics."""

    search: str = Field(default="", max_length=200, description="A part of the name.")
    service: str = Field(default="", max_length=200, description="A service that has the metric.")
    after: str = Field(default="", max_length=500, description="The last name of the page before.")
    limit: int = Field(default=100, ge=1, le=1000)


class CatalogueArguments(Arguments):
    """Which entries."""

    search: str = Field(default="", max_length=200, description="A part of the title, the meaning or a phrasing.")
    kind: Literal["panel", "alert"] = "panel"
    limit: int = Field(default=50, ge=1, le=500)


@dataclass(frozen=True)
class Tool:
    """A tool as it is listed. `counted`: it counts as a question of the caller's limit."""

    name: str
    title: str
    description: str
    arguments: type[Arguments]
    run: Callable[[Service, Caller, Any, str], dict[str, Any]]
    counted: bool = True

    def schema(self) -> dict[str, Any]:
        """The JSON schema of the arguments."""
        return self.arguments.model_json_schema()


def _ask(service: Service, caller: Caller, given: AskArguments, address: str) -> dict[str, Any]:
    before = [one for one in given.earlier if one.strip()]
    context = Context(before[-1], earlier=tuple(before[:-1])) if before else Context()
    return _shortened(service.answering.answer(caller, Asked(given.question, context, address)))


def _explain(service: Service, caller: Caller, given: AlertArguments, address: str) -> dict[str, Any]:
    alerts = service.knowledge.engine.catalogue.alerts
    folded = {name.lower(): name for name in alerts}
    name = folded.get(given.alert.strip().lower())
    if name is None:
        near = difflib.get_close_matches(given.alert.strip().lower(), folded, n=3, cutoff=0.5)
        meant = f" Did you mean {' or '.join(folded[one] for one in near)}?" if near else ""
        raise not_found(f"There is no alert {given.alert.strip()[:60]!r}.{meant}")
    return _shortened(service.answering.answer(caller, Asked(f"why did {name} fire?", Context(), address)))


def _query(service: Service, caller: Caller, given: QueryArguments, address: str) -> dict[str, Any]:
    wanted = queries.wanted(given.query, given.language, given.start, given.end)
    return service.queries.run(caller, wanted, address)


def _metrics(service: Service, _: Caller, given: MetricsArguments, _address: str) -> dict[str, Any]:
    found = inventory.metrics(service.pool, given.search, given.service, given.after, given.limit)
    return {"metrics": [{name: one[name] for name in ("name", "kind", "inferred", "meaning")} for one in found]}


def _catalogue(service: Service, _: Caller, given: CatalogueArguments, _address: str) -> dict[str, Any]:
    catalogue = service.knowledge.engine.catalogue
    entries = catalogue.alerts.values() if given.kind == "alert" else catalogue.panels
    text = given.search.lower()
    found = [one for one in entries if any(text in part.lower() for part in (one.title, one.meaning, *one.phrasings))]
    return {"entries": [_shown(one) for one in found[: given.limit]], "more": max(0, len(found) - given.limit)}


def _shown(one: Entry) -> dict[str, Any]:
    found: dict[str, Any] = {
        "title": one.title,
        "name": one.name,
        "meaning": one.meaning,
        "unit": one.unit,
        "query": one.expr,
    }
    found |= {"language": one.language, "questions": list(one.phrasings[:3])}
    return found | ({"severity": one.severity, "runbook": one.runbook} if one.kind == "alert" else {})


def _shortened(found: dict[str, Any]) -> dict[str, Any]:
    """An answer without points that a reader of text has no use for."""
    series = [{**one, "values": one["values"][:: 1 + len(one["values"]) // POINTS]} for one in found["series"][:SERIES]]
    return {**found, "series": series}


TOOLS = (
    Tool(
        "ask",
        "Ask the fleet",
        "Answers a question in plain language from the fleet's metrics and logs: a sentence with value and unit, the "
        "query, what was assumed. Abstains with other readings rather than guess.",
        AskArguments,
        _ask,
    ),
    Tool(
        "explain_alert",
        "Explain an alert",
        "What an alert means, whether and where it fires, the values around it, the runbook's first checks, related "
        "log lines.",
        AlertArguments,
        _explain,
    ),
    Tool(
        "run_query",
        "Run a query",
        "Executes a PromQL or LogQL query after it passed the same checks as the assistant's own: metrics that exist, "
        "bounded ranges and cost.",
        QueryArguments,
        _query,
    ),
    Tool(
        "list_metrics",
        "List metrics",
        "The metrics that the fleet has, with their type.",
        MetricsArguments,
        _metrics,
        counted=False,
    ),
    Tool(
        "list_catalogue",
        "List what is known",
        "The panels or alerts of the fleet with their meaning, unit, query, and questions that lead to them.",
        CatalogueArguments,
        _catalogue,
        counted=False,
    ),
)
BY_NAME = {one.name: one for one in TOOLS}


def call(service: Service, caller: Caller, name: str, arguments: dict[str, Any], address: str) -> dict[str, Any]:
    """The result of a tool. Raises Problem."""
    tool = BY_NAME.get(name)
    if tool is None:
        raise invalid("tool_unknown", f"There is no tool {name[:60]!r}; expected one of {', '.join(BY_NAME)}.")
    try:
        given = tool.arguments.model_validate(arguments)
    except ValidationError as problem:
        raise web.invalid_body(list(problem.errors())) from None
    if tool.counted:
        web.limited(service, caller)
    return tool.run(service, caller, given, address)
