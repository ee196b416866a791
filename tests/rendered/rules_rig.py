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
from configs.rules.model import Alert
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

    Without `fires` it must be silent. `every` is the time between two samples.
    """

    alert: str
    when: str
    series: Mapping[str, str]
    at: str = "10m"
    fires: Sequence[Fired] = ()
    every: str = "15s"


def fired(says: str, **labels: str) -> Fired:
    """With the labels of HERE, and these; an empty one takes a label away."""
    return Fired(says=says, labels={key: value for key, value in {**HERE, **labels}.items() if value})


def settings_of(hub: Mapping[str, Any] | None = None, **hosts: Any) -> Settings:
    """Of a hub on this machine, and of its hosts (only `hub` there, unless the hub is given as something else)."""
    whole = {"local": {}, **(hub or {})}
    return load(small(env="test", hub=whole, hosts=hosts or {"hub": {}}), "stacks/Pulumi.test.yaml")


def check(tool: Any, folder: Path, settings: Settings, cases: Sequence[Case], step: str = "15s") -> None:
    """All cases in one run of promtool; fails with the cases that came out otherwise, in promtool's words."""
    said = run(tool, folder, settings, cases, step)
    assert not said, "\n\n".join(f"{name}\n{words}" for name, words in said.items())


def run(tool: Any, folder: Path, settings: Settings, cases: Sequence[Case], step: str = "15s") -> dict[str, str]:
    """What promtool says against each case that fails. `step`: between two evaluations of all rules."""
    assert cases, "no case was given: nothing would be tested"
    files = rules.files(settings, SITE)
    for name, text in files.items():
        (folder / name).write_text(text)
    known = {alert.name: alert for alert in rules.alerts(settings)}
    unknown = sorted({case.alert for case in cases} - set(known))
    assert not unknown, f"no alert of these settings is called {', '.join(unknown)}"
    names = {_name(case): case for case in cases}
    assert len(names) == len(cases), "two cases have one name"
    test = {
        "rule_files": sorted(files),
        "evaluation_interval": step,
        "tests": [
            {
                "name": name,
                "interval": case.every,
                "input_series": [{"series": key, "values": values} for key, values in case.series.items()],
                "alert_rule_test": [
                    {
                        "eval_time": case.at,
                        "alertname": case.alert,
                        "exp_alerts": [_expected(settings, known[case.alert], one) for one in case.fires],
                    }
                ],
            }
            for name, case in names.items()
        ],
    }
    path = folder / "cases.yml"
    path.write_text(yaml.safe_dump(test, sort_keys=False))
    done = tool("promtool")("test", "rules", path)
    said = done.stdout + done.stderr
    failed = {name: words for name, words in _by_name(said).items() if name in names}
    assert done.returncode == 0 or failed, f"promtool failed for another reason:\n{said}"
    assert done.returncode != 0 or "SUCCESS" in said, f"promtool tested nothing:\n{said}"
    return failed


def _name(case: Case) -> str:
    return f"{case.alert}: {'silent' if not case.fires else 'fires'} {case.when}"


def _by_name(said: str) -> dict[str, str]:
    parts = re.split(r"^\s*name: (.*),$", said, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _expected(settings: Settings, alert: Alert, one: Fired) -> dict[str, Any]:
    labels = {"severity": alert.severity, **alert.labels, **one.labels}
    rendered = _rendered(settings, alert)
    told = {key: _filled(text, labels) for key, text in rendered.items()} | {"summary": one.says}
    return {"exp_labels": labels, "exp_annotations": told}


def _rendered(settings: Settings, alert: Alert) -> dict[str, str]:
    groups = rules.render(settings, [rules.Group(name="one", rules=(alert,))], SITE)["groups"]
    found: dict[str, str] = groups[0]["rules"][0]["annotations"]
    return found


def _filled(text: str, labels: Mapping[str, str]) -> str:
    """Labels filled in as Prometheus does; anything else in a template is the summary's alone."""
    filled = re.sub(r"{{ \$labels\.(\w+) }}", lambda found: labels.get(found[1], ""), text)
    assert "{{" not in filled, f"only a summary is compared word for word, keep values there: {text}"
    return filled
