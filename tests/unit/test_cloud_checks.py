"""A stack file held against what the cloud has: each sentence names what would be valid."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from configs.settings import Settings, load
from configs.settings.cloud_facts import CloudFacts, against_cloud
from tests.fixtures.fleets import SOURCE, fleet

FACTS = CloudFacts(
    regions=frozenset({"fra1", "ams3"}),
    sizes={"s-1vcpu-1gb": frozenset({"fra1", "ams3"}), "s-2vcpu-4gb": frozenset({"fra1"})},
    images={"debian-12-x64": frozenset({"fra1", "ams3"}), "ubuntu-24-04-x64": frozenset({"fra1"})},
    projects={"shop": "2", "monitoring": "1"},
)


def _settings(droplet: dict[str, Any] | None = None, **cloud: Any) -> Settings:
    return load(fleet(hosts={"web-1": {"droplet": droplet or {}, "via": "internet"}}, cloud=cloud), SOURCE)


def test_what_the_cloud_has_is_fine() -> None:
    assert against_cloud(_settings({"region": "ams3"}, project="shop"), FACTS) == []


UNKNOWN = {
    "project": (
        _settings(project="Shop"),
        "cloud.project: expected a project of this account (monitoring, shop), got 'Shop'",
    ),
    "region": (
        _settings({"region": "fra9"}),
        "hosts.web-1.droplet.region: expected a region (ams3, fra1), got 'fra9'",
    ),
    "size": (
        _settings({"size": "s-3vcpu-1gb"}),
        "hosts.web-1.droplet.size: expected one that fra1 has (s-1vcpu-1gb, s-2vcpu-4gb), got 's-3vcpu-1gb'",
    ),
    "size elsewhere": (
        _settings({"size": "s-2vcpu-4gb", "region": "ams3"}),
        "hosts.web-1.droplet.size: expected one that ams3 has (s-1vcpu-1gb), got 's-2vcpu-4gb'",
    ),
    "image": (
        _settings({"image": "debian-11-x64"}),
        "hosts.web-1.droplet.image: expected one that fra1 has (debian-12-x64, ubuntu-24-04-x64), got 'debian-11-x64'",
    ),
}


@pytest.mark.parametrize("what", UNKNOWN)
def test_what_the_cloud_does_not_have_is_told_with_what_it_has(what: str) -> None:
    settings, said = UNKNOWN[what]
    assert against_cloud(settings, FACTS) == [said]


def test_several_are_told_together() -> None:
    found = against_cloud(_settings({"size": "x", "image": "y"}, project="z"), FACTS)
    assert [problem.split(":")[0] for problem in found] == [
        "cloud.project",
        "hosts.web-1.droplet.size",
        "hosts.web-1.droplet.image",
    ]


def test_a_droplet_that_runs_needs_nothing_that_is_sold_out_by_now() -> None:
    settings = _settings({"size": "s-sold-out", "image": "debian-10-x64"})
    name = f"fleetwatch-{settings.env}-web-1"
    there = replace(FACTS, droplets={name: ("fra1", "s-sold-out")})
    assert against_cloud(settings, there) == []
    resized = replace(FACTS, droplets={name: ("fra1", "s-1vcpu-1gb")})
    (said,) = against_cloud(settings, resized)
    assert said.startswith("hosts.web-1.droplet.size: "), "a size that it is to get has to be there; no image is needed"
    others = replace(FACTS, droplets={"fleetwatch-other-web-1": ("fra1", "s-sold-out")})
    assert len(against_cloud(settings, others)) == 2
