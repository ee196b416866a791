"""Droplets: how they come, change and go, and what is refused with which words."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cloud.rig import KEY, Client, FakeMachines

WANTED: dict[str, Any] = {"name": "web-1", "region": "fra1", "size": "s-1vcpu-1gb", "image": "debian-12-x64"}


def test_a_droplet_is_new_until_its_machine_runs(cloud: Client, machines: FakeMachines) -> None:
    machines.hold = {"create_droplet"}
    key, vpc = cloud.key(), cloud.vpc()
    sent = {
        **WANTED,
        "ssh_keys": [key["fingerprint"]],
        "vpc_uuid": vpc["id"],
        "user_data": "#!/bin/sh\n",
        "tags": ["w"],
    }
    made = cloud.post("/v2/droplets", sent, code=202)
    path = f"/v2/droplets/{made['droplet']['id']}"
    action = cloud.get(f"/v2/actions/{made['links']['actions'][0]['id']}")["action"]
    assert (action["type"], action["status"], action["completed_at"]) == ("create", "in-progress", None)
    now = cloud.get(path)["droplet"]
    assert (now["status"], now["locked"], now["networks"]["v4"]) == ("new", True, [])
    machines.hold = set()
    assert cloud.done(action)["status"] == "completed"
    now = cloud.get(path)["droplet"]
    assert (now["status"], now["locked"], now["tags"]) == ("active", False, ["w"])
    networks = {network["type"]: network["ip_address"] for network in now["networks"]["v4"]}
    assert networks == {"public": "203.0.113.20", "private": "10.77.0.2"}
    ((spec,),) = machines.of("create_droplet")
    assert (spec.public_ip, spec.private_ip, spec.vpc) == ("203.0.113.20", "10.77.0.2", vpc["id"])
    assert (spec.size_vcpus, spec.size_memory_mb, spec.user_data, spec.ssh_keys) == (1, 1024, "#!/bin/sh\n", (KEY,))


def test_a_machine_that_cannot_be_made_ends_the_waiting(
    cloud: Client, machines: FakeMachines, capfd: pytest.CaptureFixture[str]
) -> None:
    machines.fail = {"create_droplet": "no space left"}
    droplet = cloud.droplet()
    assert droplet["status"] == "archive", "neither new nor active: clients stop waiting"
    assert cloud.get(f"/v2/droplets/{droplet['id']}/actions")["actions"][0]["status"] == "errored"
    assert "no space left" in capfd.readouterr().err
    machines.fail = {}
    cloud.delete(f"/v2/droplets/{droplet['id']}")
    cloud.gone(f"/v2/droplets/{droplet['id']}")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"region": "mars1"}, "You specified an invalid region for Droplet creation."),
        ({"size": "1gb"}, "You specified an invalid size for Droplet creation."),
        ({"image": "debian-1"}, "You specified an invalid image for Droplet creation."),
        ({"image": "ubuntu-24-04-x64"}, "droplets can only be debian-12-x64 here (refused by the rehearsal cloud"),
        ({"name": "under_score"}, "Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)"),
        ({"ssh_keys": [1, "aa:bb"]}, "1, aa:bb are invalid key identifiers for Droplet creation."),
        ({"vpc_uuid": "nowhere"}, "VPC nowhere does not exist."),
        ({"ipv6": True}, "ipv6 is not offered here (refused by the rehearsal cloud, not by DigitalOcean)"),
        ({"user_data": "x" * 65537}, "User data is too long"),
        ({"volumes": ["none"]}, "Volume none does not exist in fra1"),
    ],
)
def test_what_a_droplet_cannot_be(cloud: Client, machines: FakeMachines, change: dict[str, Any], said: str) -> None:
    answer = cloud.post("/v2/droplets", {**WANTED, **change}, code=422)
    assert answer["id"] == "unprocessable_entity"
    assert said in answer["message"]
    assert not machines.calls
    assert cloud.get("/v2/droplets")["droplets"] == []


def test_a_region_of_its_own_for_the_vpc(cloud: Client) -> None:
    vpc = cloud.vpc()
    said = cloud.post("/v2/droplets", {**WANTED, "region": "ams3", "vpc_uuid": vpc["id"]}, code=422)["message"]
    assert "is in fra1, not in ams3" in said


def test_without_a_vpc_the_regions_own_is_used(cloud: Client) -> None:
    first, second = cloud.droplet("a"), cloud.droplet("b")
    assert first["vpc_uuid"] == second["vpc_uuid"]
    (vpc,) = cloud.get("/v2/vpcs")["vpcs"]
    assert (vpc["name"], vpc["default"], vpc["ip_range"]) == ("default-fra1", True, "10.100.0.0/20")
    cloud.delete(f"/v2/vpcs/{vpc['id']}", code=403)


def test_droplets_are_found_by_tag_and_by_name(cloud: Client) -> None:
    cloud.droplet("a", tags=["hub"])
    cloud.droplet("b", tags=["edge"])

    def names(query: str) -> list[str]:
        return [droplet["name"] for droplet in cloud.get(f"/v2/droplets?{query}")["droplets"]]

    assert (names("tag_name=edge"), names("name=a"), names("tag_name=none")) == (["b"], ["a"], [])


def test_a_size_changes_only_while_off_and_a_disk_never_shrinks(cloud: Client, machines: FakeMachines) -> None:
    id = cloud.droplet()["id"]
    path = f"/v2/droplets/{id}/actions"
    grow: dict[str, Any] = {"type": "resize", "size": "s-2vcpu-4gb", "disk": True}
    said = cloud.post(path, grow, code=422)["message"]
    assert said == "Droplet is currently on. Please power it off to run this event."
    cloud.act(id, "power_off")
    assert cloud.get(f"/v2/droplets/{id}")["droplet"]["status"] == "off"
    assert "already powered off" in cloud.post(path, {"type": "power_off"}, code=422)["message"]
    cloud.act(id, **grow)
    said = cloud.post(path, {"type": "resize", "size": "s-1vcpu-1gb"}, code=422)["message"]
    assert said == "Size can not decrease size of Droplet's disk image"
    cloud.act(id, "power_on")
    now = cloud.get(f"/v2/droplets/{id}")["droplet"]
    assert (now["status"], now["size_slug"], now["vcpus"], now["memory"], now["disk"]) == (
        "active",
        "s-2vcpu-4gb",
        2,
        4096,
        80,
    )
    assert machines.of("resize") == [(id, 2, 4096)]
    assert machines.of("power") == [(id, False), (id, True)]


def test_without_the_disk_a_size_can_go_back(cloud: Client) -> None:
    id = cloud.droplet()["id"]
    cloud.act(id, "power_off")
    for size in ("s-2vcpu-4gb", "s-1vcpu-1gb"):
        cloud.act(id, "resize", size=size, disk=False)
        assert cloud.get(f"/v2/droplets/{id}")["droplet"]["disk"] == 25


@pytest.mark.parametrize("type", ["reboot", "power_cycle"])
def test_going_round_sets_the_rules_again(cloud: Client, machines: FakeMachines, type: str) -> None:
    id = cloud.droplet()["id"]
    machines.calls.clear()
    cloud.act(id, type)
    assert [name for name, *_ in machines.calls] == ["power", "power", "firewall"]


def test_a_shutdown_of_one_that_is_off_is_no_error(cloud: Client) -> None:
    id = cloud.droplet()["id"]
    for _ in range(2):
        assert cloud.act(id, "shutdown")["status"] == "completed"
    assert cloud.get(f"/v2/droplets/{id}")["droplet"]["status"] == "off"


def test_name_and_backups_change_in_place(cloud: Client) -> None:
    id = cloud.droplet()["id"]
    cloud.act(id, "rename", name="web-9")
    cloud.act(id, "enable_backups")
    now = cloud.get(f"/v2/droplets/{id}")["droplet"]
    assert now["name"] == "web-9"
    assert "backups" in now["features"]
    cloud.act(id, "disable_backups")
    assert "backups" not in cloud.get(f"/v2/droplets/{id}")["droplet"]["features"]


@pytest.mark.parametrize("type", ["enable_ipv6", "snapshot", "rebuild"])
def test_what_a_rehearsal_cannot_do_is_refused_by_name(cloud: Client, type: str) -> None:
    id = cloud.droplet()["id"]
    said = cloud.post(f"/v2/droplets/{id}/actions", {"type": type}, code=422)["message"]
    assert said == f"The action {type} is not offered here (refused by the rehearsal cloud, not by DigitalOcean)"


def test_one_event_at_a_time(cloud: Client, machines: FakeMachines) -> None:
    id = cloud.droplet()["id"]
    machines.hold = {"power"}
    action = cloud.post(f"/v2/droplets/{id}/actions", {"type": "power_off"})["action"]
    busy = "Droplet already has a pending event."
    assert cloud.post(f"/v2/droplets/{id}/actions", {"type": "reboot"}, code=422)["message"] == busy
    assert cloud.delete(f"/v2/droplets/{id}", code=422)["message"] == busy
    machines.hold = set()
    cloud.done(action)
    cloud.delete(f"/v2/droplets/{id}")


def test_a_droplet_goes_and_leaves_what_is_not_its_own(cloud: Client, machines: FakeMachines) -> None:
    vpc = cloud.vpc()
    id = cloud.droplet(vpc_uuid=vpc["id"])["id"]
    volume = cloud.post("/v2/volumes", {"name": "v", "region": "fra1", "size_gigabytes": 1})["volume"]["id"]
    cloud.done(cloud.post(f"/v2/volumes/{volume}/actions", {"type": "attach", "droplet_id": id})["action"])
    ip = cloud.post("/v2/reserved_ips", {"droplet_id": id})["reserved_ip"]["ip"]
    cloud.settle(id)
    machines.calls.clear()
    assert cloud.delete(f"/v2/vpcs/{vpc['id']}", code=409)["message"] == "Can not delete VPC with members"
    cloud.delete(f"/v2/droplets/{id}", code=204)
    cloud.gone(f"/v2/droplets/{id}")
    assert machines.calls == [("detach_volume", volume, id), ("unassign_ip", ip, id), ("delete_droplet", id)]
    assert cloud.get(f"/v2/volumes/{volume}")["volume"]["droplet_ids"] == []
    assert cloud.get(f"/v2/reserved_ips/{ip}")["reserved_ip"]["droplet"] is None
    cloud.delete(f"/v2/vpcs/{vpc['id']}", code=204)


def test_addresses_go_round(cloud: Client) -> None:
    vpc = cloud.vpc(ip_range="10.9.0.0/28")

    def addresses(name: str) -> tuple[str, str]:
        droplet = cloud.droplet(name, vpc_uuid=vpc["id"])
        cloud.delete(f"/v2/droplets/{droplet['id']}")
        cloud.gone(f"/v2/droplets/{droplet['id']}")
        private, public = droplet["networks"]["v4"]
        return public["ip_address"], private["ip_address"]

    assert addresses("a") == ("203.0.113.20", "10.9.0.2")
    assert addresses("b") == ("203.0.113.21", "10.9.0.3"), "a new droplet has another address than the last"
    assert [addresses("c")[1] for _ in range(13)][-2:] == ["10.9.0.2", "10.9.0.3"], "and then from the beginning"


def test_several_at_once(cloud: Client) -> None:
    body = {key: value for key, value in WANTED.items() if key != "name"}
    made = cloud.post("/v2/droplets", {**body, "names": ["a", "b"]})["droplets"]
    for droplet in made:
        cloud.settle(droplet["id"])
    assert [d["status"] for d in cloud.get("/v2/droplets")["droplets"]] == ["active", "active"]
