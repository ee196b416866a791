"""Runs cases of alerts in `promtool test rules`, many per call: which alerts fire, with which summary.

promtool compares all labels and annotations. A case contains the whole summary; the other annotations are those of the
alert with its labels filled in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from configs import rules
from configs.render.dump import to_yaml
from configs.rules.model import Alert, Group, Record, render
from configs.settings import Settings, load
from tests.fixtures.full import small
from tests.fixtures.programs import Tool

SITE = "https://monitor.example.com"
HERE = {"env": "test", "host": "hub"}


@dataclass(frozen=True, kw_only=True)
class Fired:
    """One firing alert. `labels` are those that the alert does not set itself, by default HERE."""

    summary: str
    labels: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Case:
    """Input series in promtool's notation, and the expected result of `alert` after `at`.

    Without `fires` the alert must be silent. `step` is the time between two samples, and between two evaluations.
    `external`: the labels of the program that evaluates.
    """

    alert: str
    when: str
    series: Mapping[str, str]
    at: str = "10m"
    fires: Sequence[Fired] = ()
    step: str = "15s"
    external: Mapping[str, str] = field(default_factory=dict)


def fired(summary: str, **labels: str) -> Fired:
    """An alert with the labels of HERE and these; an empty value removes a label."""
    return Fired(summary=summary, labels={key: value for key, value in {**HERE, **labels}.items() if value})


def settings_of(hosts: Mapping[str, Any] | None = None, **hub: Any) -> Settings:
    """Settings of a hub on this machine and its hosts."""
    return load(small(env="test", hub={"local": {}, **hub}, hosts=hosts or {"hub": {}}), "stacks/Pulumi.test.yaml")


def groups_of(settings: Settings, *names: str) -> list[Group]:
    """The groups with these names. Series of other recording rules can be given as input instead."""
    found = [group for group in rules.groups(settings) if group.name in names]
    assert len(found) == len(names), f"no such group among {names}"
    return found


def check(tool: Tool, folder: Path, settings: Settings, groups: Sequence[Group], cases: Sequence[Case]) -> None:
    """Run all cases in one call of promtool; fail with promtool's output for each failed case."""
    failed = run(tool, folder, settings, groups, cases)
    assert not failed, "\n\n".join(f"{name}\n{output}" for name, output in failed.items())


def run(tool: Tool, folder: Path, settings: Settings, groups: Sequence[Group], cases: Sequence[Case]) -> dict[str, str]:
    """promtool's output for each failed case, by the name of the case."""
    names = {_name(case): case for case in cases}
    assert cases, "no case was given: nothing would be tested"
    assert len(names) == len(cases), "two cases have one name"
    paths = []
    for alert, step in sorted({(case.alert, case.step) for case in cases}):
        # Only what the case is about is evaluated: with all rules, promtool takes ten times as long.
        here = {name: case for name, case in names.items() if (case.alert, case.step) == (alert, step)}
        (folder / f"{alert}.yml").write_text(to_yaml(render(settings, _only(groups, alert), SITE), "rules"))
        test = {
            "rule_files": [f"{alert}.yml"],
            "evaluation_interval": _interval(groups, alert) or step,
            "tests": [_test(name, case, settings, groups) for name, case in here.items()],
        }
        paths.append(folder / f"cases-{alert}-{step}.yml")
        paths[-1].write_text(yaml.safe_dump(test, sort_keys=False))
    done = tool("promtool")("test", "rules", *paths)
    output = done.stdout + done.stderr
    failed = {name: part for name, part in _by_name(output).items() if name in names}
    assert done.returncode == 0 or failed, f"promtool failed for another reason:\n{output}"
    assert done.returncode != 0 or output.count("SUCCESS") == len(paths), f"promtool tested nothing:\n{output}"
    return failed


def _interval(groups: Sequence[Group], alert: str) -> str:
    """The evaluation interval of the alert's groups, if they have the same; promtool takes it separately."""
    found = {group.interval for group in groups if any(rule.name == alert for rule in group.rules)}
    return found.pop() if len(found) == 1 else ""


def _only(groups: Sequence[Group], alert: str) -> list[Group]:
    """The groups with only this alert and their recording rules."""
    kept = (tuple(rule for rule in group.rules if isinstance(rule, Record) or rule.name == alert) for group in groups)
    return [Group(name=group.name, rules=rules) for group, rules in zip(groups, kept, strict=True)]


def ask(
    tool: Tool, folder: Path, settings: Settings, groups: Sequence[Group], case: Case, expected: Mapping[str, float]
) -> None:
    """Run the query `case.alert` after the rules were evaluated; `expected` has the values by series."""
    (folder / "rules.yml").write_text(to_yaml(render(settings, groups, SITE), "rules"))
    samples = [{"labels": series, "value": value} for series, value in expected.items()]
    test = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": case.step,
        "tests": [
            {
                "interval": case.step,
                "input_series": [{"series": key, "values": values} for key, values in case.series.items()],
                "promql_expr_test": [{"expr": case.alert, "eval_time": case.at, "exp_samples": samples}],
            }
        ],
    }
    path = folder / "query.yml"
    path.write_text(yaml.safe_dump(test, sort_keys=False))
    done = tool("promtool")("test", "rules", path)
    assert done.returncode == 0, f"{case.when}:\n{done.stdout}{done.stderr}"


def _test(name: str, case: Case, settings: Settings, groups: Sequence[Group]) -> dict[str, Any]:
    known = [rule for group in groups for rule in group.rules if isinstance(rule, Alert) and rule.name == case.alert]
    assert known, f"no alert of these groups is called {case.alert}"
    return {
        "name": name,
        "interval": case.step,
        "external_labels": dict(case.external),
        "input_series": [{"series": key, "values": values} for key, values in case.series.items()],
        "alert_rule_test": [
            {
                "eval_time": case.at,
                "alertname": case.alert,
                "exp_alerts": [_expected(settings, _with_summary(known, one), one) for one in case.fires],
            }
        ],
    }


def _with_summary(known: Sequence[Alert], one: Fired) -> Alert:
    """The alert with this summary, among several of one name."""
    for alert in known:
        fixed = [re.escape(part) for part in re.split(r"{{.*?}}", alert.summary)]
        if re.fullmatch(".*".join(fixed), one.summary):
            return alert
    return known[0]


def _name(case: Case) -> str:
    return f"{case.alert}: {'silent' if not case.fires else 'fires'} {case.when}"


def _by_name(output: str) -> dict[str, str]:
    parts = re.split(r"^\s*name: (.*),$", output, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _expected(settings: Settings, alert: Alert, one: Fired) -> dict[str, Any]:
    labels = {"severity": alert.severity, **alert.labels, **one.labels}
    rendered = _rendered(settings, alert)
    annotations = {key: _filled(text, labels) if key != "summary" else one.summary for key, text in rendered.items()}
    return {"exp_labels": labels, "exp_annotations": annotations}


def _rendered(settings: Settings, alert: Alert) -> dict[str, str]:
    groups = render(settings, [Group(name="one", rules=(alert,))], SITE)["groups"]
    found: dict[str, str] = groups[0]["rules"][0]["annotations"]
    return found


def _filled(text: str, labels: Mapping[str, str]) -> str:
    """The text with labels filled in as Prometheus does; other templates are allowed only in summaries."""
    filled = re.sub(r"{{ \$labels\.(\w+) }}", lambda found: labels.get(found[1], ""), text)
    assert "{{" not in filled, f"only a summary is compared word for word, keep values there: {text}"
    return filled
