"""The types that alerts and recording rules are declared with; `render` writes them as rule groups.

An alert's expression is a function of matchers and thresholds: hosts and containers with their own thresholds get a
separate expression, muted ones get none. Every result keeps the labels `env` and `host`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from configs.settings import Settings
from configs.settings.thresholds import Muted, Thresholds
from configs.units import parse_duration, parse_size, show_duration, show_size

SILENT_FOR = 120  # seconds that HostSilent is pending before it fires

# (matchers to append to a selector that has at least one, such as `,host="db-1"`; the thresholds that apply there)
Scope = tuple[str, Thresholds]
Expression = Callable[[str, Thresholds], str]


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One alert. `expr` is fixed or a function of a scope; `keys` names the thresholds it uses.

    `summary` is one sentence with the value, the host and the limit (in Prometheus' template language); `description`
    is what it means and what to do first. `board` is the dashboard that the message links to, with `host` and (`per`
    container) `container` selected. Loki evaluates an alert with `logs`. `empty` is the reason why a series of the
    expression is missing on some healthy stacks; `make doctor` shows the reason and reports every other alert whose
    series are missing as a fault.
    """

    name: str
    expr: str | Expression
    wait: str = "5m"
    severity: Literal["critical", "warning", "info", "none"] = "warning"
    summary: str
    description: str
    board: str = "hosts"
    per: Literal["host", "container", "hub"] = "host"
    keys: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    logs: bool = False
    empty: str = ""


@dataclass(frozen=True, kw_only=True)
class Record:
    """A recording rule: a query that several alerts or panels share. `empty` as in an alert."""

    name: str
    expr: str
    empty: str = ""


@dataclass(frozen=True, kw_only=True)
class Group:
    """Rules that are evaluated one after another, in this order."""

    name: str
    rules: tuple[Alert | Record, ...]
    interval: str = ""


def scopes(settings: Settings, alert: Alert) -> list[Scope]:
    """The matchers of each set of thresholds: the fleet without its exceptions first, then each exception."""
    fleet = settings.hub.alerts.thresholds
    exceptions: list[str] = []
    found: list[Scope] = []
    for host, edge in sorted(settings.edges.items()):
        containers = edge.alerts.containers if alert.per == "container" else {}
        own = {name: one for name, one in sorted(containers.items()) if _has_exception(one, alert)}
        if not own and not _has_exception(edge.alerts, alert):
            continue
        exceptions.append(host)
        here = merge_thresholds(fleet, edge.alerts, alert.keys)
        if not muted(edge.alerts, alert.name):
            apart = f',container!~"{alternation(own)}"' if own else ""
            found.append((f',host="{host}"{apart}', here))
            for name, one in own.items():
                if not muted(one, alert.name):
                    found.append((f',host="{host}",container="{name}"', merge_thresholds(here, one, alert.keys)))
    rest = f',host!~"{alternation(exceptions)}"' if exceptions else ""
    return [(rest, fleet), *found]


def expression(settings: Settings, alert: Alert) -> str:
    """The alert's whole expression for these settings."""
    if isinstance(alert.expr, str):
        return alert.expr
    cases = list(dict.fromkeys(alert.expr(matchers, limits) for matchers, limits in scopes(settings, alert)))
    return cases[0] if len(cases) == 1 else "\nor\n".join(f"({case})" for case in cases)


def render(settings: Settings, groups: Iterable[Group], site: str) -> dict[str, Any]:
    """The document of a rule file. `site` is Grafana's address, for links."""
    return {"groups": [_group(settings, group, site) for group in groups if group.rules]}


def _group(settings: Settings, group: Group, site: str) -> dict[str, Any]:
    interval = {"interval": group.interval} if group.interval else {}
    return {"name": group.name, **interval, "rules": [_rule(settings, rule, site) for rule in group.rules]}


def _rule(settings: Settings, rule: Alert | Record, site: str) -> dict[str, Any]:
    if isinstance(rule, Record):
        return {"record": rule.name, "expr": rule.expr}
    return {
        "alert": rule.name,
        "expr": expression(settings, rule),
        "for": rule.wait,
        "labels": {"severity": rule.severity, **rule.labels},
        "annotations": {
            "summary": rule.summary,
            "description": " ".join([rule.description, *_limits(settings, rule)]),
            "dashboard": _dashboard(rule, site),
            "runbook": runbook(settings, rule.name),
        },
    }


def _limits(settings: Settings, alert: Alert) -> list[str]:
    """One sentence per threshold of the alert, with the fleet's value and the exceptions of hosts and containers."""
    if isinstance(alert.expr, str):  # such a description states its own limit
        return []
    return [_limit(settings, alert, key) for key in alert.keys]


def _limit(settings: Settings, alert: Alert, key: str) -> str:
    values = [show_threshold(settings.hub.alerts.thresholds, key)]
    for host, edge in sorted(settings.edges.items()):
        exceptions: list[tuple[str, Muted]] = [(host, edge.alerts)]
        if alert.per == "container":
            exceptions += [(f"{name} on {host}", own) for name, own in sorted(edge.alerts.containers.items())]
        values += [
            f"{show_threshold(at.thresholds, key)} for {where}"
            for where, at in exceptions
            if key in at.thresholds.model_fields_set and not muted(at, alert.name)
        ]
    return f"Threshold {key}: {', '.join(values)}."


def show_threshold(thresholds: Thresholds, key: str) -> str:
    """A threshold as it is written in a stack file."""
    value = getattr(thresholds, key)
    parsers = {getattr(one, "func", None) for one in Thresholds.model_fields[key].metadata}
    for parser, show in ((parse_duration, show_duration), (parse_size, show_size)):
        if parser in parsers:
            return show(value)
    return f"{value:g}"


def _dashboard(rule: Alert, site: str) -> str:
    chosen = {"hub": "", "host": "?var-host={{ $labels.host }}"}
    chosen["container"] = chosen["host"] + "&var-container={{ $labels.container }}"
    return f"{site.rstrip('/')}/d/fleetwatch-{rule.board}{chosen[rule.per]}"


def runbook(settings: Settings, alert: str) -> str:
    """The address of the alert's runbook."""
    base = settings.hub.alerts.runbooks
    return f"{base.rstrip('/')}/{alert}.md" if base else f"docs/runbooks/{alert}.md"


def muted(at: Muted, name: str) -> bool:
    """Whether the alert of this name is muted there."""
    return name in at.mute or "all" in at.mute


def _has_exception(at: Muted, alert: Alert) -> bool:
    return muted(at, alert.name) or bool(at.thresholds.model_fields_set & set(alert.keys))


def merge_thresholds(base: Thresholds, at: Muted, keys: Sequence[str]) -> Thresholds:
    """`base` with those thresholds among `keys` that are set at `at`."""
    return base.model_copy(update={k: getattr(at.thresholds, k) for k in keys if k in at.thresholds.model_fields_set})


def host_silent(settings: Settings, host: str) -> int:
    """Seconds without a sample of the host after which HostSilent is pending: at least three scrape intervals of the
    agent."""
    edge = settings.edges[host]
    merged = merge_thresholds(settings.hub.alerts.thresholds, edge.alerts, ("host_silent",))
    return max(merged.host_silent, 3 * edge.scrape.agents)


def alternation(names: Iterable[str]) -> str:
    """A regular expression that matches these names, for a PromQL string: backslashes are doubled."""
    return "|".join(re.escape(name).replace("\\-", "-").replace("\\", "\\\\") for name in names)


def selects(operator: str, value: str, name: str) -> bool:
    """Whether a matcher (`=`, `=~` or `!~`, and what is between its quotes in a PromQL text) selects this name."""
    if operator == "=":
        return name == value
    return (re.fullmatch(value.replace("\\\\", "\\"), name) is not None) == (operator == "=~")


def constant(value: int, **labels: str) -> str:
    """A series that is always there, with these labels."""
    made = f"vector({value})"
    for label, text in labels.items():
        made = f'label_replace({made}, "{label}", "{text}", "", "")'
    return made
