"""Who is told of what, by Alertmanager's own tool: routes, quiet hours, inhibition, and the words of a message."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from configs import rules
from configs.services import alertmanager
from configs.services.alertmanager import routing, templates
from configs.services.alertmanager.kinds import KINDS
from configs.settings import Settings, load
from configs.settings.alerts import Quiet
from tests.fixtures.fleets import cluster
from tests.fixtures.full import full
from tests.fixtures.programs import Tool
from tests.rendered.test_rules import TWO

HOOK = {"webhook": {"url": "https://hook.example/x"}}
ROUTES = [
    {"receiver": "pager", "severity": ["critical"], "also": True},
    {"receiver": "web", "hosts": ["web-1"]},
]


def _settings(**alerts: Any) -> Settings:
    receivers = dict.fromkeys(("team", "pager", "web", "heartbeat"), HOOK)
    given = {"receivers": receivers, "default": "team", "watchdog": "heartbeat", **alerts}
    whole = {key: value for key, value in given.items() if value is not None}
    return load({"env": "test", "hub": {"local": {}, "alerts": whole}, "hosts": TWO}, "stacks/Pulumi.test.yaml")


def _told(tool: Tool, folder: Path, settings: Settings, **labels: str) -> list[str]:
    """The receivers of an alert with these labels, as amtool finds them."""
    (folder / "alertmanager.yml").write_text(alertmanager.config(settings))
    words = [f"{key}={value}" for key, value in labels.items()]
    done = tool("amtool")("config", "routes", "test", f"--config.file={folder / 'alertmanager.yml'}", *words)
    assert done.returncode == 0, done.stderr
    return sorted(done.stdout.strip().split(","))


CASES = {
    "of the default": ({"alertname": "DiskUsed", "severity": "warning", "host": "hub"}, ["team"]),
    "of a severity, and the default as well": (
        {"alertname": "DiskUsed", "severity": "critical", "host": "hub"},
        ["pager", "team"],
    ),
    "of a host": ({"alertname": "DiskUsed", "severity": "warning", "host": "web-1"}, ["web"]),
    "of both": ({"alertname": "DiskUsed", "severity": "critical", "host": "web-1"}, ["pager", "web"]),
    "of the watchdog, never mixed with others": (
        {"alertname": "Watchdog", "severity": "none", "host": "hub"},
        ["heartbeat"],
    ),
}


@pytest.mark.parametrize("quiet", [[], [{"hours": "22:00-07:00"}]], ids=["always", "with quiet hours"])
@pytest.mark.parametrize("case", CASES)
def test_the_receivers(case: str, quiet: list[Any], tool: Tool, tmp_path: Path) -> None:
    labels, receivers = CASES[case]
    assert _told(tool, tmp_path, _settings(routes=ROUTES, quiet=quiet), **labels) == receivers


def test_without_receivers_nobody_is_told(tool: Tool, tmp_path: Path) -> None:
    settings = _settings(receivers={}, default=None, watchdog=None)
    assert _told(tool, tmp_path, settings, alertname="DiskUsed", severity="critical") == ["nobody"]


def test_quiet_hours_hold_for_their_severities_on_every_route() -> None:
    document = yaml.safe_load(alertmanager.config(_settings(routes=ROUTES, quiet=[{"hours": "22:00-07:00"}])))
    (watchdog, pager, web, default) = document["route"]["routes"]
    assert "routes" not in watchdog, "the heartbeat never pauses"
    assert "routes" not in pager, "critical ones do not wait unless the stack file says so"
    for route in (web, default):
        assert [(one["matchers"], one["mute_time_intervals"]) for one in route["routes"]] == [
            (['severity="warning"'], ["quiet-0"]),
            (['severity="info"'], ["quiet-0"]),
        ]


def test_hours_over_midnight_belong_to_the_day_on_which_they_begin() -> None:
    quiet = Quiet.model_validate({"hours": "22:00-07:00", "days": ["sunday", "friday"], "time_zone": "Europe/Berlin"})
    (interval,) = routing.intervals(_settings().hub.alerts.model_copy(update={"quiet": [quiet]}))
    zone = {"location": "Europe/Berlin"}
    assert interval["time_intervals"] == [
        {"times": [{"start_time": "22:00", "end_time": "24:00"}], "weekdays": ["friday", "sunday"], **zone},
        {"times": [{"start_time": "00:00", "end_time": "07:00"}], "weekdays": ["monday", "saturday"], **zone},
    ]


@pytest.mark.parametrize(
    ("hours", "times"),
    [("08:00-18:00", [("08:00", "18:00")]), ("22:00-00:00", [("22:00", "24:00")])],
)
def test_hours_of_one_day_are_one_interval(hours: str, times: list[tuple[str, str]]) -> None:
    quiet = Quiet.model_validate({"hours": hours})
    (interval,) = routing.intervals(_settings().hub.alerts.model_copy(update={"quiet": [quiet]}))
    found = [one["times"][0] for one in interval["time_intervals"]]
    assert [(one["start_time"], one["end_time"]) for one in found] == times


def _names(matchers: list[str], known: set[str]) -> set[str]:
    """Which of these alerts the matchers of one side of an inhibition take, by name alone."""
    found = known
    for matcher in matchers:
        if taken := re.fullmatch(r'alertname(=~|!~|=)"(.*)"', matcher):
            hits = {name for name in known if re.fullmatch(taken[2], name)}
            found = found - hits if taken[1] == "!~" else found & hits
    return found


@pytest.mark.parametrize("node", ["", "hub-b"])
def test_no_two_alerts_silence_each_other_and_nothing_silences_the_watchdog(node: str) -> None:
    known = {alert.name for alert in rules.alerts(cluster() if node else _settings())}
    pairs = {
        (source, target)
        for rule in routing.inhibitions(node)
        for source in _names(rule["source_matchers"], known)
        for target in _names(rule["target_matchers"], known)
    }
    assert ("HostSilent", "DiskUsed") in pairs
    assert ("HubPartDown", "HostSilent") in pairs
    assert not {(a, b) for a, b in pairs if (b, a) in pairs}, "both would be suppressed, and nobody told"
    assert "Watchdog" not in {target for _, target in pairs}


def test_what_silences_others_has_the_labels_that_are_compared() -> None:
    for alert in rules.alerts(_settings()):
        if alert.name == "HostSilent":
            assert f'env="test",host="{alert.labels["host"]}"' in str(alert.expr), "absent() has only what it was asked"


MESSAGE = {
    "status": "firing",
    "alerts": [
        {
            "status": status,
            "labels": {"alertname": "DiskUsed", "host": "hub", "env": "test", "severity": "critical"},
            "annotations": {
                "summary": summary,
                "description": "Little is left on it.",
                "dashboard": "https://m.example/d/fleetwatch-hosts?var-host=hub",
                "runbook": "https://wiki.example.com/runbooks/DiskUsed.md",
            },
        }
        for status, summary in (("firing", "/ on hub is 95% full"), ("resolved", "/srv on hub is 91% full"))
    ],
    "commonLabels": {"alertname": "DiskUsed", "host": "hub", "env": "test", "severity": "critical"},
}


def _rendered(tool: Tool, folder: Path, text: str, message: dict[str, Any]) -> str:
    (folder / "fleetwatch.tmpl").write_text(templates.TEMPLATES)
    (folder / "data.json").write_text(json.dumps(message))
    words = [f"--template.glob={folder / 'fleetwatch.tmpl'}", f"--template.data={folder / 'data.json'}"]
    done = tool("amtool")("template", "render", *words, f"--template.text={text}")
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


def test_what_a_person_reads(tool: Tool, tmp_path: Path) -> None:
    assert _rendered(tool, tmp_path, templates.TITLE, MESSAGE).strip() == "1 firing: DiskUsed on hub (test)"
    assert _rendered(tool, tmp_path, templates.BODY, MESSAGE).strip() == (
        "/ on hub is 95% full\n"
        "Little is left on it.\n"
        "Dashboard: https://m.example/d/fleetwatch-hosts?var-host=hub\n"
        "Runbook: https://wiki.example.com/runbooks/DiskUsed.md\n"
        "\n"
        "Resolved: /srv on hub is 91% full"
    )
    assert _rendered(tool, tmp_path, templates.SHORT, MESSAGE).strip() == "/ on hub is 95% full, and more"
    assert _rendered(tool, tmp_path, templates.SEVERITY, MESSAGE).strip() == "critical"


def test_a_resolved_group_of_several_alerts_says_so(tool: Tool, tmp_path: Path) -> None:
    message = {**MESSAGE, "status": "resolved", "commonLabels": {"env": "test"}}
    assert _rendered(tool, tmp_path, templates.TITLE, message).strip() == "Resolved: several alerts (test)"


def test_every_receiver_for_people_has_these_words() -> None:
    """Those that get Alertmanager's own JSON have no texts."""
    document = yaml.safe_load(alertmanager.config(full()))
    kinds = {kind: one[kind][0] for one in document["receivers"] for kind in one if kind.endswith("_configs")}
    assert set(kinds) == {kind.section for kind in KINDS.values()}
    for kind, config in kinds.items():
        if kind not in ("webhook_configs", "incidentio_configs"):
            texts = json.dumps(config)
            assert re.search(r"fleetwatch\.(body|brief|markdown|first)", texts), (
                f"{kind} would send Alertmanager's text"
            )
            assert ".default." not in texts


SEVERAL: dict[str, Any] = {
    **MESSAGE,
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "Own", "severity": "info"},
            "annotations": {"summary": f"number {n}", "dashboard": f"https://m.example/d/{n}"} if n else {},
        }
        for n in range(7)
    ],
    "commonLabels": {"alertname": "Own", "severity": "info", "host": "h" * 200},
}


def test_short_messages_have_the_first_alerts_and_the_number_of_all(tool: Tool, tmp_path: Path) -> None:
    for text in (templates.BRIEF, templates.MARKDOWN):
        shown = _rendered(tool, tmp_path, text, SEVERAL)
        assert "number 4" in shown
        assert "number 5" not in shown
        assert "5 of 7 firing alerts are shown." in shown


def test_alert_without_annotations_is_named(tool: Tool, tmp_path: Path) -> None:
    assert _rendered(tool, tmp_path, templates.BODY, SEVERAL).startswith("Own\n\nnumber 1\nDashboard: https://")
    assert _rendered(tool, tmp_path, templates.SHORT, SEVERAL).strip() == "Own, and more"
    assert _rendered(tool, tmp_path, templates.FIRST, SEVERAL).strip() == "Own, and more"


def test_subject_of_sns_is_short_ascii(tool: Tool, tmp_path: Path) -> None:
    labels = {**SEVERAL["commonLabels"], "alertname": "Füllstand"}
    shown = _rendered(tool, tmp_path, templates.SUBJECT, {**SEVERAL, "commonLabels": labels}).strip()
    assert shown.startswith("7 firing: F?llstand on hhh")
    assert len(shown) == 99


def test_value_by_severity(tool: Tool, tmp_path: Path) -> None:
    text = templates.by_severity({"critical": "1", "info": "-1"}, "0")
    for severity, expected in (("critical", "1"), ("info", "-1"), ("warning", "0"), ("", "0")):
        message = {**MESSAGE, "commonLabels": {"severity": severity} if severity else {}}
        assert _rendered(tool, tmp_path, text, message).strip() == expected
