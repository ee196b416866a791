"""Queries against a hub, and the verdict on each answer: data, empty as declared, EMPTY, failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from configs.dashboards.model import PROMETHEUS
from tools.doctor import selectors
from tools.doctor.querier import Labels, Querier
from tools.doctor.queries import PanelQuery, is_promql
from tools.doctor.short_lived import REASON, short_lived
from tools.doctor.variables import ALL, PER_HOST, SCRAPE, WHOLE, Case, Choices, asked
from tools.errors import ToolError
from tools.hubclient import Refused

State = Literal["ok", "declared", "EMPTY", "failed"]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The result of one query or rule. `cases` is their number; `empty` names those without data.

    `declared` is the description's reason for being empty, `error` the server's message about a failed one. `seen` is
    how many seconds ago a declared one had data, looking back an hour; None: not within it, or not looked for.
    """

    place: str
    state: State
    cases: int
    expr: str
    empty: tuple[str, ...] = ()
    declared: str = ""
    error: str = ""
    seen: float | None = None


def judge(querier: Querier, choices: Choices, questions: Sequence[PanelQuery]) -> list[Verdict]:
    """One verdict per query, in their order."""
    cases = [_cases(choices, question) for question in questions]
    rounds = querier.each(lambda pair: _round(querier, *pair), list(zip(questions, cases, strict=True)))
    alive = _values_with_data(questions, rounds)
    return querier.each(
        lambda pair: _verdict(querier, pair[0], pair[1], alive), list(zip(questions, rounds, strict=True))
    )


@dataclass(frozen=True)
class _Round:
    """The results of a query's cases. `error`: the server's message if one failed."""

    cases: tuple[Case, ...]
    empty: tuple[Case, ...] = ()
    error: str = ""
    missing: tuple[str, ...] = ()  # behind a zero: what it counts does not exist
    excused: tuple[Case, ...] = ()  # of the empty ones: no selected host or container can have the series


def _cases(choices: Choices, question: PanelQuery) -> list[Case] | Refused:
    """The cases, or the server's error about a variable of the dashboard."""
    try:
        return choices.cases(question)
    except Refused as refused:
        return refused


def _round(querier: Querier, question: PanelQuery, cases: list[Case] | Refused) -> _Round:
    try:
        if isinstance(cases, Refused):
            return _Round((ALL,), error=f"the values of a variable: {cases.message}")
        if selectors.has_zero(question.expr):
            # It has an answer for every value; what matters is that the metrics behind the zero exist.
            querier.labels(question.source, question.form, asked(question, ALL))
            return _Round((ALL,), missing=tuple(_missing(querier, question)))
        known = _query(querier, question, ALL)
        if not known:
            return _Round((ALL,), (ALL,), excused=_excused(querier, question, [ALL]))
        stands = _stand_in(cases, question, known)
        shown = [case for case, there in zip(cases, stands, strict=True) if there]
        rest = _first_of_each_host(querier, [case for case, there in zip(cases, stands, strict=True) if not there])
        empty = [case for case in rest if not _query(querier, question, case)]
        return _Round((*shown, *rest), tuple(empty), excused=_excused(querier, question, empty))
    except Refused as refused:
        return _Round((ALL,), error=refused.message)
    except ToolError as problem:
        return _Round((ALL,), error=str(problem))


def _first_of_each_host(querier: Querier, cases: Sequence[Case]) -> list[Case]:
    """Every case of a host, and of other variables PER_HOST for each host; the others are counted."""
    found: list[Case] = []
    taken: Counter[tuple[str, str]] = Counter()
    for case in cases:
        name, value = list(case.items())[-1]
        taken[name, case.get("host", "")] += 1
        if name in WHOLE or taken[name, case.get("host", "")] <= PER_HOST:
            found.append(case)
        else:
            querier.left_out.add((name, case.get("host", ""), value))
    return found


def _query(querier: Querier, question: PanelQuery, case: Case) -> list[Labels]:
    found = querier.labels(question.source, question.form, asked(question, case))
    if not found and question.form == "range":
        finer = asked(question, case, SCRAPE)
        found = querier.labels(question.source, "range", finer, SCRAPE)
    return found


def _excused(querier: Querier, question: PanelQuery, empty: Sequence[Case]) -> tuple[Case, ...]:
    """Those of the empty cases in which every selected host reports that it lacks what the query needs, or whose
    container ended too early."""
    found = [case for case in empty if short_lived(querier, case)]
    if question.lacking is not None:
        fact = replace(question, expr=question.lacking.hosts, form="instant")
        found += [case for case in empty if querier.labels(PROMETHEUS, "instant", asked(fact, case))]
    return tuple(found)


def _stand_in(cases: Sequence[Case], question: PanelQuery, known: Sequence[Labels]) -> list[bool]:
    """For each case, whether the answer for All has a series of this value; All has. Of log lines only the newest was
    returned, so all other cases are queried."""
    label = {one.name: one.label or one.name for one in question.variables}
    there: dict[tuple[str, ...], set[tuple[str | None, ...]]] = {}  # variables -> their values in the answer
    found = []
    for case in cases:
        names = tuple(case)
        if names not in there:
            there[names] = {tuple(one.get(label[name]) for name in names) for one in known}
        found.append(not names or (question.form != "lines" and tuple(case.values()) in there[names]))
    return found


def _missing(querier: Querier, question: PanelQuery) -> list[str]:
    """The metrics or streams behind a query's zero that the hub does not know."""
    expr = asked(question, ALL)
    if not is_promql(question):
        return [one for one in selectors.logql_selectors(expr) if not querier.has_stream(one)]
    try:
        metrics = selectors.metric_names(expr)
    except selectors.NotParsed:
        return []  # the server took it
    return [one for one in metrics if not querier.labels(question.source, "instant", f"count({one})")]


def _values_with_data(questions: Sequence[PanelQuery], rounds: Sequence[_Round]) -> set[tuple[str, str]]:
    """(variable, value) with data somewhere. A fixed list has values that need not occur, such as a level `fatal`."""
    return {
        pair
        for question, one in zip(questions, rounds, strict=True)
        if not one.error
        for case in _without(one.cases, one.empty)
        for pair in case.items()
    }


def _key(case: Case) -> tuple[tuple[str, str], ...]:
    return tuple(case.items())


def _without(cases: Iterable[Case], others: Iterable[Case]) -> list[Case]:
    gone = {_key(case) for case in others}
    return [case for case in cases if _key(case) not in gone]


def _verdict(querier: Querier, question: PanelQuery, one: _Round, alive: set[tuple[str, str]]) -> Verdict:
    fixed = {variable.name for variable in question.variables if variable.values}
    judged = [
        case for case in one.cases if not any(name in fixed and (name, v) not in alive for name, v in case.items())
    ]
    fine = {_key(case) for case in _without(judged, one.empty)}
    empty = [case for case in judged if _key(case) not in fine]
    faults = _without(empty, one.excused)
    lacking = question.lacking.reason if question.lacking else REASON if one.excused else ""
    reason = question.empty or ("" if faults else lacking)
    listed = empty if reason else faults
    texts = tuple(", ".join(f"{name}={value}" for name, value in case.items()) or "All" for case in listed)
    texts += tuple(f"behind its zero: {name}" for name in one.missing)
    state: State = "failed" if one.error else "ok" if not texts else "declared" if reason else "EMPTY"
    seen = None
    if state == "declared" and ALL in empty and question.form == "instant" and is_promql(question):
        seen = querier.seen(asked(question, ALL))
    return Verdict(
        place=question.place,
        state=state,
        cases=len(judged),
        expr=question.expr,
        empty=texts,
        declared=reason,
        error=one.error,
        seen=seen,
    )
