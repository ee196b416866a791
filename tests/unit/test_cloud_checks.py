"""A stack file held against what the cloud has: each sentence names what would be valid."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from configs.settings import Settings, load, read
from configs.validation import CloudFacts, validate
from tests.fixtures.fleets import SOURCE, fleet

FACTS = CloudFacts(
    regions=frozenset({"fra1", "ams3"}),
    sizes={"s-1vcpu-1gb": frozenset({"fra1", "ams3"}), "s-2vcpu-4gb": frozenset({"fra1"})},
    images={"debian-13-x64": frozenset({"fra1", "ams3"}), "ubuntu-24-04-x64": frozenset({"fra1"})},
    projects={"shop": "2", "monitoring": "1"},
)


def _problems(settings: Settings, facts: CloudFacts = FACTS) -> list[str]:
    found = validate(settings, machine=None, cloud=facts, encrypted=None)
    assert all(problem.endswith(f" ({SOURCE})") for problem in found)
    return [problem.removesuffix(f" ({SOURCE})") for problem in found]


def _settings(droplet: dict[str, Any] | None = None, **cloud: Any) -> Settings:
    return load(fleet(hosts={"web-1": {"droplet": droplet or {}, "via": "internet"}}, cloud=cloud), SOURCE)


def test_what_the_cloud_has_is_fine() -> None:
    assert _problems(_settings({"region": "ams3"}, project="shop")) == []


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
        "hosts.web-1.droplet.image: expected one that fra1 has (debian-13-x64, ubuntu-24-04-x64), got 'debian-11-x64'",
    ),
}


@pytest.mark.parametrize("what", UNKNOWN)
def test_what_the_cloud_does_not_have_is_told_with_what_it_has(what: str) -> None:
    settings, said = UNKNOWN[what]
    assert _problems(settings) == [said]


def test_several_are_told_together() -> None:
    found = _problems(_settings({"size": "x", "image": "y"}, project="z"))
    assert [problem.split(":")[0] for problem in found] == [
        "cloud.project",
        "hosts.web-1.droplet.size",
        "hosts.web-1.droplet.image",
    ]


def test_a_droplet_that_runs_needs_nothing_that_is_sold_out_by_now() -> None:
    settings = _settings({"size": "s-sold-out", "image": "debian-10-x64"})
    name = f"fleetwatch-{settings.env}-web-1"
    there = replace(FACTS, droplets={name: ("fra1", "s-sold-out")})
    assert _problems(settings, there) == []
    resized = replace(FACTS, droplets={name: ("fra1", "s-1vcpu-1gb")})
    (said,) = _problems(settings, resized)
    assert said.startswith("hosts.web-1.droplet.size: "), "a new size has to be available; no image is needed"
    others = replace(FACTS, droplets={"fleetwatch-other-web-1": ("fra1", "s-sold-out")})
    assert len(_problems(settings, others)) == 2


def test_an_api_without_an_answer_is_the_only_problem() -> None:
    assert _problems(_settings({"size": "x"}), CloudFacts(problem="api.example cannot be reached")) == [
        "api.example cannot be reached"
    ]


def test_an_invalid_droplet_is_not_compared_with_the_cloud() -> None:
    sections = fleet({"droplet": {"region": "FRA 1"}})
    settings, problems = read(sections, SOURCE)
    assert [problem.split(":")[0] for problem in problems] == ["hub.droplet.region"]
    assert settings is None or _problems(settings) == []
