"""Rules about alerts: muted names and routes."""

from __future__ import annotations

from typing import Any

from configs import rules
from configs.settings import load
from configs.validation.alerts import alert_names, problems
from tests.fixtures.full import full, small


def _problems(alerts: dict[str, Any], routes: list[Any] | None = None) -> list[str]:
    hooks = {"team": {"webhook": {"url": "https://hook.example/x"}}}
    hub = {"local": {}, "alerts": {"receivers": hooks, "default": "team", "routes": routes or []}}
    return list(problems(load(small(hub=hub, hosts={"hub": {"alerts": alerts}}), "stacks/Pulumi.test.yaml")))


def test_a_muted_name_that_is_no_alert_is_told_with_the_near_one() -> None:
    wrong = {"mute": ["HostSilent", "DiskUsd", "diskused"], "containers": {"db": {"mute": ["Nonsense"]}}}
    assert _problems(wrong) == [
        "hosts.hub.alerts.mute.1: expected the name of an alert, got 'DiskUsd'; did you mean DiskUsed?",
        "hosts.hub.alerts.mute.2: expected the name of an alert, got 'diskused'; did you mean DiskUsed?",
        "hosts.hub.alerts.containers.db.mute.0: expected the name of an alert, got 'Nonsense'; "
        "docs/alerts.md lists them, `all` mutes every one",
    ]


def test_what_is_muted_already_is_known_all_the_same() -> None:
    assert _problems({"mute": ["HostSilent", "HubPartDown", "ForeignHost", "all"]}) == []


def test_a_route_to_a_host_that_is_none_is_told() -> None:
    (problem,) = _problems({}, [{"receiver": "team", "hosts": ["hub", "web-9"]}])
    assert problem == "hub.alerts.routes.0.hosts.1: expected the name of a host (hub), got 'web-9'"


def test_a_full_stack_file_has_none_of_these() -> None:
    assert list(problems(full())) == []
    assert set(alert_names(full())) == {alert.name for alert in rules.alerts(full())}
