"""Thresholds of a host or a container of its own, and what is muted: asked of promtool with two hosts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from configs.rules.model import Alert, Group, expression, scopes
from configs.settings import Settings
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
    advice="A stand-in for an alert of containers.",
)


def _settings(hub: dict[str, Any], web: dict[str, Any], fleet: dict[str, Any] | None = None) -> Settings:
    hosts = {"hub": {"alerts": hub}, "web-1": {**TWO["web-1"], "alerts": web}}
    return settings_of(hosts, alerts={"thresholds": fleet or {}})


def _disks(**used: int) -> dict[str, str]:
    """Series of disks that are so many percent full, by host."""
    series = {}
    for host, share in used.items():
        of = f'{DISK},host="{host.replace("_", "-")}"'
        series |= {f"node_filesystem_avail_bytes{{{of}}}": f"{100 - share}x60"}
        series |= {f"node_filesystem_size_bytes{{{of}}}": "100x60"}
    return series


def _disk_case(when: str, series: dict[str, str], *hosts: tuple[str, int]) -> Case:
    fires = [fired(f"/ on {host} is {share}% full", host=host, **LABELS) for host, share in hosts]
    return Case(alert="DiskUsed", when=when, series=series, fires=fires)


def test_a_host_with_a_threshold_of_its_own(tool, tmp_path: Path) -> None:
    settings = _settings({}, {"thresholds": {"disk_used": 0.5}})
    cases = [
        _disk_case("for the one that asks for it earlier", _disks(hub=80, web_1=80), ("web-1", 80)),
        _disk_case("for both beyond the fleet's", _disks(hub=95, web_1=95), ("hub", 95), ("web-1", 95)),
        _disk_case("for a host of a name that only begins alike", _disks(web_10=80)),
    ]
    check(tool, tmp_path, settings, groups_of(settings, "hosts"), cases)


def test_a_threshold_of_the_whole_fleet(tool, tmp_path: Path) -> None:
    settings = _settings({}, {"thresholds": {"memory_used": 0.5}}, {"disk_used": 0.7})
    case = _disk_case("at the fleet's", _disks(hub=80, web_1=60), ("hub", 80))
    check(tool, tmp_path, settings, groups_of(settings, "hosts"), [case])


@pytest.mark.parametrize("mute", ["DiskUsed", "all"])
def test_a_host_where_it_is_muted(mute: str, tool, tmp_path: Path) -> None:
    settings = _settings({"mute": [mute]}, {})
    case = _disk_case("for the other one alone", _disks(hub=95, web_1=95), ("web-1", 95))
    check(tool, tmp_path, settings, groups_of(settings, "hosts"), [case])


def test_a_host_that_is_silent_by_wish_is_watched_by_nobody() -> None:
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


def test_a_container_with_a_threshold_of_its_own_or_muted(tool, tmp_path: Path) -> None:
    web = {
        "thresholds": {"container_memory": 0.7},
        "containers": {"db": {"thresholds": {"container_memory": 0.95}}, "api": {"mute": ["ContainerFull"]}},
    }
    settings = _settings({}, web)
    case = _container_case("for the one that has the host's threshold", ("web-1", "db-2", 80))
    check(tool, tmp_path, settings, [Group(name="one", rules=(FULL,))], [case])


def test_what_is_muted_for_a_host_is_muted_for_its_containers() -> None:
    web = {"mute": ["ContainerFull"], "containers": {"db": {"thresholds": {"container_memory": 0.5}}}}
    assert [matchers for matchers, _ in scopes(_settings({}, web), FULL)] == [',host!~"web-1"']


def test_without_exceptions_there_is_one_plain_expression() -> None:
    assert expression(_settings({}, {}), FULL) == 'used{job="c"} > 0.9'


def test_where_everything_is_muted_nothing_is_left_to_fire(tool, tmp_path: Path) -> None:
    settings = _settings({"mute": ["ContainerFull"]}, {"mute": ["ContainerFull"]})
    check(tool, tmp_path, settings, [Group(name="one", rules=(FULL,))], [_container_case("anywhere")])
