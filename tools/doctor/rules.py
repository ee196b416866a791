"""Alerts and recording rules: whether the data that they use exists.

An alert has a result only while it fires, so its expression is taken apart: each of its selectors must find series (or
streams, for an alert that Loki evaluates). The series of a recording rule must exist. The hub must have loaded each
rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from configs import rules
from configs.dashboards.model import LOKI, PROMETHEUS
from configs.rules.model import Alert, Record, expression
from configs.settings import Settings
from tools.doctor import selectors
from tools.doctor.querier import Querier
from tools.doctor.verdicts import State, Verdict
from tools.errors import ToolError
from tools.hubclient import HubClient, Refused


@dataclass(frozen=True)
class Rule:
    """A rule with the selectors it uses; `problem`: why they are unknown."""

    place: str
    name: str
    expr: str
    empty: str
    inputs: tuple[str, ...]
    logs: bool = False
    problem: str = ""


def described_rules(settings: Settings) -> list[Rule]:
    """Every rule; an alert that is written once per host is listed once per host."""
    found = []
    for rule in [*(rule for group in rules.groups(settings) for rule in group.rules), *rules.alerts(settings)]:
        made = _rule(settings, rule)
        if made not in found:  # the alerts of the groups come twice
            found.append(made)
    return found


def _rule(settings: Settings, rule: Alert | Record) -> Rule:
    if isinstance(rule, Record):
        return Rule(f"record {rule.name}", rule.name, rule.expr, rule.empty, (rule.name,))
    host = rule.labels.get("host", "")
    of = f" ({host})" if host and "{{" not in host else ""  # a template is filled in when it fires
    return parsed(f"alert {rule.name}{of}", rule.name, expression(settings, rule), rule.empty, rule.logs)


def parsed(place: str, name: str, expr: str, empty: str, logs: bool) -> Rule:
    """A rule with the selectors of its expression."""
    try:
        inputs = selectors.logql_selectors(expr) if logs else selectors.promql_selectors(expr)
    except selectors.NotParsed as problem:
        return Rule(place, name, expr, empty, (), logs, f"the expression cannot be parsed: {problem}")
    # Of an alert that keeps itself active; there is none while it is not.
    inputs = [one for one in inputs if not one.startswith(f'ALERTS{{alertname="{name}"')]
    return Rule(place, name, expr, empty, tuple(inputs), logs=logs)


def judge(querier: Querier, listed: Sequence[Rule]) -> list[Verdict]:
    """One verdict per rule. A selector of several alerts is queried once."""
    wanted = list(dict.fromkeys((one, rule.logs) for rule in listed for one in rule.inputs))
    known = dict(zip(wanted, querier.each(lambda pair: _found(querier, *pair), wanted), strict=True))
    return querier.each(lambda rule: _verdict(querier, rule, known), listed)


def _found(querier: Querier, selector: str, logs: bool) -> bool | str:
    """Whether there is any, or the server's error."""
    try:
        if logs:
            return querier.has_stream(selector)
        return bool(querier.labels(PROMETHEUS, "instant", f"count({selector})"))
    except Refused as refused:
        return refused.message
    except ToolError as problem:
        return str(problem)


def _verdict(querier: Querier, rule: Rule, known: Mapping[tuple[str, bool], bool | str]) -> Verdict:
    answers = {one: known[one, rule.logs] for one in rule.inputs}
    errors = [rule.problem] if rule.problem else []
    errors += [answer for answer in answers.values() if isinstance(answer, str)]
    empty = tuple(one for one, answer in answers.items() if answer is False)
    # The whole expression too: a selector may be right in an expression that the server refuses.
    refused = errors[0] if errors else _refused(querier, rule)
    state: State = "failed" if refused else "ok" if not empty else "declared" if rule.empty else "EMPTY"
    seen = None
    if state == "declared" and not rule.logs:
        ages = [age for one in empty if (age := querier.seen(f"count({one})")) is not None]
        seen = min(ages) if ages else None
    return Verdict(
        place=rule.place,
        state=state,
        cases=len(rule.inputs) + 1,
        expr=rule.expr,
        empty=empty,
        declared=rule.empty,
        error=refused,
        seen=seen,
    )


def _refused(querier: Querier, rule: Rule) -> str:
    try:
        querier.labels(LOKI if rule.logs else PROMETHEUS, "instant", rule.expr)
    except Refused as refused:
        return refused.message
    except ToolError as problem:
        return str(problem)
    return ""


def not_loaded(hub: HubClient, listed: Sequence[Rule]) -> list[str]:
    """Sentences about rules that the hub's Prometheus lacks or cannot evaluate. Those of Loki are not checked."""
    groups: list[Any] = hub.get("/api/v1/rules")["data"]["groups"]
    there = {rule["name"]: rule for group in groups for rule in group["rules"]}
    sentences = []
    for name in dict.fromkeys(rule.name for rule in listed if not rule.logs):
        if name not in there:
            sentences.append(
                f"rule {name}: the hub's Prometheus does not have it; `make up` gives it the rules of the settings"
            )
        elif there[name].get("health") == "err":
            sentences.append(f"rule {name}: its last evaluation failed: {there[name].get('lastError')}")
    return sentences
