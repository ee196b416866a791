"""Alerts before `promtool test rules`, many in one call: what fires, what a person then reads, and what stays silent.

promtool compares labels and annotations whole. A case says the summary word for word; the other annotations are those
of the alert with its labels filled in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from configs import rules
from configs.render.dump import to_yaml
from configs.rules.model import Alert, Group, Record, render
from configs.settings import Settings, load
from tests.fixtures.full import small

SITE = "https://monitor.example.com"
HERE = {"env": "test", "host": "hub"}


@dataclass(frozen=True, kw_only=True)
class Fired:
    """One alert as it is told. `labels`: besides its own fixed ones; those of a host, unless given, are HERE."""

    says: str
    labels: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A situation: series by name, in promtool's notation, and what `alert` makes of them after `at`.

    Without `fires` it must be silent. `step` is the time between two samples, and between two evaluations.
    """

    alert: str
    when: str
    series: Mapping[str, str]
    at: str = "10m"
    fires: Sequence[Fired] = ()
    step: str = "15s"


def fired(says: str, **labels: str) -> Fired:
    """With the labels of HERE, and these; an empty one takes a label away."""
    return Fired(says=says, labels={key: value for key, value in {**HERE, **labels}.items() if value})


def settings_of(hosts: Mapping[str, Any] | None = None, **hub: Any) -> Settings:
    """Of a hub on this machine, and of its hosts."""
    return load(small(env="test", hub={"local": {}, **hub}, hosts=hosts or {"hub": {}}), "stacks/Pulumi.test.yaml")


def groups_of(settings: Settings, *names: str) -> list[Group]:
    """These groups of all. A group of recording rules that is left out can be given as input instead."""
    found = [group for group in rules.groups(settings) if group.name in names]
    assert len(found) == len(names), f"no such group among {names}"
    return found


def check(tool: Any, folder: Path, settings: Settings, groups: Sequence[Group], cases: Sequence[Case]) -> None:
    """All cases in one run of promtool; fails with the cases that came out otherwise, in promtool's words."""
    said = run(tool, folder, settings, groups, cases)
    assert not said, "\n\n".join(f"{name}\n{words}" for name, words in said.items())


def run(tool: Any, folder: Path, settings: Settings, groups: Sequence[Group], cases: Sequence[Case]) -> dict[str, str]:
    """What promtool says against each case that fails, by the case's name."""
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
    said = done.stdout + done.stderr
    failed = {name: words for name, words in _by_name(said).items() if name in names}
    assert done.returncode == 0 or failed, f"promtool failed for another reason:\n{said}"
    assert done.returncode != 0 or said.count("SUCCESS") == len(paths), f"promtool tested nothing:\n{said}"
    return failed


def _interval(groups: Sequence[Group], alert: str) -> str:
    """How often the alert's groups are evaluated, where they agree on it: promtool asks for it apart from them."""
    found = {group.interval for group in groups if any(rule.name == alert for rule in group.rules)}
    return found.pop() if len(found) == 1 else ""


def _only(groups: Sequence[Group], alert: str) -> list[Group]:
    """The groups with this alert alone, and with their recording rules."""
    kept = (tuple(rule for rule in group.rules if isinstance(rule, Record) or rule.name == alert) for group in groups)
    return [Group(name=group.name, rules=rules) for group, rules in zip(groups, kept, strict=True)]


def ask(
    tool: Any, folder: Path, settings: Settings, groups: Sequence[Group], case: Case, expected: Mapping[str, float]
) -> None:
    """Ask what `case.alert`, here a query, gives after the rules ran: values by series in promtool's notation."""
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
        "input_series": [{"series": key, "values": values} for key, values in case.series.items()],
        "alert_rule_test": [
            {
                "eval_time": case.at,
                "alertname": case.alert,
                "exp_alerts": [_expected(settings, _that_says(known, one), one) for one in case.fires],
            }
        ],
    }


def _that_says(known: Sequence[Alert], one: Fired) -> Alert:
    """Of several alerts of one name, the one whose summary this is."""
    for alert in known:
        fixed = [re.escape(part) for part in re.split(r"{{.*?}}", alert.summary)]
        if re.fullmatch(".*".join(fixed), one.says):
            return alert
    return known[0]


def _name(case: Case) -> str:
    return f"{case.alert}: {'silent' if not case.fires else 'fires'} {case.when}"


def _by_name(said: str) -> dict[str, str]:
    parts = re.split(r"^\s*name: (.*),$", said, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _expected(settings: Settings, alert: Alert, one: Fired) -> dict[str, Any]:
    labels = {"severity": alert.severity, **alert.labels, **one.labels}
    rendered = _rendered(settings, alert)
    told = {key: _filled(text, labels) if key != "summary" else one.says for key, text in rendered.items()}
    return {"exp_labels": labels, "exp_annotations": told}


def _rendered(settings: Settings, alert: Alert) -> dict[str, str]:
    groups = render(settings, [Group(name="one", rules=(alert,))], SITE)["groups"]
    found: dict[str, str] = groups[0]["rules"][0]["annotations"]
    return found


def _filled(text: str, labels: Mapping[str, str]) -> str:
    """Labels filled in as Prometheus does; anything else in a template is the summary's alone."""
    filled = re.sub(r"{{ \$labels\.(\w+) }}", lambda found: labels.get(found[1], ""), text)
    assert "{{" not in filled, f"only a summary is compared word for word, keep values there: {text}"
    return filled
