"""What the hub accepts of a host while its password is rotated or the host is renamed."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from components.credential import Settled, accepted, settled
from configs.settings import Host

HASHES = {1: "hash-b", 2: "hash-a"}


def host(**keys: Any) -> Host:
    return Host.model_validate({"server": {"address": "203.0.113.7"}, **keys})


@pytest.mark.parametrize(
    ("keys", "done", "expected"),
    [
        ({}, {}, Settled()),
        ({}, {"vps-2": 0}, Settled()),
        ({"rotation": 2}, {"vps-2": 1}, Settled(rotation=1)),
        ({"renamed_from": "vps-1"}, {"vps-1": 0}, Settled(former="vps-1")),
        ({"renamed_from": "vps-1", "rotation": 2}, {"vps-1": 1}, Settled(rotation=1, former="vps-1")),
        ({"renamed_from": "vps-1"}, {"vps-2": 0}, Settled()),
        ({"renamed_from": "vps-1"}, {}, Settled()),
    ],
    ids=["new", "unchanged", "rotated", "renamed", "renamed and rotated", "renamed before", "never deployed"],
)
def test_the_last_complete_update_shows_what_a_host_still_uses(
    keys: dict[str, Any], done: dict[str, int], expected: Settled
) -> None:
    assert settled("vps-2", host(**keys), done) == expected


def test_a_rotation_that_skips_a_number_is_refused_for_a_renamed_host_too() -> None:
    with pytest.raises(pulumi.RunError, match=r"hosts\.vps-2\.rotation: expected 1 .* or 2 .*, got 3"):
        settled("vps-2", host(renamed_from="vps-1", rotation=3), {"vps-1": 1})


def test_old_and_new_are_accepted_until_the_host_has_settled() -> None:
    assert accepted("vps-2", 2, HASHES, Settled(rotation=2)) == {"vps-2.2": "hash-a"}
    assert accepted("vps-2", 2, HASHES, Settled(rotation=1)) == {"vps-2.2": "hash-a", "vps-2.1": "hash-b"}
    assert accepted("vps-2", 2, HASHES, Settled(rotation=2, former="vps-1")) == {
        "vps-2.2": "hash-a",
        "vps-1.2": "hash-a",
    }
    assert accepted("vps-2", 2, HASHES, Settled(rotation=1, former="vps-1")) == {
        "vps-2.2": "hash-a",
        "vps-2.1": "hash-b",
        "vps-1.1": "hash-b",
    }
