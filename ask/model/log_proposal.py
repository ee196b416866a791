"""A proposed LogQL query, checked before anything is executed: its labels and their values exist, it writes none."""

from __future__ import annotations

import json

from ask import logql, safety
from ask.compose import HOUR, Query
from ask.model.masking import Masks
from ask.safety import Limits, Refused
from ask.world import World


def query(text: str, length: float, end: float, now: float, world: World, masks: Masks, limits: Limits) -> Query:
    """The query to execute. `length`: of the time range in seconds, 0 for one value or the last hour of lines. Raises
    Refused with the reason, which the model is sent."""
    logql.check(text, limits)
    text = restored(text, masks)
    parts = logql.check(text, limits)
    for one in parts.streams:
        _selector(one.text, world)
    start = end - (length or (0.0 if parts.metric else HOUR))
    safety.time_range(start, end, now, limits, logs=True)
    if now - start > limits.range:
        raise Refused("The time is too long ago.")
    form = "lines" if not parts.metric else "series" if length else "value"
    return Query(text, "logql", start, end, form)


def _selector(text: str, world: World) -> None:
    for label, op, value in logql.matchers(text):
        known = world.logs.get(label, frozenset())
        if not known:
            raise Refused(f"Log streams have no label {label}.")
        if op == "=" and value and value not in known:
            raise Refused(f"The label {label} has no such value.")


def restored(text: str, masks: Masks) -> str:
    """The query with the values in place of the pseudonyms, in texts alone, and without comments. Raises Refused."""
    found, before = [], ""
    for one in logql.TOKEN.finditer(text):
        part = one[0]
        if one.lastgroup == "comment":
            continue
        if one.lastgroup == "text":
            value = logql.unquoted(part)
            new = masks.restored(value, is_pattern=before == "~")
            part = part if new == value else json.dumps(new, ensure_ascii=False)
        found.append(part)
        before = part.strip()[-1:] or before
    return "".join(found)
