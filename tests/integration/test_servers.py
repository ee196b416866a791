"""A fleet without a cloud: the hub is a server that exists, and so is the edge. Nobody is asked for a token."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.integration.fleet import Fleet, told

pytestmark = pytest.mark.xdist_group("servers")

USER = "deploy"
OURS = ("--filter", "label=fleetwatch.stack=fleetwatch")


class Servers(Fleet):
    """Two machines on an internet of their own; the cloud beside them is never spoken to."""

    internet = "198.18.88.0/24"
    hub_address, edge_address = "198.18.88.140", "198.18.88.150"

    def begin(self) -> None:
        self.config = {
            "env": "test",
            "hub": {"server": {"address": self.hub_address, "user": USER}, "retention": {"metrics": "30d"}},
            "hosts": {"vps-1": {"server": {"address": self.edge_address, "user": USER}}},
        }
        super().begin()
        self.env = {key: value for key, value in self.env.items() if not key.startswith("DIGITALOCEAN")}

    def prepare(self) -> None:
        super().prepare()
        public = (self.state / "ssh_key.pub").read_text().strip()
        self.machines.create_server("hub", self.hub_address, USER, public)


@pytest.fixture(scope="module")
def servers() -> Iterator[Fleet]:
    """Both machines, with a Docker Engine and nothing of ours."""
    with told(Servers) as made:
        yield made


def test_both_come_up_in_one_run_and_their_data_arrives(servers: Fleet) -> None:
    said = servers.up()
    table = said[said.index("What has arrived") :]
    for host in ("hub", "vps-1"):
        for job in ("agent", "cadvisor", "node", "docker (logs)"):
            assert re.search(rf"^  {host} +{re.escape(job)} ", table, re.M), f"{host} {job} is not there:\n{table}"
    assert servers.address == "198.18.88.140"
    assert set(servers.newest()) == {"hub", "vps-1"}


def test_only_who_has_a_password_gets_in_at_the_hubs_door(servers: Fleet) -> None:
    passwords = servers.passwords()
    assert servers.lets_in("vps-1", passwords["vps-1-password"])
    assert not servers.lets_in("vps-1", passwords["grafana-admin-password"])


def test_nothing_of_a_cloud_is_in_it_and_nothing_is_left_to_do(servers: Fleet) -> None:
    kinds = {one["type"] for one in servers.exported()}
    assert not {kind for kind in kinds if "digitalocean" in kind}, kinds
    assert "monthly_usd" not in servers.outputs(), "nothing here costs anything at the cloud"
    before = servers.everything()
    assert servers.planned() == {}
    assert servers.everything() == before


def test_down_leaves_the_machines_without_anything_of_ours(servers: Fleet) -> None:
    done = servers.tool("down", "--yes")
    assert done.returncode == 0, done.stdout[-8000:]
    for server in ("hub", "vps-1"):
        for listing in (("ps", "-aq"), ("network", "ls", "-q")):
            assert servers.inside(server, "docker", *listing, *OURS) == "", f"{server}: {listing}"
