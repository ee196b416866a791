"""A fleet without a cloud: the hub is a server that exists, and so is the edge. Nobody is asked for a token.

The other ways of SSH, too: keys of the agent instead of a file, the hub's host key given instead of pinned at first
contact, the edge behind a bastion.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from unittest import mock

import pytest

from tests.integration.fleet import Fleet, told
from tests.integration.rig import eventually
from tools.stack import OWN

pytestmark = pytest.mark.xdist_group("servers")

USER = "deploy"
OURS = ("--filter", "label=fleetwatch.stack=fleetwatch")


class Servers(Fleet):
    """Two machines on an internet of their own; the cloud beside them is never spoken to."""

    internet = "198.18.88.0/24"
    agent: subprocess.Popen[bytes] | None = None
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
        key = self.state / "ssh_key"
        self.machines.create_server("hub", self.hub_address, USER, key.with_suffix(".pub").read_text().strip())
        host_key = ("cat", "/etc/ssh/ssh_host_ed25519_key.pub")  # made at its first boot
        shown = eventually("the hub's host key", lambda: self.inside("hub", *host_key, check=False).split()[:2], 30)
        bastion = {"address": self.hub_address, "user": USER}
        self.change({"hub": {"server": {"host_key": " ".join(shown)}}})
        self.change({"hosts": {"vps-1": {"server": {"bastion": bastion}, "via": "internet"}}})
        (self.state / OWN).unlink()  # what says that the key is in a file
        socket = self.home / "agent"
        self.agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
        eventually("the agent", socket.exists, 10)
        self.env["SSH_AUTH_SOCK"] = str(socket)
        subprocess.run(["ssh-add", "-q", str(key)], env=self.env, check=True)
        key.rename(self.home / "kept")  # nobody finds it as a file

    def remove(self) -> None:
        super().remove()
        if self.agent:
            self.agent.terminate()
            self.agent.wait(10)


@pytest.fixture(scope="module")
def servers() -> Iterator[Fleet]:
    """Both machines, with a Docker Engine and nothing of ours."""
    with told(Servers) as made, mock.patch.dict(os.environ, {"SSH_AUTH_SOCK": made.env["SSH_AUTH_SOCK"]}):
        yield made


def test_both_come_up_in_one_run_and_their_data_arrives(servers: Fleet) -> None:
    said = servers.up()
    table = said[said.index("What has arrived") :]
    for host in ("hub", "vps-1"):
        for job in ("agent", "cadvisor", "node", "docker (logs)"):
            assert re.search(rf"^  {host} +{re.escape(job)} ", table, re.M), f"{host} {job} is not there:\n{table}"
    assert servers.address == "198.18.88.140"
    words = servers.outputs()["hosts"]["vps-1"]["ssh"]
    assert any("ProxyCommand=" in word and servers.address in word for word in words), words
    assert "-i" not in words, "the agent has the key"
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
