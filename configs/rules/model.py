"""The few words in which alerts and recording rules are written; `render` turns them into the files' groups.

An alert's expression is a function of matchers and thresholds, so that a host or a container with thresholds of its
own gets an expression of its own, and a muted one gets none. Labels `env` and `host` stay in every result.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from configs.settings import Settings
from configs.settings.thresholds import Muted, Thresholds

# (matchers to append to a selector that has at least one, such as `,host="db-1"`; the thresholds that hold there)
Scope = tuple[str, Thresholds]
Expression = Callable[[str, Thresholds], str]


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One alert. `expr` is fixed or a function of a scope; `keys` names the thresholds it uses.

    `summary` is one sentence with the values (Prometheus' template language), `advice` one that says what it means.
    `board` is the dashboard that it leads to, with `host` and (`per` container) `container` chosen. A log alert is
    evaluated by Loki. `empty` says why a series that it asks for is rightly missing on some stacks, and which test
    shows the alert with it: `make doctor` counts such alerts, and finds fault with any other that asks in vain.
    """

    name: str
    expr: str | Expression
    wait: str = "5m"
    severity: Literal["critical", "warning", "info", "none"] = "warning"
    summary: str
    advice: str
    board: str = "hosts"
    per: Literal["host", "container", "hub"] = "host"
    keys: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    logs: bool = False
    empty: str = ""


@dataclass(frozen=True, kw_only=True)
class Record:
    """A recording rule: what several alerts or panels ask, computed once. `empty` as in an alert."""

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
    """Where the alert holds with which thresholds: the fleet without its exceptions first, then each of them."""
    fleet = settings.hub.alerts.thresholds
    special: list[str] = []
    found: list[Scope] = []
    for host, edge in sorted(settings.edges.items()):
        containers = edge.alerts.containers if alert.per == "container" else {}
        own = {name: one for name, one in sorted(containers.items()) if _differs(one, alert)}
        if not own and not _differs(edge.alerts, alert):
            continue
        special.append(host)
        here = over(fleet, edge.alerts, alert.keys)
        if not muted(edge.alerts, alert.name):
            apart = f',container!~"{either(own)}"' if own else ""
            found.append((f',host="{host}"{apart}', here))
            for name, one in own.items():
                if not muted(one, alert.name):
                    found.append((f',host="{host}",container="{name}"', over(here, one, alert.keys)))
    rest = f',host!~"{either(special)}"' if special else ""
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
            "description": rule.advice,
            "dashboard": _dashboard(rule, site),
            "runbook": runbook(settings, rule.name),
        },
    }


def _dashboard(rule: Alert, site: str) -> str:
    chosen = {"hub": "", "host": "?var-host={{ $labels.host }}"}
    chosen["container"] = chosen["host"] + "&var-container={{ $labels.container }}"
    return f"{site.rstrip('/')}/d/fleetwatch-{rule.board}{chosen[rule.per]}"


def runbook(settings: Settings, alert: str) -> str:
    """Where a person reads what to do."""
    base = settings.hub.alerts.runbooks
    return f"{base.rstrip('/')}/{alert}.md" if base else f"docs/runbooks/{alert}.md"


def muted(at: Muted, name: str) -> bool:
    """Whether the alert of this name stays silent there."""
    return name in at.mute or "all" in at.mute


def _differs(at: Muted, alert: Alert) -> bool:
    return muted(at, alert.name) or bool(at.thresholds.model_fields_set & set(alert.keys))


def over(base: Thresholds, at: Muted, keys: Sequence[str]) -> Thresholds:
    """The thresholds of these names as they are here: its own where it names them, else those around it."""
    return base.model_copy(update={k: getattr(at.thresholds, k) for k in keys if k in at.thresholds.model_fields_set})


def either(names: Iterable[str]) -> str:
    """A pattern in a PromQL string: a backslash of the pattern is written twice."""
    return "|".join(re.escape(name).replace("\\-", "-").replace("\\", "\\\\") for name in names)
