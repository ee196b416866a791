"""The preview's sentence about the assistant's memory."""

from __future__ import annotations

from typing import Any

import pytest

from configs.memory import assistant, droplet_memory
from configs.settings import load
from tests.fixtures.fleets import CLUSTER, cluster
from tests.fixtures.full import small

SOURCE = "stacks/Pulumi.test.yaml"


def _hub(**hub: Any) -> tuple[str, bool]:
    return assistant(load(small(hub=hub), SOURCE))


def test_without_the_assistant_there_is_no_sentence() -> None:
    assert _hub(local={}) == ("", True)


def test_a_hub_that_is_no_droplet_has_no_size_to_compare_with() -> None:
    assert _hub(local={}, ask={}) == ("hub.ask: the assistant's three containers may use 296 MB of memory", True)


def test_limits_are_compared_with_the_droplet() -> None:
    text, fits = _hub(droplet={"region": "fra1", "size": "s-4vcpu-8gb"}, ask={})
    assert fits
    assert text.endswith("and its droplet (s-4vcpu-8gb) has 8192 MB")
    text, fits = _hub(droplet={"region": "fra1", "size": "s-1vcpu-1gb"}, ask={})
    assert not fits
    assert text.endswith("(s-1vcpu-1gb) has 1024 MB: choose a larger `hub.droplet.size`, or lower `hub.limits`")


def test_the_smallest_node_of_a_cluster_counts() -> None:
    large = {"size": "s-4vcpu-8gb"}
    nodes = {"a": {}, "b": large, "c": {"size": "s-1vcpu-1gb"}}
    text, fits = assistant(
        cluster({"ask": {}, "storage": {**CLUSTER, "nodes": nodes}, "droplet": {"region": "fra1", **large}})
    )
    assert not fits
    assert "and the smallest droplet (s-1vcpu-1gb) has 1024 MB" in text
    assert text.endswith(": choose a larger `hub.storage.nodes.c.size`, or lower `hub.limits`")


@pytest.mark.parametrize(
    ("size", "found"), [("s-1vcpu-512mb-10gb", 512), ("s-2vcpu-4gb", 4096), ("m-2vcpu-16gb", 16384), ("c-2", None)]
)
def test_memory_of_a_size(size: str, found: int | None) -> None:
    assert droplet_memory(size) == found
