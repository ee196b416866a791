"""Firewalls: which rules reach which droplet, and when."""

from __future__ import annotations

import time
from typing import Any

import pytest

from localcloud.cloud.backend import Rule
from tests.cloud.rig import Client, FakeMachines

ANYWHERE = {"addresses": ["0.0.0.0/0", "::/0"]}
SSH = {"protocol": "tcp", "ports": "22", "sources": {"addresses": ["198.51.100.7"]}}
WEB = {"protocol": "tcp", "ports": "443", "sources": ANYWHERE}
OUT = {"protocol": "tcp", "ports": "all", "destinations": ANYWHERE}
SSH_RULE = Rule("tcp", (22, 22), ("198.51.100.7/32",))
WEB_RULE = Rule("tcp", (443, 443), ("0.0.0.0/0",))
OUT_RULE = Rule("tcp", None, ("0.0.0.0/0",))


def _firewall(cloud: Client, name: str = "fw", **more: Any) -> str:
    id: str = cloud.post("/v2/firewalls", {"name": name, **more}, code=202)["firewall"]["id"]
    return id


def _rules(machines: FakeMachines, droplet: int) -> tuple[Any, Any]:
    """The rules as a droplet last got them."""
    return [(inbound, outbound) for id, inbound, outbound in machines.of("firewall") if id == droplet][-1]


def test_a_droplet_without_a_firewall_is_open(cloud: Client, machines: FakeMachines) -> None:
    assert _rules(machines, cloud.droplet()["id"]) == (None, None)


def test_rules_reach_droplets_by_tag_and_by_id(cloud: Client, machines: FakeMachines) -> None:
    tagged, named, other = (cloud.droplet(name, tags=tags)["id"] for name, tags in (("a", ["t"]), ("b", []), ("c", [])))
    _firewall(cloud, tags=["t"], droplet_ids=[named], inbound_rules=[SSH], outbound_rules=[OUT])
    assert _rules(machines, tagged) == _rules(machines, named) == ((SSH_RULE,), (OUT_RULE,))
    assert _rules(machines, other) == (None, None)


def test_what_any_firewall_allows_is_allowed_and_an_empty_side_is_shut(cloud: Client, machines: FakeMachines) -> None:
    droplet = cloud.droplet(tags=["t"])["id"]
    _firewall(cloud, "one", tags=["t"], inbound_rules=[SSH])
    assert _rules(machines, droplet) == ((SSH_RULE,), ()), "no rule for a direction: nothing goes that way"
    second = _firewall(cloud, "two", droplet_ids=[droplet], inbound_rules=[WEB, SSH])
    assert _rules(machines, droplet) == ((SSH_RULE, WEB_RULE), ())
    cloud.delete(f"/v2/firewalls/{second}")
    assert _rules(machines, droplet) == ((SSH_RULE,), ())


def test_a_tagged_source_means_the_addresses_of_whoever_bears_the_tag_now(
    cloud: Client, machines: FakeMachines
) -> None:
    hub = cloud.droplet("hub", tags=["hub"])["id"]
    cloud.post("/v2/tags", {"name": "edge"})
    push = {"protocol": "tcp", "ports": "8080-8081", "sources": {"tags": ["edge"]}}
    _firewall(cloud, tags=["hub"], inbound_rules=[push, SSH])
    assert _rules(machines, hub)[0] == (SSH_RULE,), "nobody has the tag yet"
    edge = cloud.droplet("edge", tags=["edge"])
    addresses = tuple(sorted(f"{network['ip_address']}/32" for network in edge["networks"]["v4"]))
    assert _rules(machines, hub)[0] == (SSH_RULE, Rule("tcp", (8080, 8081), addresses))
    bearer = {"resources": [{"resource_id": str(edge["id"]), "resource_type": "droplet"}]}
    cloud.delete("/v2/tags/edge/resources", bearer)
    assert _rules(machines, hub)[0] == (SSH_RULE,)
    cloud.post("/v2/tags/edge/resources", bearer)
    assert len(_rules(machines, hub)[0]) == 2
    cloud.delete(f"/v2/droplets/{edge['id']}")
    cloud.gone(f"/v2/droplets/{edge['id']}")
    until = time.monotonic() + 5
    while _rules(machines, hub)[0] != (SSH_RULE,):
        assert time.monotonic() < until, "whoever is gone is let in no more"
        time.sleep(0.01)


def test_a_new_droplet_has_its_rules_before_it_is_active(cloud: Client, machines: FakeMachines) -> None:
    cloud.post("/v2/tags", {"name": "t"})
    _firewall(cloud, tags=["t"], inbound_rules=[SSH])
    machines.hold = {"firewall"}
    wanted = {"name": "a", "region": "fra1", "size": "s-1vcpu-1gb", "image": "debian-12-x64", "tags": ["t"]}
    id = cloud.post("/v2/droplets", wanted)["droplet"]["id"]
    while not machines.of("firewall"):
        pass
    assert cloud.get(f"/v2/droplets/{id}")["droplet"]["status"] == "new"
    machines.hold = set()
    cloud.settle(id)
    assert _rules(machines, id) == ((SSH_RULE,), ())


def test_rules_targets_and_the_whole_are_changed_in_place(cloud: Client, machines: FakeMachines) -> None:
    droplet = cloud.droplet()["id"]
    path = f"/v2/firewalls/{_firewall(cloud, inbound_rules=[SSH])}"
    machines.calls.clear()
    cloud.post(f"{path}/droplets", {"droplet_ids": [droplet]}, code=204)
    assert _rules(machines, droplet) == ((SSH_RULE,), ())
    cloud.post(f"{path}/rules", {"inbound_rules": [WEB]}, code=204)
    assert _rules(machines, droplet) == ((SSH_RULE, WEB_RULE), ())
    cloud.delete(f"{path}/rules", {"inbound_rules": [SSH]}, code=204)
    assert _rules(machines, droplet) == ((WEB_RULE,), ())
    cloud.put(path, {"name": "fw", "droplet_ids": [droplet], "outbound_rules": [OUT]})
    assert _rules(machines, droplet) == ((), (OUT_RULE,))
    assert len(machines.calls) == 4, "a droplet is told only what is new to it"
    cloud.delete(f"{path}/droplets", {"droplet_ids": [droplet]}, code=204)
    assert _rules(machines, droplet) == (None, None)


def test_ports_are_shown_as_the_api_shows_them(cloud: Client) -> None:
    ping = {"protocol": "icmp", "sources": ANYWHERE}
    path = f"/v2/firewalls/{_firewall(cloud, inbound_rules=[ping, WEB], outbound_rules=[OUT])}"
    shown = cloud.get(path)["firewall"]
    assert [rule["ports"] for rule in shown["inbound_rules"] + shown["outbound_rules"]] == ["0", "443", "0"]
    assert shown["inbound_rules"][1]["sources"] == ANYWHERE
    assert (shown["status"], shown["pending_changes"]) == ("succeeded", [])


def test_a_droplet_that_is_off_gets_its_rules_when_it_is_on(cloud: Client, machines: FakeMachines) -> None:
    droplet = cloud.droplet(tags=["t"])["id"]
    cloud.act(droplet, "power_off")
    machines.calls.clear()
    _firewall(cloud, tags=["t"], inbound_rules=[SSH])
    assert machines.calls == []
    cloud.act(droplet, "power_on")
    assert machines.calls == [("power", droplet, True), ("firewall", droplet, (SSH_RULE,), ())]


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ({"inbound_rules": []}, 422, "must have at least one rule"),
        ({"inbound_rules": [{**SSH, "sources": {}}]}, 422, "sources must name at least one"),
        ({"inbound_rules": [{**SSH, "ports": "70000"}]}, 422, "got 70000"),
        ({"inbound_rules": [{**SSH, "ports": "ssh"}]}, 422, "got ssh"),
        ({"inbound_rules": [{**SSH, "protocol": "gre"}]}, 422, "protocol must be"),
        ({"inbound_rules": [{**SSH, "sources": {"addresses": ["home"]}}]}, 422, "home is not an address"),
        ({"inbound_rules": [{**SSH, "sources": {"tags": ["none"]}}]}, 422, "tag none does not exist"),
        ({"inbound_rules": [SSH], "tags": ["none"]}, 422, "tag none does not exist"),
        ({"inbound_rules": [SSH], "droplet_ids": [1]}, 422, "droplet 1 does not exist"),
        ({"inbound_rules": [{**SSH, "sources": {"load_balancer_uids": ["x"]}}]}, 422, "load balancer x does not exist"),
        ({"inbound_rules": [{**SSH, "sources": {"kubernetes_ids": ["x"]}}]}, 422, "refused by the rehearsal"),
        ({"inbound_rules": [SSH], "name": "there"}, 409, "duplicate name"),
    ],
)
def test_what_a_firewall_cannot_be(cloud: Client, body: dict[str, Any], code: int, said: str) -> None:
    _firewall(cloud, "there", inbound_rules=[SSH])
    answer = cloud.post("/v2/firewalls", {"name": "fw", **body}, code=code)
    assert said in answer["message"]
    assert cloud.get("/v2/firewalls")["meta"]["total"] == 1
