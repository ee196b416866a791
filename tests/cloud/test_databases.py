"""Managed databases: how one is made, what it may not be, and who may connect to it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cloud.rig import Client, FakeMachines

WANTED = {
    "name": "hub",
    "engine": "pg",
    "version": "17",
    "region": "fra1",
    "size": "db-s-1vcpu-1gb",
    "num_nodes": 1,
}


def _made(cloud: Client, **more: Any) -> Any:
    wanted = {**WANTED, "private_network_uuid": cloud.vpc()["id"], **more}
    return cloud.post("/v2/databases", wanted)["database"]


def test_it_is_made_in_its_network_at_an_address_that_no_droplet_gets(cloud: Client, machines: FakeMachines) -> None:
    made = _made(cloud)
    ((spec,),) = machines.of("create_database")
    connection = made["private_connection"]
    assert (connection["host"], connection["port"], connection["user"]) == (spec.address, 25060, "doadmin")
    assert connection["password"] == spec.password
    assert spec.password not in repr(spec)
    vpc = made["private_network_uuid"]
    private = {cloud.droplet(f"web-{number}", vpc_uuid=vpc)["networks"]["v4"][1]["ip_address"] for number in range(3)}
    assert spec.address not in private
    assert "Can not delete VPC" in cloud.delete(f"/v2/vpcs/{vpc}", code=409)["message"]
    members = cloud.get(f"/v2/vpcs/{vpc}/members?resource_type=dbaas")["members"]
    assert [member["name"] for member in members] == ["hub"]


def test_a_server_that_could_not_be_made_leaves_nothing(cloud: Client, machines: FakeMachines) -> None:
    machines.fail["create_database"] = "no image"
    wanted = {**WANTED, "private_network_uuid": cloud.vpc()["id"]}
    cloud.post("/v2/databases", wanted, code=500)
    assert cloud.get("/v2/databases")["databases"] == []
    machines.fail.clear()
    assert cloud.post("/v2/databases", wanted)["database"]["status"] == "creating"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"engine": "mysql"}, "engine pg"),
        ({"size": "db-s-8vcpu-16gb"}, "is none of"),
        ({"num_nodes": 2}, "invalid number of nodes"),
        ({"region": "moon1"}, "invalid region"),
        ({"name": "X"}, "invalid cluster name"),
        ({"private_network_uuid": "none"}, "could not be found"),
    ],
)
def test_what_it_cannot_be(cloud: Client, changed: dict[str, Any], said: str) -> None:
    wanted = {**WANTED, "private_network_uuid": cloud.vpc()["id"], **changed}
    assert said in cloud.call("POST", "/v2/databases", wanted, 404 if "none" in changed.values() else 422)["message"]


def test_it_does_not_become_smaller(cloud: Client) -> None:
    path = f"/v2/databases/{_made(cloud, size='db-s-1vcpu-2gb', num_nodes=2)['id']}"
    cloud.put(f"{path}/resize", {"size": "db-s-1vcpu-1gb", "num_nodes": 1}, code=422)
    cloud.put(f"{path}/resize", {"size": "db-s-2vcpu-4gb", "num_nodes": 3}, code=202)
    found = cloud.get(path)["database"]
    assert (found["size"], found["num_nodes"], found["status"]) == ("db-s-2vcpu-4gb", 3, "online")


def test_a_tag_lets_in_whoever_bears_it_now(cloud: Client, machines: FakeMachines) -> None:
    made = _made(cloud)
    hub = cloud.droplet("hub", vpc_uuid=made["private_network_uuid"], tags=["hub"])
    cloud.droplet("web-1", vpc_uuid=made["private_network_uuid"])
    path = f"/v2/databases/{made['id']}/firewall"
    cloud.put(path, {"rules": [{"type": "tag", "value": "hub"}, {"type": "ip_addr", "value": "198.51.100.7"}]})

    def private(droplet: Any) -> str:
        found = [one["ip_address"] for one in droplet["networks"]["v4"] if one["type"] == "private"]
        return str(found[0])

    assert machines.of("database_sources")[-1][1] == tuple(sorted((private(hub), "198.51.100.7")))
    other = cloud.droplet("hub-b", vpc_uuid=made["private_network_uuid"], tags=["hub"])
    assert private(other) in machines.of("database_sources")[-1][1]
    cloud.put(path, {"rules": []})
    assert machines.of("database_sources")[-1] == (made["id"], None)
    cloud.put(path, {"rules": [{"type": "ip_addr", "value": "x; reject"}]}, code=422)


def test_databases_are_made_for_its_account_by_name(cloud: Client, machines: FakeMachines) -> None:
    path = f"/v2/databases/{_made(cloud)['id']}/dbs"
    cloud.post(path, {"name": "grafana"})
    cloud.post(path, {"name": "grafana"}, code=422)
    cloud.post(path, {"name": 'x"; DROP DATABASE defaultdb; --'}, code=422)
    assert [db["name"] for db in cloud.get(path)["dbs"]] == ["defaultdb", "grafana"]
    assert [call[1] for call in machines.of("database_run")] == ['CREATE DATABASE "grafana" OWNER doadmin;']
    cloud.get(f"{path}/ask", code=404)
