"""Every query of every panel, as the dashboards describe it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from configs.dashboards.model import PROMETHEUS, Dashboard, Graph, Lacking, Logs, Panel, Variable

Form = Literal["instant", "range", "lines"]


@dataclass(frozen=True, kw_only=True)
class PanelQuery:
    """One query. `place` is where a user finds it, `empty` the description's reason for an empty result, `lacking` the
    hosts that cannot have one, `interval` the seconds between two scrapes of its jobs if they are more than the data
    source's."""

    place: str
    source: str
    form: Form
    expr: str
    empty: str = ""
    lacking: Lacking | None = None
    interval: int = 0
    variables: tuple[Variable, ...] = ()


def panel_queries(boards: Iterable[Dashboard]) -> list[PanelQuery]:
    """In the order in which they stand on the pages."""
    return numbered(question for board in boards for question in _board_queries(board))


def numbered(questions: Iterable[PanelQuery]) -> list[PanelQuery]:
    """Two of one place get numbers."""
    found: list[PanelQuery] = []
    times: Counter[str] = Counter()
    for question in questions:
        times[question.place] += 1
        again = times[question.place]
        found.append(replace(question, place=f"{question.place} ({again})") if again > 1 else question)
    return found


def _board_queries(board: Dashboard) -> Iterator[PanelQuery]:
    for row in board.rows:
        for panel in row.panels:
            place = f"{board.name} / {panel.title}"
            for name, query in _queries(panel):
                yield PanelQuery(
                    place=f"{place} / {name}" if name else place,
                    source=panel.source,
                    form=_form(panel),
                    expr=query.expr,
                    empty=query.empty,
                    lacking=getattr(query, "lacking", None),
                    interval=getattr(query, "interval", 0),
                    variables=board.variables,
                )


def _queries(panel: Panel) -> Iterator[tuple[str, Any]]:
    """What has an `expr` in a panel of any kind, also one that is added later; with a name if there are several."""
    for several in ("queries", "columns"):
        listed = getattr(panel, several, ())
        for one in listed:
            name = getattr(one, "title", "") or getattr(one, "legend", "")
            yield (name if len(listed) > 1 else ""), one
    for one in (panel, getattr(panel, "query", None)):
        if getattr(one, "expr", ""):
            yield "", one


def _form(panel: Panel) -> Form:
    """Graphs are drawn over the time range, lines are lines, and all others show the state of now."""
    if isinstance(panel, Logs):
        return "lines"
    return "range" if isinstance(panel, Graph) else "instant"


def is_promql(question: PanelQuery) -> bool:
    return question.source == PROMETHEUS
