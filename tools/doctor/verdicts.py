"""How a hub is asked, and what its answers mean: data, empty as declared, EMPTY, failed."""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from configs.dashboards.model import LOKI
from tools.doctor import selectors
from tools.doctor.queries import Form, Question, is_promql
from tools.doctor.variables import ALL, PER_HOST, RANGE, SCRAPE, STEP, WHOLE, Case, Choices, filled
from tools.errors import ToolError
from tools.hubclient import HubClient, Refused

PARALLEL = 6  # questions at a time: a hub has few cores, and people ask it too
State = Literal["ok", "declared", "EMPTY", "failed"]
Labels = Mapping[str, str]
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What came of one query or rule. `asked` counts its cases; `empty` names those without data.

    `declared` is what the description says about being empty, `words` the server's of a failed one. `seen` is how many
    seconds ago a declared one had data, looking back an hour; None: not within it, or not looked for.
    """

    place: str
    state: State
    asked: int
    expr: str
    empty: tuple[str, ...] = ()
    declared: str = ""
    words: str = ""
    seen: float | None = None


class Asker:
    """Asks one hub, several questions at a time, and counts. `told` hears of progress: (done, of how many)."""

    def __init__(self, hub: HubClient, now: float, told: Callable[[int, int], None] = lambda *_: None) -> None:
        self.hub, self.now, self.requests = hub, now, 0
        self.left_out: set[tuple[str, ...]] = set()  # variable, host, value: beyond PER_HOST
        self._told, self._lock = told, threading.Lock()

    def each(self, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """`work` on every item, in their order."""
        done = 0

        def one(item: T) -> R:
            nonlocal done
            result = work(item)
            with self._lock:
                done += 1
                self._told(done, len(items))
            return result

        with ThreadPoolExecutor(PARALLEL) as pool:
            try:
                return list(pool.map(one, items))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def labels(self, source: str, form: Form, expr: str, step: int = STEP) -> list[Labels]:
        """The label sets that have data. A series that is nothing but NaN has none."""
        with self._lock:
            self.requests += 1
        got = self._get(source, form, expr, step)["data"]
        if got["resultType"] in ("scalar", "string"):
            return [{}] if _is_data([got["result"]]) else []
        if got["resultType"] == "streams":
            return [one["stream"] for one in got["result"] if one["values"]]
        return [one["metric"] for one in got["result"] if _is_data(one.get("values") or [one["value"]])]

    def has_stream(self, selector: str) -> bool:
        """Whether Loki has a line in such a stream within the range."""
        return bool(self.labels(LOKI, "instant", f"sum(count_over_time({selector} [{RANGE}s]))"))

    def seen(self, expr: str) -> float | None:
        """How many seconds ago PromQL of an instant had data within the last hour."""
        with self._lock:
            self.requests += 1
        found = self.hub.metric_range(expr, self.now - RANGE, self.now, SCRAPE)
        stamps = [float(at) for one in found for at, value in one["values"] if not math.isnan(float(value))]
        return max(0.0, self.now - max(stamps)) if stamps else None

    def _get(self, source: str, form: Form, expr: str, step: int) -> Any:
        loki = source == LOKI
        at = (lambda moment: str(int(moment * 1e9))) if loki else str
        root = "/loki/api/v1/" if loki else "/api/v1/"
        if form == "instant":
            return self.hub.get(f"{root}query", query=expr, time=at(self.now))
        window = {"start": at(self.now - RANGE), "end": at(self.now)}
        more = {"limit": "1"} if form == "lines" else {"step": str(step)}
        return self.hub.get(f"{root}query_range", query=expr, **window, **more)


def _is_data(values: Iterable[Sequence[Any]]) -> bool:
    return any(not math.isnan(float(value)) for _, value in values)


def judge(asker: Asker, choices: Choices, questions: Sequence[Question]) -> list[Verdict]:
    """One verdict per query, in their order."""
    cases = [_cases(choices, question) for question in questions]
    rounds = asker.each(lambda pair: _round(asker, *pair), list(zip(questions, cases, strict=True)))
    alive = _values_with_data(questions, rounds)
    return asker.each(lambda pair: _verdict(asker, pair[0], pair[1], alive), list(zip(questions, rounds, strict=True)))


@dataclass(frozen=True)
class _Round:
    """What a question's cases came to. `words`: what the server said when it failed."""

    cases: tuple[Case, ...]
    empty: tuple[Case, ...] = ()
    words: str = ""
    missing: tuple[str, ...] = ()  # behind a zero: what it counts does not exist


def _cases(choices: Choices, question: Question) -> list[Case] | Refused:
    """The cases, or what the server says about a variable of the board."""
    try:
        return choices.cases(question)
    except Refused as refused:
        return refused


def _round(asker: Asker, question: Question, cases: list[Case] | Refused) -> _Round:
    try:
        if isinstance(cases, Refused):
            return _Round((ALL,), words=f"the choices of a variable: {cases.words}")
        if selectors.has_zero(question.expr):
            # It answers whatever the choice is; what counts is that there is something behind it.
            asker.labels(question.source, question.form, filled(question.expr, question.variables, ALL))
            return _Round((ALL,), missing=tuple(_missing(asker, question)))
        known = _ask(asker, question, ALL)
        if not known:
            return _Round((ALL,), (ALL,))
        stands = _stand_in(cases, question, known)
        shown = [case for case, there in zip(cases, stands, strict=True) if there]
        rest = _first_of_each_host(asker, [case for case, there in zip(cases, stands, strict=True) if not there])
        empty = [case for case in rest if not _ask(asker, question, case)]
        return _Round((*shown, *rest), tuple(empty))
    except Refused as refused:
        return _Round((ALL,), words=refused.words)
    except ToolError as problem:
        return _Round((ALL,), words=str(problem))


def _first_of_each_host(asker: Asker, cases: Sequence[Case]) -> list[Case]:
    """Every case of a host, and of other variables PER_HOST for each host; the others are counted."""
    found: list[Case] = []
    taken: Counter[tuple[str, str]] = Counter()
    for case in cases:
        name, value = list(case.items())[-1]
        taken[name, case.get("host", "")] += 1
        if name in WHOLE or taken[name, case.get("host", "")] <= PER_HOST:
            found.append(case)
        else:
            asker.left_out.add((name, case.get("host", ""), value))
    return found


def _ask(asker: Asker, question: Question, case: Case) -> list[Labels]:
    found = asker.labels(question.source, question.form, filled(question.expr, question.variables, case))
    if not found and question.form == "range":
        finer = filled(question.expr, question.variables, case, SCRAPE)
        found = asker.labels(question.source, "range", finer, SCRAPE)
    return found


def _stand_in(cases: Sequence[Case], question: Question, known: Sequence[Labels]) -> list[bool]:
    """For each case, whether the answer for All has a series of this very value; All has. Of lines only the newest was
    given, so all other cases are asked."""
    label = {one.name: one.label or one.name for one in question.variables}
    there: dict[tuple[str, ...], set[tuple[str | None, ...]]] = {}  # variables -> their values in the answer
    found = []
    for case in cases:
        names = tuple(case)
        if names not in there:
            there[names] = {tuple(one.get(label[name]) for name in names) for one in known}
        found.append(not names or (question.form != "lines" and tuple(case.values()) in there[names]))
    return found


def _missing(asker: Asker, question: Question) -> list[str]:
    """What a query with a zero of its own counts and the hub does not know."""
    expr = filled(question.expr, question.variables, ALL)
    if not is_promql(question):
        return [one for one in selectors.of_logql(expr) if not asker.has_stream(one)]
    try:
        metrics = selectors.metrics_of(expr)
    except selectors.NotParsed:
        return []  # the server took it
    return [one for one in metrics if not asker.labels(question.source, "instant", f"count({one})")]


def _values_with_data(questions: Sequence[Question], rounds: Sequence[_Round]) -> set[tuple[str, str]]:
    """(variable, value) with data somewhere. A fixed list has values that need not occur, such as a level `fatal`."""
    return {
        pair
        for question, one in zip(questions, rounds, strict=True)
        if not one.words
        for case in _without(one.cases, one.empty)
        for pair in case.items()
    }


def _key(case: Case) -> tuple[tuple[str, str], ...]:
    return tuple(case.items())


def _without(cases: Iterable[Case], others: Iterable[Case]) -> list[Case]:
    gone = {_key(case) for case in others}
    return [case for case in cases if _key(case) not in gone]


def _verdict(asker: Asker, question: Question, one: _Round, alive: set[tuple[str, str]]) -> Verdict:
    fixed = {variable.name for variable in question.variables if variable.values}
    judged = [
        case for case in one.cases if not any(name in fixed and (name, v) not in alive for name, v in case.items())
    ]
    fine = {_key(case) for case in _without(judged, one.empty)}
    empty = [case for case in judged if _key(case) not in fine]
    texts = tuple(", ".join(f"{name}={value}" for name, value in case.items()) or "All" for case in empty)
    texts += tuple(f"behind its zero: {name}" for name in one.missing)
    state: State = "failed" if one.words else "ok" if not texts else "declared" if question.empty else "EMPTY"
    seen = None
    if state == "declared" and ALL in empty and question.form == "instant" and is_promql(question):
        seen = asker.seen(filled(question.expr, question.variables, ALL))
    return Verdict(
        place=question.place,
        state=state,
        asked=len(judged),
        expr=question.expr,
        empty=texts,
        declared=question.empty,
        words=one.words,
        seen=seen,
    )
