"""The fleet, eighth part: what the cloud's API refuses is told before anything is made, and nothing is made."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.fleet import Fleet

pytestmark = pytest.mark.xdist_group("fleet")

KINDS = ("droplets", "volumes", "vpcs", "reserved_ips", "firewalls")


def _refused(fleet: Fleet, change: dict[str, Any]) -> str:
    """What an `up` with this change says, which must not get as far as any resource."""
    had = {kind: len(fleet.api(kind)) for kind in KINDS}
    with fleet.meanwhile(change):
        said = fleet.up_fails()
    assert "creating" not in said, said
    assert "updating (" not in said, said
    assert {kind: len(fleet.api(kind)) for kind in KINDS} == had, "something was made"
    return said


def test_what_the_cloud_does_not_know_is_named_with_what_it_knows(fleet: Fleet) -> None:
    """Region, size, image and project, all of them in one message."""
    said = _refused(
        fleet,
        {
            "cloud": {"project": "nowhere"},
            "hosts": {
                "one": {"droplet": {"size": "s-1vcpu-1gb", "region": "fra9"}},
                "two": {"droplet": {"size": "s-99vcpu-1gb"}},
                "three": {"droplet": {"size": "s-1vcpu-1gb", "image": "debian-99-x64"}},
            },
        },
    )
    for sentence, valid in (
        ("hosts.one.droplet.region: expected a region (", "fra1"),
        ("hosts.two.droplet.size: expected one that fra1 has (", "s-1vcpu-1gb"),
        ("hosts.three.droplet.image: expected one that fra1 has (", "debian-13-x64"),
        ("cloud.project: expected a project of this account (", "rehearsal"),
    ):
        told = [line for line in said.splitlines() if sentence in line]
        assert told, f"{sentence} is not said:\n{said}"
        assert valid in told[0].partition("(")[2], told[0]


def test_two_hosts_with_one_address_are_told(fleet: Fleet) -> None:
    address = {"server": {"address": "198.18.77.160"}}
    said = _refused(fleet, {"hosts": {"one": address, "two": address}})
    assert "198.18.77.160" in said
    assert "hosts.one" in said
    assert "hosts.two" in said


@contextlib.contextmanager
def _token(fleet: Fleet, token: str) -> Iterator[None]:
    """Another API token in the stack's environment."""
    file = fleet.state / "environment.json"
    before = file.read_text()
    file.write_text(json.dumps({**json.loads(before), "DIGITALOCEAN_TOKEN": token}))
    try:
        yield
    finally:
        file.write_text(before)


def test_a_token_that_the_cloud_refuses_is_told_and_not_shown(fleet: Fleet) -> None:
    wrong = f"dop_v1_{'0' * 64}"
    with _token(fleet, wrong):
        done = fleet.tool("pulumi", "preview")
    assert done.returncode != 0
    assert f"digitalocean:token: 127.0.0.1:{fleet.port} refuses it (401)" in done.stdout, done.stdout[-3000:]
    assert f"make secret STACK={fleet.name} KEY=digitalocean:token" in done.stdout
    assert wrong not in done.stdout


def test_a_token_with_too_many_requests_is_told_with_how_long_to_wait(fleet: Fleet) -> None:
    limit = fleet.state / "cloud" / "limit"
    limit.write_text("1 600")
    try:
        done = fleet.tool("pulumi", "preview")
    finally:
        limit.unlink()
    assert done.returncode != 0
    assert "received too many requests with it (429); try again " in done.stdout, done.stdout[-3000:]


def test_after_all_that_nothing_is_to_change(fleet: Fleet) -> None:
    assert fleet.planned() == {}
