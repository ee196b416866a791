"""The plan of a question about log lines."""

from __future__ import annotations

from dataclasses import replace

from ask import fitting, logs
from ask.plan import Plan
from ask.reading import Reading
from ask.world import LOG_LABELS, World


def plan(reading: Reading, world: World) -> Plan:
    """The query for a question about log lines, or why there is none."""
    bound: dict[str, tuple[str, ...]] = {}
    when = reading.times
    if when.back:  # "since yesterday"
        when = replace(when, start=when.end - when.back, back=0, window=True)
    for mention in reading.mentions:
        label = next(
            (one for one in mention.labels if one in LOG_LABELS and mention.value in world.logs.get(one, ())), None
        )
        if label is None and "job" in mention.labels and mention.value in world.logs.get("compose_project", ()):
            label = "compose_project"
        if label is None:
            return Plan(reading=reading, abstention=f"There are no log lines of {mention.value}.")
        bound[label] = (*bound.get(label, ()), mention.value)
    unused = logs.unused(reading.asked, reading.search)
    if unused and not bound and logs.is_unrestricted(reading.original.lower(), reading.search, reading.wants):
        return Plan(reading=reading, abstention=f"Log lines cannot be chosen by {', '.join(unused)}.")
    text = reading.original.lower()
    for mention in reading.mentions:
        text = text.replace(mention.written, " ")
    query = logs.build(text, reading.search, bound, reading.wants, when)
    found = fitting.assumptions(reading, bound, query)
    if unused:
        found = (*found, f"the lines are not restricted by these terms of the question: {', '.join(unused)}")
    return Plan(reading=reading, query=query, confidence=0.6 if unused else 0.8, assumptions=found)
