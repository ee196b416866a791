"""What an alert fires for at a time, or fired for last."""

from __future__ import annotations

from dataclasses import dataclass, field

from ask import cost, points, safety, times
from ask.client import Away, Hub
from ask.cost import Cost
from ask.safety import Limits, Refused

BACK = 7 * 86400.0  # seconds before a time, in which the last time is looked for
STEP = 60.0  # of that search
_HIDDEN = {"__name__", "alertname", "alertstate", "env", "severity", "job", "instance"}


@dataclass(frozen=True)
class State:
    """`at`: the time that an explanation is about. `firing`: the labels of what the alert fires for then."""

    at: float
    firing: list[dict[str, str]]
    sentence: str
    notes: list[str] = field(default_factory=list)


def state(alert: str, hub: Hub, at: float, now: float, limits: Limits) -> State:
    """At a time, else the last one before it. Raises Away if Prometheus does not answer at all."""
    selector = f'ALERTS{{alertname="{alert}",alertstate="firing"}}'
    firing = [one["metric"] for one in hub.instant(selector, at)]
    if firing:
        when = "It fires now" if at == now else f"It fired at {_written(at)}"
        return State(at, firing, f"{when} for {_places(firing)}.")
    sentence = "It does not fire now." if at == now else f"It did not fire at {_written(at)}."
    back = min(BACK, limits.window)
    try:
        last, firing = _last(selector, hub, at, back, limits)
    except (Away, Refused) as problem:
        return State(at, [], sentence, [f"without the last time that it fired: {problem}"])
    if not firing:
        return State(at, [], sentence, [f"it did not fire within {times.show(back)} before that either"])
    sentence = f"{sentence} It fired last at {_written(last)} for {_places(firing)}."
    return State(last, firing, sentence, [f"values and log lines are those of {_written(last)}, when it fired last"])


def _last(selector: str, hub: Hub, at: float, back: float, limits: Limits) -> tuple[float, list[dict[str, str]]]:
    """The newest time before another at which a selector has a sample, and what has one then; 0 and nothing if none."""
    count = len(hub.series([selector], at - back, at, limits.series + 1))
    step = max(STEP, -(-back // (limits.subquery_points - 1)))
    cost.check(Cost(count, round(count * back / step), count > limits.series), limits)
    if not count:
        return 0.0, []
    query = f"max_over_time(timestamp({selector})[{back:.0f}s:{step:.0f}s])"
    safety.check(query, frozenset(), limits)
    found = [(float(one["value"][1]), one["metric"]) for one in hub.instant(query, at)]
    last = max((time for time, _ in found), default=0.0)
    return last, [labels for time, labels in found if time > last - step]


def _written(at: float) -> str:
    return f"{points.moment(at):%Y-%m-%d %H:%M} UTC"


def _places(firing: list[dict[str, str]]) -> str:
    return "; ".join(dict.fromkeys(map(place, firing)))


def place(labels: dict[str, str]) -> str:
    """The labels that distinguish values and alerts."""
    return " ".join(value for label, value in sorted(labels.items()) if label not in _HIDDEN and value) or "the fleet"
