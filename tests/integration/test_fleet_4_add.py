"""The fleet, fourth part: three more hosts, a droplet and two servers, one with a private address only; an extra
network; what someone removed by hand; a droplet that goes again."""

from __future__ import annotations

import subprocess

import pytest

from tests.integration.fleet import APP, VPS_2, Fleet, beside
from tests.integration.rig import eventually

pytestmark = pytest.mark.xdist_group("fleet")


@pytest.fixture(scope="module", autouse=True)
def machines(fleet: Fleet) -> None:
    """A server in the fleet's VPC that nobody reaches from outside, and one more on the internet."""
    (vpc,) = [one for one in fleet.api("vpcs") if one["ip_range"] == fleet.config["cloud"]["range"]]
    public = (fleet.state / "ssh_key.pub").read_text().strip()
    fleet.machines.create_server("app-1", APP, "deploy", public, vpc["id"])
    fleet.machines.create_server("vps-2", VPS_2, "deploy", public)


def test_new_entries_plan_their_own_resources_their_names_and_credentials_at_the_hub(fleet: Fleet) -> None:
    entries = {name: {"server": {"address": at, "user": "deploy"}} for name, at in (("app-1", APP), ("vps-2", VPS_2))}
    fleet.change({"hosts": {**entries, "web-1": {"droplet": {"size": "s-1vcpu-1gb"}}}})
    planned = fleet.planned()
    known = {
        "hub-prometheus-config": "update",  # the alerts that they are silent
        "hub-loki-config": "update",  # their limits of streams, which Loki reads without a restart
        "hub-caddy-secrets": "update",  # of the one on the internet
        "hub-changed": "update",  # the mark on the dashboards
    }
    assert beside(planned, "app-1", "vps-2", "web-1") == known
    assert {op for name, op in planned.items() if name not in known} == {"create"}


def test_they_come_up_one_through_the_hub_and_no_other_container_is_touched(fleet: Fleet) -> None:
    assert subprocess.run(["ssh-keyscan", "-T", "3", APP], capture_output=True, check=False).stdout == b"", (
        "this machine reaches the private address by itself: the way through the hub is not what is tested"
    )
    before = fleet.everything()
    fleet.up()
    after = fleet.everything()
    for host in ("app-1", "vps-2", "web-1"):
        assert set(after.pop(host)) == {"agent", "promtail", "cadvisor", "node-exporter"}
    assert after == before
    words = fleet.outputs()["hosts"]["app-1"]["ssh"]
    assert any("ProxyCommand=" in word and fleet.outputs()["hosts"]["hub"]["address"] in word for word in words)


@pytest.mark.parametrize("host", ["app-1", "vps-2", "web-1"])
def test_its_data_arrives(fleet: Fleet, host: str) -> None:
    assert host in fleet.newest()
    token = fleet.talker(host)
    eventually("its log lines", lambda: fleet.lines(f'{{host="{host}"}} |= "{token}"'), 60)


def test_a_joined_network_recreates_nothing_a_removed_container_comes_back_and_a_droplet_goes(fleet: Fleet) -> None:
    """The network in the stack file, the container removed by hand, the droplet's entry taken out: a refresh, then one
    `up`."""
    fleet.on("app-1", "docker", "network", "create", "shop")
    before = fleet.everything()
    assert before.pop("web-1")
    fleet.change({"hosts": {"app-1": {"networks": ["shop"]}, "web-1": None}})
    fleet.on("vps-1", "docker", "rm", "-f", "fleetwatch-cadvisor")
    done = fleet.tool("pulumi", "refresh", "--yes")
    assert done.returncode == 0, done.stdout[-5000:]
    fleet.up()
    after = fleet.everything()
    again = after["vps-1"].pop("cadvisor")
    assert again != before["vps-1"].pop("cadvisor")
    assert after == before
    joined = fleet.on("app-1", "docker", "inspect", "-f", "{{json .NetworkSettings.Networks}}", "fleetwatch-agent")
    assert '"shop"' in joined
    assert fleet.planned() == {}
    assert not [one["name"] for one in fleet.api("droplets") if one["name"].endswith("-web-1")], "it costs money still"
