"""Load balancers: what they pass on to whom, who may come from them, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from localcloud.cloud.backend import Rule
from tests.cloud.rig import Client, FakeMachines, running

RULE = {"entry_protocol": "tcp", "entry_port": 443, "target_protocol": "tcp", "target_port": 8443}
HEALTH = {"protocol": "http", "port": 80, "path": "/ready", "check_interval_seconds": 5}
WANTED = {"name": "lb", "region": "fra1", "tag": "hub", "forwarding_rules": [RULE], "health_check": HEALTH}


def _made(cloud: Client, **more: Any) -> Any:
    if "hub" not in {tag["name"] for tag in cloud.get("/v2/tags")["tags"]}:
        cloud.post("/v2/tags", {"name": "hub"})
    return cloud.post("/v2/load_balancers", {**WANTED, **more}, code=202)["load_balancer"]


def _shown(cloud: Client, id: str) -> Any:
    return cloud.get(f"/v2/load_balancers/{id}")["load_balancer"]


def _private(droplet: Any) -> str:
    found: str = next(n["ip_address"] for n in droplet["networks"]["v4"] if n["type"] == "private")
    return found


def _does(machines: FakeMachines) -> Any:
    return machines.of("balance")[-1][1]


def test_it_is_new_in_the_answer_and_active_with_an_address_after_it(cloud: Client, machines: FakeMachines) -> None:
    made = _made(cloud, size_unit=2)
    assert (made["status"], made["ip"], made["size_unit"]) == ("new", "", 2)
    shown = _shown(cloud, made["id"])
    (spec,) = machines.of("create_balancer")
    assert (shown["status"], shown["ip"]) == ("active", spec[0].public_ip)
    droplet = cloud.droplet()
    assert shown["ip"] not in {network["ip_address"] for network in droplet["networks"]["v4"]}
    assert spec[0].private_ip != _private(droplet), "both are in the region's own network"


def test_droplets_come_and_go_with_their_tag(cloud: Client, machines: FakeMachines) -> None:
    id = _made(cloud, enable_proxy_protocol=True)["id"]
    health = {"port": 80, "path": "/ready", "interval": 5, "timeout": 5, "unhealthy": 3, "healthy": 5}
    assert _does(machines) == {"rules": {"443": 8443}, "targets": [], "health": health, "proxy": True}
    hub, other = cloud.droplet("hub", tags=["hub"]), cloud.droplet("web")
    assert _does(machines)["targets"] == [_private(hub)]
    assert _shown(cloud, id)["droplet_ids"] == [hub["id"]]
    bearer = {"resources": [{"resource_id": str(other["id"]), "resource_type": "droplet"}]}
    cloud.post("/v2/tags/hub/resources", bearer)
    assert _does(machines)["targets"] == sorted([_private(hub), _private(other)])
    told = len(machines.of("balance"))
    cloud.post("/v2/tags", {"name": "else"})
    cloud.act(hub["id"], "power_off")
    assert len(machines.of("balance")) == told, "it finds out by itself who is away"
    cloud.delete(f"/v2/droplets/{hub['id']}")
    cloud.gone(f"/v2/droplets/{hub['id']}")
    cloud.delete("/v2/tags/hub/resources", bearer)
    assert _does(machines)["targets"] == []


def test_a_firewall_lets_in_what_comes_through_it(cloud: Client, machines: FakeMachines) -> None:
    droplet, id = cloud.droplet("hub", tags=["hub"])["id"], _made(cloud)["id"]
    web = {"protocol": "tcp", "ports": "8443", "sources": {"load_balancer_uids": [id]}}
    cloud.post("/v2/firewalls", {"name": "fw", "tags": ["hub"], "inbound_rules": [web]}, code=202)
    address = f"{machines.of('create_balancer')[0][0].private_ip}/32"
    assert machines.of("firewall")[-1][:2] == (droplet, (Rule("tcp", (8443, 8443), (address,)),))
    cloud.delete(f"/v2/load_balancers/{id}", code=204)
    assert machines.of("firewall")[-1][:2] == (droplet, ())
    assert machines.of("delete_balancer") == [(id,)]
    cloud.get(f"/v2/load_balancers/{id}", code=404)


def test_it_is_changed_in_place(cloud: Client, machines: FakeMachines) -> None:
    made = _made(cloud)
    path = f"/v2/load_balancers/{made['id']}"
    more = {**WANTED, "name": "other", "forwarding_rules": [RULE, {**RULE, "entry_port": 80, "target_port": 80}]}
    assert cloud.put(path, more)["load_balancer"]["name"] == "other"
    assert _does(machines)["rules"] == {"443": 8443, "80": 80}
    assert "cannot be changed" in cloud.put(path, {**more, "region": "ams3"}, code=422)["message"]
    assert len(machines.of("create_balancer")) == 1


def test_its_network_stays_as_long_as_it_does(cloud: Client) -> None:
    vpc = cloud.vpc()["id"]
    made = _made(cloud, vpc_uuid=vpc)
    urn = f"do:loadbalancer:{made['id']}"
    assert [one["urn"] for one in cloud.get(f"/v2/vpcs/{vpc}/members")["members"]] == [urn]
    cloud.delete(f"/v2/vpcs/{vpc}", code=409)
    assert urn in {one["urn"] for one in cloud.get("/v2/projects/default/resources")["resources"]}
    cloud.delete(f"/v2/load_balancers/{made['id']}")
    cloud.delete(f"/v2/vpcs/{vpc}", code=204)


def test_one_that_could_not_be_made_is_not_there(cloud: Client, machines: FakeMachines) -> None:
    cloud.post("/v2/tags", {"name": "hub"})
    machines.fail = {"create_balancer": "no such image"}
    assert "no such image" in cloud.post("/v2/load_balancers", WANTED, code=500)["message"]
    assert cloud.get("/v2/load_balancers")["meta"]["total"] == 0


def test_one_that_cannot_be_changed_costs_nothing_else_and_is_tried_again(
    cloud: Client, machines: FakeMachines, capsys: pytest.CaptureFixture[str]
) -> None:
    _made(cloud)
    machines.fail = {"balance": "no such container"}
    hub = cloud.droplet("hub", tags=["hub"])
    assert hub["status"] == "active"
    assert "could not be changed: RuntimeError: no such container" in capsys.readouterr().err
    machines.fail = {}
    cloud.droplet("web")
    assert _does(machines)["targets"] == [_private(hub)]


def test_a_service_that_starts_again_clears_what_was_half_made_and_tells_the_others(tmp_path: Path) -> None:
    with running(tmp_path, FakeMachines()) as first:
        kept, half = _made(first), _made(first, name="half")
        with first.server.cloud.store.changing() as data:
            data["balancers"][half["id"]]["status"] = "new"
    machines = FakeMachines()
    with running(tmp_path, machines) as again:
        assert [one["id"] for one in again.get("/v2/load_balancers")["load_balancers"]] == [kept["id"]]
    assert machines.of("delete_balancer") == [(half["id"],)]
    assert [call[0] for call in machines.of("balance")] == [kept["id"]]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "_"}, "name must begin"),
        ({"region": "mars1"}, "region mars1"),
        ({"tag": ""}, "either a tag or droplet_ids"),
        ({"droplet_ids": [1]}, "either a tag or droplet_ids"),
        ({"tag": "none"}, "tag none does not exist"),
        ({"size_unit": 0}, "size_unit must be from 1"),
        ({"forwarding_rules": []}, "at least one rule"),
        ({"forwarding_rules": [RULE, RULE]}, "different entry ports"),
        ({"forwarding_rules": [{**RULE, "target_port": 0}]}, "target_port must be a port"),
        ({"forwarding_rules": [{**RULE, "entry_protocol": "https"}]}, "refused by the rehearsal"),
        ({"health_check": {**HEALTH, "check_interval_seconds": 2}}, "check_interval_seconds must be from 3 to 300"),
        ({"health_check": {**HEALTH, "path": ""}}, "health_check.path"),
        ({"health_check": {**HEALTH, "protocol": "https"}}, "refused by the rehearsal"),
        ({"type": "GLOBAL"}, "type is REGIONAL here"),
        ({"redirect_http_to_https": True}, "redirect_http_to_https is not offered here"),
    ],
)
def test_what_a_load_balancer_cannot_be(cloud: Client, machines: FakeMachines, change: Any, said: str) -> None:
    cloud.post("/v2/tags", {"name": "hub"})
    assert said in cloud.post("/v2/load_balancers", {**WANTED, **change}, code=422)["message"]
    assert not machines.of("create_balancer")
