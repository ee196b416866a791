"""The warnings of a preview about a hub that is too small, for both kinds, at the edges."""

from __future__ import annotations

from typing import Any

import pytest

from configs import sizing
from configs.memory import droplet_memory
from configs.settings import Settings, load
from tests.bench.load import SERIES
from tests.fixtures.fleets import SOURCE, fleet
from tests.fixtures.full import ROOT

BUCKET = {"kind": "bucket", "bucket": {"spaces": "fra1"}}
KINDS: dict[str, dict[str, Any]] = {"single": {}, "bucket": {"storage": BUCKET}}


def _fleet(kind: str, size: str, count: int, edge: dict[str, Any] | None = None, **hub: Any) -> Settings:
    place = {"droplet": {"region": "fra1", "size": size, "volume": 2000}}
    hosts: dict[str, Any] = {f"web-{n}": {"droplet": {}, **(edge or {})} for n in range(1, count)}
    return load(fleet({**place, **KINDS[kind], **hub}, hosts=hosts), SOURCE)


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_host_that_fits_has_no_warning_and_the_next_one_has(kind: str) -> None:
    size, memory = "s-1vcpu-2gb", 2048
    most = sizing.most_hosts(kind, memory)
    assert most > 1
    assert list(sizing.warnings(_fleet(kind, size, most))) == []
    (warning,) = sizing.warnings(_fleet(kind, size, most + 1))
    assert warning.startswith(
        f"hub.droplet.size: {most + 1} hosts with about {(most + 1) * 4000} series need a hub with about "
    )
    assert f"{size} has 2048 MB; choose s-2vcpu-4gb or a larger one" in warning
    assert list(sizing.warnings(_fleet(kind, "s-2vcpu-4gb", most + 1))) == [], "the size that it names fits"


@pytest.mark.parametrize(("kind", "role"), [("single", "prometheus"), ("bucket", "thanos_receive")])
def test_a_limit_that_is_too_low_is_named_with_one_that_fits(kind: str, role: str) -> None:
    rate = {"metrics": {"sample_rate": 20000}}
    (warning,) = sizing.warnings(_fleet(kind, "s-8vcpu-16gb", 2, rate))
    assert warning.startswith(f"hub.limits.{role}.memory: 2 hosts with about 304000 series need about ")
    raised = warning.partition("raise it to ")[2].partition(",")[0]
    limits = {role: {"memory": raised, "cpus": 1.0}}
    assert list(sizing.warnings(_fleet(kind, "s-8vcpu-16gb", 2, rate, limits=limits))) == []


def test_a_sample_rate_that_is_given_counts_instead_of_the_default() -> None:
    assert sizing.series(_fleet("single", "s-2vcpu-4gb", 3)) == 3 * 4000
    assert sizing.series(_fleet("single", "s-2vcpu-4gb", 3, {"metrics": {"sample_rate": 100}})) == 4000 + 2 * 1500


def test_more_than_any_size_is_divided() -> None:
    (warning, *_) = sizing.warnings(_fleet("single", "s-2vcpu-4gb", 2, {"metrics": {"sample_rate": 10**6}}))
    assert "s-2vcpu-4gb has 4096 MB; divide the hosts among several stacks" in warning


@pytest.mark.parametrize("hub", [{"local": {}}, {"droplet": {"region": "fra1", "size": "c-2", "volume": 2000}}])
def test_a_machine_whose_memory_is_unknown_has_no_warning(hub: dict[str, Any]) -> None:
    hosts = {} if "local" in hub else {"web": {"droplet": {}, "metrics": {"sample_rate": 3000}}}
    assert list(sizing.warnings(load(fleet(hub, hosts=hosts), SOURCE))) == []


def test_the_table_of_the_docs_is_that_of_the_code() -> None:
    text = (ROOT / "docs" / "growing.md").read_text()
    assert "\n".join(sizing.table()) in text
    assert SERIES == sizing.SERIES, "what is measured is what is counted"


def test_a_hub_of_each_listed_size_is_large_enough_for_its_number() -> None:
    for kind in sizing.NEEDS:
        for size in ("s-2vcpu-4gb", "s-8vcpu-16gb"):
            memory = droplet_memory(size) or 0
            most = sizing.most_hosts(kind, memory)
            assert sizing.total(kind, most * sizing.SERIES) <= memory < sizing.total(kind, (most + 1) * sizing.SERIES)
