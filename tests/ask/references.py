"""Reference answers: building blocks expanded, executed, and compared with an answer's own query."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import yaml

from ask.client import Away, Hub
from ask.compose import Query
from tests.ask.seed import AT

FOLDER = Path(__file__).parent
_BLOCK = re.compile(r"@(\w+)\{([^{};]*(?:;[^{}]*)?)\}")
_SPAN = re.compile(r"-?(\d+)([smhdw])")
_SIZES = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
Result = list[tuple[dict[str, str], tuple[float, ...]]]


def questions(half: str) -> list[dict[str, Any]]:
    """The questions of a half."""
    found: list[dict[str, Any]] = yaml.safe_load((FOLDER / f"questions-{half}.yaml").read_text())
    return found


def blocks() -> dict[str, str]:
    """The building blocks."""
    found: dict[str, str] = yaml.safe_load((FOLDER / "references.yaml").read_text())
    return found


def expand(text: str, known: dict[str, str]) -> str:
    """A reference with its building blocks replaced."""

    def one(match: re.Match[str]) -> str:
        matchers, *options = match[2].split(";")
        chosen = dict(option.split("=", 1) for option in options)
        expr = known[match[1]].replace("<m>", f",{matchers}" if matchers else "")
        offset = f" offset {chosen['offset']}" if "offset" in chosen else ""
        return f"({expr.replace('<o>', offset).replace('<w>', chosen.get('window', '5m'))})"

    return _BLOCK.sub(one, text)


def span(text: str) -> float:
    """Seconds of a length such as `3h`."""
    found = _SPAN.fullmatch(text)
    assert found, text
    return int(found[1]) * _SIZES[found[2]]


def expected(raw: Any, known: dict[str, str]) -> list[Query | str]:
    """Each acceptable answer: a query, or `abstain` or `refused`."""
    if isinstance(raw, dict) and "any" in raw:
        return [one for each in raw["any"] for one in expected(each, known)]
    if raw in ("abstain", "refused"):
        return [raw]
    if isinstance(raw, str):
        return [Query(expand(raw, known), "promql", AT, AT)]
    at = AT - span(raw["at"].lstrip("-")) if "at" in raw else AT
    start = at - span(raw["range"]) if "range" in raw else at
    if "logql" in raw:
        return [Query(raw["logql"], "logql", start, at, "lines" if "range" in raw else "value")]
    return [Query(expand(raw["query"], known), "promql", start, at)]


def execute(hub: Hub, query: Query) -> Result:
    """The values of a query; lines as one value for each."""
    logs = query.language == "logql"
    if query.form == "lines":
        found = hub.lines(query.text, query.start, query.end, 1000)
        return [({}, tuple(sorted(float(one[0]) for each in found for one in each["values"])))]
    if query.start != query.end:
        series = hub.range(query.text, query.start, query.end, max(60, (query.end - query.start) // 60), logs)
        return [(one["metric"], tuple(float(v) for _, v in one["values"])) for one in series]
    series = hub.instant(query.text, query.end, logs)
    return [(one["metric"], (float(one["value"][1]),)) for one in series]


def _close(left: tuple[float, ...], right: tuple[float, ...]) -> bool:
    if abs(len(left) - len(right)) > 1:
        return False
    return all(
        math.isclose(a, b, rel_tol=0.02, abs_tol=1e-9) or (math.isnan(a) and math.isnan(b))
        for a, b in zip(left, right, strict=False)
    )


def same(reference: Result, answer: Result) -> bool:
    """Each series of one has a series of the other with the same values, whose common labels agree."""
    if len(reference) != len(answer):
        return False
    rest = list(answer)
    for labels, values in reference:
        for one in rest:
            common = set(labels) & set(one[0])
            if _close(values, one[1]) and all(labels[key] == one[0][key] for key in common):
                rest.remove(one)
                break
        else:
            return False
    return True


def judge(hub: Hub, options: list[Query | str], answer: Query | None) -> str:
    """`right`, `abstained` or `wrong`."""
    if answer is None:
        return "right" if any(isinstance(one, str) for one in options) else "abstained"
    try:
        found = execute(hub, answer)
    except Away:
        return "wrong"
    for one in options:
        if isinstance(one, str):
            continue
        same_form = (one.form == "lines") == (answer.form == "lines")
        same_form = same_form and (one.start != one.end) == (answer.start != answer.end)
        if same_form and same(execute(hub, one), found):
            return "right"
    return "wrong"
