"""Reads the records of previews and policy checks in a folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tools.comment.model import UNKNOWN, HostDrift, Record, Violation, without_secrets
from tools.errors import ToolError

PREVIEW, POLICY = ".preview.json", ".policy.json"
_FIELDS = ("policy", "resource", "message")
# The order that they are deployed in: these, then others by name, then the last.
FIRST, LAST = ("dev", "staging"), "prod"


def rank(stack: str) -> tuple[int, str]:
    """Sorts stacks as they are deployed."""
    place = FIRST.index(stack) if stack in FIRST else len(FIRST) + (stack == LAST)
    return place, stack


def read_records(folder: Path, expected: Iterable[str] = ()) -> list[Record]:
    """Every stack that has a file there, also one with results of policies alone, and every one that is expected."""
    found = {path.name.removesuffix(kind) for kind in (PREVIEW, POLICY) for path in folder.glob(f"*{kind}")}
    if not folder.is_dir():
        raise ToolError(
            f"{folder}: expected a folder with <stack>{PREVIEW} files; `python -m tools record` writes one."
        )
    return [_record(folder, stack) for stack in sorted(found | set(expected), key=rank)]


def _record(folder: Path, stack: str) -> Record:
    policies = read_policies(folder / f"{stack}{POLICY}")
    place = folder / f"{stack}{PREVIEW}"
    if not place.exists():
        return Record(stack, "its run wrote no record; see its log.", policies=policies)
    parsed = _json(place)
    if not isinstance(parsed, Mapping) or not (isinstance(parsed.get("problem"), str) or "preview" in parsed):
        raise ToolError(f"{place}: expected what `python -m tools record` writes; run it again.")
    if parsed.get("problem"):
        return Record(stack, str(parsed["problem"]), policies=policies)
    preview, outputs = parsed["preview"], parsed.get("outputs") or {}
    return Record(
        stack,
        steps=tuple(preview.get("steps") or ()),
        summary=preview.get("changeSummary") or {},
        before=known(outputs.get("before") or {}),
        after=known(outputs.get("after") or {}),
        policies=policies,
        drift=tuple(_host(one) for one in parsed.get("drift") or ()),
    )


def _host(one: Mapping[str, Any]) -> HostDrift:
    return HostDrift(str(one["host"]), tuple(map(str, one["lines"])), str(one["reason"]), bool(one["reached"]))


def known(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Outputs without what is secret or not known yet."""
    return {key: without_secrets(value) for key, value in outputs.items() if value != UNKNOWN}


def read_policies(place: Path) -> tuple[Violation, ...] | None:
    """The results in a file; None when there is no such file. ToolError describes the expected form of a broken one."""
    if not place.exists():
        return None
    parsed = _json(place)
    if not isinstance(parsed, list) or not all(isinstance(one, Mapping) and set(_FIELDS) <= set(one) for one in parsed):
        raise ToolError(
            f"{place}: expected a JSON list of objects with {', '.join(_FIELDS)} and perhaps level "
            "(mandatory, advisory)."
        )
    return tuple(Violation(**{key: str(one[key]) for key in (*_FIELDS, "level") if key in one}) for one in parsed)


def _json(place: Path) -> Any:
    try:
        return json.loads(place.read_text())
    except ValueError as error:
        raise ToolError(f"{place}: expected JSON, {error}.") from None
