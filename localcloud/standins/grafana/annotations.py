"""A dashboard's annotation queries: moments that every graph of the page marks. Lines of Loki only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .provisioning import Dashboard, Store
from .queries import Result, lines_of
from .sources import SourceError, fetch
from .timerange import TimeRange
from .variables import Variables, interpolate

MOST = 100


@dataclass(frozen=True)
class Mark:
    """One moment, in seconds."""

    time: float
    text: str
    colour: str


def _asked(model: dict[str, Any], store: Store, span: TimeRange, variables: Variables) -> list[Mark]:
    source = store.find_source(model.get("datasource"))
    if source is None or source.type != "loki":
        raise SourceError("the stand-in marks lines of Loki only")
    window = {"start": int(span.start * 1e9), "end": int(span.end * 1e9), "limit": MOST}
    expr = interpolate(str(model.get("expr") or ""), variables, {})
    data = fetch(source, "/loki/api/v1/query_range", {"query": expr, **window})
    colour = str(model.get("iconColor") or "blue")
    return [Mark(line.time, line.text, colour) for line in lines_of(data)]


def marks(board: Dashboard, store: Store, span: TimeRange, variables: Variables) -> tuple[list[Mark], Result]:
    """The marks, and what went wrong with a query."""
    found, result = [], Result()
    for model in (board.json.get("annotations") or {}).get("list") or []:
        if not model.get("enable") or model.get("builtIn"):
            continue
        try:
            found += _asked(model, store, span, variables)
        except SourceError as error:
            result.problems.append(f"{model.get('name')}: {error}")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            result.problems.append(f"{model.get('name')}: an unexpected answer ({type(error).__name__})")
    return found, result
