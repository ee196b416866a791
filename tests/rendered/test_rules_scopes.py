"""Thresholds per host and container, and muted alerts, in promtool with two hosts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from configs.rules.model import Alert, Group, expression, render, scopes, show_threshold
from configs.settings import Settings
from tests.fixtures.programs import Tool
from tests.rendered.rules_rig import Case, check, fired, groups_of, settings_of
from tests.rendered.test_rules import TWO

DISK = 'job="node",env="test",device="/dev/vda",fstype="ext4",mountpoint="/"'
LABELS = {"job": "node", "device": "/dev/vda", "fstype": "ext4", "mountpoint": "/"}
FULL = Alert(
    name="ContainerFull",
    expr=lambda matchers, limits: f'used{{job="c"{matchers}}} > {limits.container_memory}',
    keys=("container_memory",),
    per="container",
    wait="0s",
    summary="{{ $labels.container }} on {{ $labels.host }} is {{ $value | humanizePercentage }} full",
    description="A stand-in for an alert of containers.",
)


def _settings(hub: dict[str, Any], web: dict[str, Any], fleet: dict[str, Any] | None = None) -> Settings:
    hosts = {"hub": {"alerts": hub}, "web-1": {**TWO["web-1"], "alerts": web}}
    return settings_of(hosts, alerts={"thresholds": fleet or {}})


def _disks(**used: int) -> dict[str, str]:
    """Series of disks that are so many percent full, by host."""
    series: dict[str, str] = {}
    for host, share in used.items():
        of = f'{DISK},host="{host.replace("_", "-")}"'
        series |= {f"node_filesystem_avail_bytes{{{of}}}": f"{100 - share}x60"}
        series |= {f"node_filesystem_size_bytes{{{of}}}": "100x60"}
    return series


def _disk_case(when: str, series: dict[str, str], *hosts: tuple[str, int]) -> Case:
    fires = [fired(f"File system / on {host} is {share}% full", host=host, **LABELS) for host, share in hosts]
    return Case(alert="DiskUsed", when=when, series=series, fires=fires)


def test_threshold_of_one_host(tool: Tool, tmp_path: Path) -> None:
    settings = _settings({}, {"thresholds": {"disk_used": 0.5}})
    cases = [
        _disk_case("for the one that asks for it earlier", _disks(hub=80, web_1=80), ("web-1", 80)),
        _disk_case("for both beyond the fleet's", _disks(hub=95, web_1=95), ("hub", 95), ("web-1", 95)),
        _disk_case("for a host of a name that only begins alike", _disks(web_10=80)),
    ]
    check(tool, tmp_path, settings, groups_of(settings, "hosts"), cases)


def test_a_threshold_of_the_whole_fleet(tool: Tool, tmp_path: Path) -> None:
    settings = _settings({}, {"thresholds": {"memory_used": 0.5}}, {"disk_used": 0.7})
    case = _disk_case("at the fleet's", _disks(hub=80, web_1=60), ("hub", 80))
    check(tool, tmp_path, settings, groups_of(settings, "hosts"), [case])


@pytest.mark.parametrize("mute", ["DiskUsed", "all"])
def test_alert_muted_on_one_host(mute: str, tool: Tool, tmp_path: Path) -> None:
    settings = _settings({"mute": [mute]}, {})
    case = _disk_case("for the other one alone", _disks(hub=95, web_1=95), ("web-1", 95))
    check(tool, tmp_path, settings, groups_of(settings, "hosts"), [case])


def test_muted_host_alerts_are_not_rendered() -> None:
    settings = _settings({"mute": ["HostSilent", "ForeignHost"]}, {"mute": ["all"]})
    (pipeline,) = groups_of(settings, "pipeline")
    assert not {"HostSilent", "ForeignHost"} & {rule.name for rule in pipeline.rules}


def _container_case(when: str, *fires: tuple[str, str, int]) -> Case:
    series = {
        f'used{{job="c",env="test",host="{host}",container="{name}"}}': "0.8x60"
        for host in ("hub", "web-1")
        for name in ("db", "db-2", "api")
    }
    told = [
        fired(f"{name} on {host} is {share}% full", host=host, container=name, job="c") for host, name, share in fires
    ]
    return Case(alert="ContainerFull", when=when, series=series, fires=told)


def test_threshold_and_mute_of_one_container(tool: Tool, tmp_path: Path) -> None:
    web = {
        "thresholds": {"container_memory": 0.7},
        "containers": {"db": {"thresholds": {"container_memory": 0.95}}, "api": {"mute": ["ContainerFull"]}},
    }
    settings = _settings({}, web)
    case = _container_case("for the one that has the host's threshold", ("web-1", "db-2", 80))
    check(tool, tmp_path, settings, [Group(name="one", rules=(FULL,))], [case])


def test_mute_of_a_host_covers_its_containers() -> None:
    web = {"mute": ["ContainerFull"], "containers": {"db": {"thresholds": {"container_memory": 0.5}}}}
    assert [matchers for matchers, _ in scopes(_settings({}, web), FULL)] == [',host!~"web-1"']


def test_one_expression_without_exceptions() -> None:
    assert expression(_settings({}, {}), FULL) == 'used{job="c"} > 0.9'


def test_alert_muted_everywhere_never_fires(tool: Tool, tmp_path: Path) -> None:
    settings = _settings({"mute": ["ContainerFull"]}, {"mute": ["ContainerFull"]})
    check(tool, tmp_path, settings, [Group(name="one", rules=(FULL,))], [_container_case("anywhere")])


def test_descriptions_state_the_thresholds_and_their_exceptions() -> None:
    containers = {"db": {"thresholds": {"container_memory": 0.95}}, "api": {"mute": ["ContainerFull"]}}
    settings = _settings({}, {"thresholds": {"container_memory": 0.7}, "containers": containers})
    (group,) = render(settings, [Group(name="one", rules=(FULL,))], "https://monitor.example.com")["groups"]
    description = group["rules"][0]["annotations"]["description"]
    assert description == f"{FULL.description} Threshold container_memory: 0.9, 0.7 for web-1, 0.95 for db on web-1."


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [("disk_used", 0.85, "0.85"), ("host_silent", "90m", "90m"), ("postgres_retained_wal", "2GB", "2GB")],
)
def test_thresholds_are_shown_as_in_the_stack_file(key: str, value: Any, shown: str) -> None:
    settings = _settings({}, {}, {key: value})
    assert show_threshold(settings.hub.alerts.thresholds, key) == shown
