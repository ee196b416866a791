"""Checks of rule files for Prometheus and Loki: their form, names and labels. Expressions are checked by promtool and
Loki."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_args

import yaml

from configs import rules
from configs.custom.files import PREFIX
from configs.rules.model import Alert, Record
from configs.settings.custom_files import CustomFiles
from configs.settings.sections import near
from configs.settings.thresholds import Severity

if TYPE_CHECKING:
    from configs.settings import Settings

SEVERITIES: tuple[Severity, ...] = get_args(Severity)
RESERVED_ALERTS = ("ReceiverTest",)
_GROUP = ("name", "interval", "query_offset", "limit", "labels", "rules")
_RULE = ("record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations")


def deployed_name(name: str) -> str:
    """The name of a rule file on the hub."""
    return f"{PREFIX}{name}"


def problems(settings: Settings, custom: CustomFiles) -> Iterator[str]:
    """Of the files of both programs; names are compared with each other and with ours."""
    every = [*rules.groups(settings), *rules.ruler_groups(settings)]
    of_ours = [rule.name for group in every for rule in group.rules if isinstance(rule, (Alert, Record))]
    ours = {name: "fleetwatch" for name in (*of_ours, *RESERVED_ALERTS)}
    groups: dict[str, str] = {}
    seen: dict[tuple[str, str], str] = {}
    for folder, files in (("rules", custom.rules), ("log-rules", custom.log_rules)):
        for name, text in files.items():
            path = custom.path(folder, name)
            document, wrong = parse(text)
            if wrong:
                yield f"{path}: {wrong}"
                continue
            yield from (f"{path}: {problem}" for problem in _groups(document, path, groups))
            for where, rule in each_rule(document):
                yield from (f"{path}: {where}: {one}" for one in _rule(rule, folder == "log-rules"))
                yield from (f"{path}: {where}: {one}" for one in _name(rule, path, ours, seen))


class _Loader(yaml.SafeLoader):
    """The programs refuse a key that is there twice, PyYAML takes the second."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"duplicate key {key.value}", key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def parse(text: str) -> tuple[dict[str, Any], str]:
    """The document, or what is wrong with it."""
    try:
        document = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
        return {}, f"{where}expected YAML: {getattr(error, 'problem', None) or 'it has a character that YAML forbids'}"
    except RecursionError:
        return {}, "expected YAML: it is nested too deeply"
    except ValueError as error:  # a date that there is not
        return {}, f"expected YAML: {error}"
    if not isinstance(document, dict) or not isinstance(document.get("groups"), list) or not document["groups"]:
        return {}, "expected a mapping with a list `groups`"
    if unknown := sorted(str(key) for key in document if key != "groups"):
        return {}, f"unknown key {', '.join(unknown)}, expected `groups` alone"
    return document, ""


def each_rule(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every rule that is a mapping, with its place."""
    for number, group in enumerate(document["groups"], 1):
        if isinstance(group, dict) and isinstance(group.get("rules"), list):
            for count, rule in enumerate(group["rules"], 1):
                if isinstance(rule, dict):
                    name = rule.get("alert") or rule.get("record")
                    named = f" ({name})" if isinstance(name, str) else ""
                    yield f"group {group.get('name', number)}, rule {count}{named}", rule


def _groups(document: Mapping[str, Any], path: str, seen: dict[str, str]) -> Iterator[str]:
    for number, group in enumerate(document["groups"], 1):
        if not isinstance(group, dict):
            yield f"group {number}: expected a mapping with `name` and `rules`"
            continue
        name = group.get("name")
        where = f"group {name if isinstance(name, str) and name else number}"
        if not isinstance(name, str) or not name:
            yield f"{where}: name: expected a text"
        elif name in seen:
            yield f"{where}: duplicate group, {seen[name]} has it already; expected each name once, rename one"
        else:
            seen[name] = path
        if unknown := sorted(str(key) for key in group if key not in _GROUP):
            yield f"{where}: {_unknown(unknown, _GROUP)}"
        listed = group.get("rules")
        if not isinstance(listed, list) or not listed:
            yield f"{where}: rules: expected a list with at least one rule"
        elif strays := [count for count, rule in enumerate(listed, 1) if not isinstance(rule, dict)]:
            yield f"{where}, rule {strays[0]}: expected a mapping"


def _unknown(unknown: Sequence[str], known: Sequence[str]) -> str:
    close = near(unknown[0], known)
    meant = f"; did you mean {close}?" if close else ""
    return f"unknown key {', '.join(unknown)}, expected one of {', '.join(known)}{meant}"


def _rule(rule: Mapping[str, Any], logs: bool) -> Iterator[str]:
    if unknown := sorted(str(key) for key in rule if key not in _RULE):
        yield _unknown(unknown, _RULE)
    if ("alert" in rule) == ("record" in rule):
        yield "expected exactly one of: alert, record"
    expr = rule.get("expr")
    if not isinstance(expr, str) or not expr.strip():
        yield "expr: expected a query"
    elif logs and expr.lstrip().startswith("{"):
        yield 'expr: expected a query that gives numbers, such as sum(count_over_time({job="docker"} |= "x" [5m])) > 0'
    for key in ("labels", "annotations"):
        value = rule.get(key, {})
        if not isinstance(value, dict) or not all(isinstance(one, str) for pair in value.items() for one in pair):
            yield f"{key}: expected a mapping of texts; put numbers, true, false and dates in quotes"
    if logs and "record" in rule:
        yield "record: Loki's rules cannot be recorded here, it has no remote write; expected an alert"


def _name(
    rule: Mapping[str, Any], path: str, ours: Mapping[str, str], seen: dict[tuple[str, str], str]
) -> Iterator[str]:
    name = rule.get("alert") or rule.get("record")
    if not isinstance(name, str) or not name:
        yield f"{'alert' if 'alert' in rule else 'record'}: expected a text"
        return
    if name in ours:
        yield f"{name} is the name of a rule of fleetwatch; choose a different name"
    labels = rule.get("labels")
    given = labels if isinstance(labels, dict) else {}
    key = (name, str(sorted((str(k), str(v)) for k, v in given.items())))
    if key in seen:
        yield f"duplicate rule, {seen[key]} has one of the same name and labels; rename one or change its labels"
    seen.setdefault(key, path)
    if "alert" in rule and given.get("severity") not in SEVERITIES:
        yield f"labels.severity: expected one of {', '.join(SEVERITIES)}; routes and quiet hours go by it"
