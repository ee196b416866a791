"""Keys, VPCs, volumes, reserved addresses, tags, projects, domains, uptime checks: what is refused and what follows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cloud.rig import KEY, Client, FakeMachines


def test_a_key_is_known_by_its_fingerprint_and_is_there_once(cloud: Client) -> None:
    key = cloud.key()
    # As `ssh-keygen -l -E md5` gives it.
    assert len(key["fingerprint"].split(":")) == 16
    again = cloud.post("/v2/account/keys", {"name": "again", "public_key": f"{KEY} other comment"}, code=422)
    assert again["message"] == "SSH Key is already in use on your account"
    assert (
        "Key invalid" in cloud.post("/v2/account/keys", {"name": "x", "public_key": "ssh-rsa ?"}, code=422)["message"]
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ip_range": "10.77.8.0/24"}, "overlaps with another VPC network in your account: 10.77.0.0/20"),
        ({"ip_range": "8.8.8.0/24"}, "must be private"),
        ({"ip_range": "10.0.0.0/8"}, "not larger than /16"),
        ({"ip_range": "10.5.0.1/24"}, "is not a range"),
        ({"name": "one"}, "already exists"),
        ({"region": "mars1"}, "region mars1"),
    ],
)
def test_what_a_vpc_cannot_be(cloud: Client, machines: FakeMachines, change: dict[str, str], said: str) -> None:
    cloud.vpc()
    wanted = {"name": "two", "region": "fra1", "ip_range": "10.5.0.0/24", **change}
    assert said in cloud.post("/v2/vpcs", wanted, code=422)["message"]
    assert len(machines.of("create_vpc")) == 1


def test_a_vpc_without_a_range_gets_a_free_one(cloud: Client) -> None:
    cloud.vpc(ip_range="10.100.0.0/16")
    vpc = cloud.post("/v2/vpcs", {"name": "two", "region": "fra1"})["vpc"]
    assert vpc["ip_range"] == "10.101.0.0/20"


def _volume(cloud: Client, name: str = "data", **more: Any) -> str:
    wanted = {"name": name, "region": "fra1", "size_gigabytes": 10, "filesystem_type": "ext4", **more}
    id: str = cloud.post("/v2/volumes", wanted, code=201)["volume"]["id"]
    return id


def test_a_volume_is_attached_once_and_goes_only_when_free(cloud: Client, machines: FakeMachines) -> None:
    volume, first, second = _volume(cloud), cloud.droplet("a")["id"], cloud.droplet("b")["id"]
    assert machines.of("create_volume") == [(volume, "data", 10, "ext4")]
    path = f"/v2/volumes/{volume}/actions"
    action = cloud.post(path, {"type": "attach", "droplet_id": first}, code=202)["action"]
    assert (action["type"], action["status"]) == ("attach_volume", "in-progress")
    cloud.done(action)
    assert cloud.get(f"/v2/volumes/{volume}")["volume"]["droplet_ids"] == [first]
    assert cloud.get(f"/v2/droplets/{first}")["droplet"]["volume_ids"] == [volume]
    said = cloud.post(path, {"type": "attach", "droplet_id": second}, code=422)["message"]
    assert said == "Volume is already attached to a Droplet."
    said = cloud.post(path, {"type": "detach", "droplet_id": second}, code=422)["message"]
    assert said == "Attachment not found"
    assert "cannot be deleted" in cloud.delete(f"/v2/volumes/{volume}", code=409)["message"]
    cloud.done(cloud.post(path, {"type": "detach", "droplet_id": first})["action"])
    cloud.delete(f"/v2/volumes/{volume}", code=204)
    assert machines.of("attach_volume") == machines.of("detach_volume") == [(volume, first)]


def test_a_volume_only_grows(cloud: Client, machines: FakeMachines) -> None:
    volume = _volume(cloud)
    path = f"/v2/volumes/{volume}/actions"
    for size in (10, 5, 20_000):
        assert "only be increased" in cloud.post(path, {"type": "resize", "size_gigabytes": size}, code=422)["message"]
    cloud.done(cloud.post(path, {"type": "resize", "size_gigabytes": 20, "region": "fra1"})["action"])
    assert cloud.get(f"/v2/volumes/{volume}")["volume"]["size_gigabytes"] == 20
    assert machines.of("grow_volume") == [(volume, 20)]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": "Data"}, 422),
        ({"region": "mars1"}, 422),
        ({"size_gigabytes": 0}, 422),
        ({"filesystem_type": "ntfs"}, 422),
        ({"filesystem_type": "xfs"}, 422),
        ({"snapshot_id": "x"}, 422),
        ({}, 409),
    ],
)
def test_what_a_volume_cannot_be(cloud: Client, change: dict[str, Any], code: int) -> None:
    _volume(cloud)
    wanted = {"name": "data", "region": "fra1", "size_gigabytes": 1, **change}
    cloud.post("/v2/volumes", wanted, code=code)


def test_a_busy_droplet_takes_neither_volume_nor_address(cloud: Client, machines: FakeMachines) -> None:
    volume, droplet = _volume(cloud), cloud.droplet()["id"]
    ip = cloud.post("/v2/reserved_ips", {"region": "fra1"})["reserved_ip"]["ip"]
    machines.hold = {"attach_volume"}
    attach = {"type": "attach", "droplet_id": droplet}
    action = cloud.post(f"/v2/volumes/{volume}/actions", attach)["action"]
    said = cloud.post(f"/v2/reserved_ips/{ip}/actions", {"type": "assign", "droplet_id": droplet}, code=422)["message"]
    assert said == "Droplet already has a pending event.", "the real provider waits for exactly this sentence to end"
    other = _volume(cloud, "other")
    assert cloud.post(f"/v2/volumes/{other}/actions", attach, code=422)["message"] == said
    machines.hold = set()
    cloud.done(action)
    cloud.done(cloud.post(f"/v2/volumes/{other}/actions", attach)["action"])


def test_a_reserved_address_moves(cloud: Client, machines: FakeMachines) -> None:
    first, second = cloud.droplet("a")["id"], cloud.droplet("b")["id"]
    ip = cloud.post("/v2/reserved_ips", {"region": "fra1"}, code=202)["reserved_ip"]["ip"]
    path = f"/v2/reserved_ips/{ip}/actions"
    said = cloud.post(path, {"type": "unassign"}, code=422)["message"]
    assert "not assigned" in said
    for droplet in (first, second):
        action = cloud.post(path, {"type": "assign", "droplet_id": droplet}, code=201)["action"]
        assert (action["type"], action["resource_type"]) == ("assign_ip", "reserved_ip")
        cloud.done(action)
        assert cloud.get(f"/v2/reserved_ips/{ip}")["reserved_ip"]["droplet"]["id"] == droplet
    assert machines.calls[-3:] == [("assign_ip", ip, first), ("unassign_ip", ip, first), ("assign_ip", ip, second)]
    cloud.delete(f"/v2/reserved_ips/{ip}", code=204)
    assert machines.calls[-1] == ("unassign_ip", ip, second)
    assert ip == "203.0.113.200"


def test_tags_follow_what_bears_them(cloud: Client) -> None:
    droplet = cloud.droplet(tags=["web"])["id"]
    cloud.post("/v2/tags", {"name": "web"}, code=201)
    tag = cloud.get("/v2/tags/web")["tag"]["resources"]
    assert (tag["count"], tag["droplets"]["count"]) == (1, 1)
    assert tag["last_tagged_uri"].endswith(f"/v2/droplets/{droplet}")
    cloud.delete("/v2/tags/web")
    assert cloud.get(f"/v2/droplets/{droplet}")["droplet"]["tags"] == []
    bearer = {"resources": [{"resource_id": "1", "resource_type": "droplet"}]}
    cloud.post("/v2/tags", {"name": "other"})
    cloud.post("/v2/tags/other/resources", bearer, code=404)
    cloud.post("/v2/tags/none/resources", bearer, code=404)
    assert "invalid characters" in cloud.post("/v2/tags", {"name": "a b"}, code=400)["error"]


def _urns(cloud: Client, project: str) -> set[str]:
    return {resource["urn"] for resource in cloud.get(f"/v2/projects/{project}/resources")["resources"]}


def test_what_nobody_assigned_is_in_the_default_project(cloud: Client) -> None:
    droplet, volume = cloud.droplet()["id"], _volume(cloud)
    urns = {f"do:droplet:{droplet}", f"do:volume:{volume}"}
    assert _urns(cloud, "default") == urns
    shop = cloud.post("/v2/projects", {"name": "shop", "purpose": "Website"}, code=201)["project"]["id"]
    for status in ("assigned", "already_assigned"):
        answer = cloud.post(f"/v2/projects/{shop}/resources", {"resources": sorted(urns)}, code=200)
        assert {resource["status"] for resource in answer["resources"]} == {status}
    assert (_urns(cloud, "default"), _urns(cloud, shop)) == (set(), urns)
    cloud.delete(f"/v2/projects/{shop}", code=412)
    gone = cloud.post(f"/v2/projects/{shop}/resources", {"resources": ["do:droplet:1"]}, code=200)["resources"]
    assert [resource["status"] for resource in gone] == ["not_found"], "no error: a project is deleted by moving these"
    cloud.post(f"/v2/projects/{shop}/resources", {"resources": ["do:kubernetes:1"]}, code=422)


def test_a_reserved_address_is_in_its_droplets_project(cloud: Client) -> None:
    droplet = cloud.droplet()["id"]
    ip = cloud.post("/v2/reserved_ips", {"droplet_id": droplet})["reserved_ip"]["ip"]
    cloud.settle(droplet)
    shop = cloud.post("/v2/projects", {"name": "shop", "purpose": "Website"})["project"]["id"]
    alone = cloud.post(f"/v2/projects/{shop}/resources", {"resources": [f"do:reservedip:{ip}"]}, code=412)
    assert "Cannot move a Reserved IP" in alone["message"]
    cloud.post(f"/v2/projects/{shop}/resources", {"resources": [f"do:droplet:{droplet}"]})
    assert _urns(cloud, shop) == {f"do:droplet:{droplet}", f"do:floatingip:{ip}"}


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"type": "A", "data": "monitor"}, "IP address did not match IPv4 format."),
        ({"type": "CNAME", "data": "www.example.com"}, "Data needs to end with a dot (.)"),
        ({"type": "A", "data": "203.0.113.1", "ttl": 5}, "TTL must be at least 30 seconds."),
        ({"type": "HINFO", "data": "x"}, "Type must be one of"),
        ({"type": "TXT"}, "Data can't be blank."),
    ],
)
def test_what_a_record_cannot_be(cloud: Client, record: dict[str, Any], said: str) -> None:
    cloud.post("/v2/domains", {"name": "example.com"})
    answer = cloud.post("/v2/domains/example.com/records", {"name": "monitor", **record}, code=422)
    assert said in answer["message"]


def test_a_records_name_loses_its_dot_once(cloud: Client) -> None:
    cloud.post("/v2/domains", {"name": "example.com"})
    path = "/v2/domains/example.com/records"
    record = cloud.post(path, {"type": "CNAME", "name": "www", "data": "example.com."})["domain_record"]
    assert record["data"] == "example.com"
    changed = cloud.call("PATCH", f"{path}/{record['id']}", {"ttl": 60})["domain_record"]
    assert (changed["data"], changed["ttl"], changed["type"]) == ("example.com", 60, "CNAME")
    cloud.get("/v2/domains/other.com/records", code=404)


def test_alerts_go_with_their_check(cloud: Client) -> None:
    check = cloud.post("/v2/uptime/checks", {"name": "hub", "target": "https://example.com"})["check"]
    assert (check["type"], check["enabled"]) == ("https", True)
    path = f"/v2/uptime/checks/{check['id']}"
    alert = {"name": "down", "type": "down", "notifications": {"email": []}}
    assert "notifications" in cloud.post(f"{path}/alerts", alert, code=422)["message"]
    made = cloud.post(f"{path}/alerts", {**alert, "notifications": {"email": ["a@b.c"]}})["alert"]
    assert "comparison" not in made, "what nobody gave would be a change at every preview"
    id = made["id"]
    cloud.delete(path)
    cloud.get(f"{path}/alerts/{id}", code=404)


def test_secret_of_a_key_for_spaces_is_shown_once_and_kept_nowhere(cloud: Client, machines: FakeMachines) -> None:
    wanted = {"name": "backup", "grants": [{"bucket": "acme", "permission": "readwrite"}]}
    key = cloud.post("/v2/spaces/keys", wanted)["key"]
    ((access, secret, buckets),) = machines.of("allow_key")
    assert (access, secret, buckets) == (key["access_key"], key["secret_key"], ("acme",))
    assert "secret_key" not in cloud.get("/v2/spaces/keys")["keys"][0]
    assert secret not in cloud.server.cloud.store.path.read_text()
    cloud.delete(f"/v2/spaces/keys/{access}")
    assert machines.of("refuse_key") == [(access,)]
    cloud.delete(f"/v2/spaces/keys/{access}", code=404)


@pytest.mark.parametrize(
    ("grants", "said"),
    [
        ([{"bucket": "", "permission": "readwrite"}], "need a bucket"),
        ([{"bucket": "acme", "permission": "fullaccess"}], "fullaccess is for all buckets"),
        ([{"bucket": "acme", "permission": "all"}], "permission must be one of read, readwrite, fullaccess"),
        ([{"bucket": "acme", "permission": "read"}], "is not offered here"),
        ([], "is not offered here"),
    ],
)
def test_what_a_key_for_spaces_cannot_be(cloud: Client, machines: FakeMachines, grants: list[Any], said: str) -> None:
    assert said in cloud.post("/v2/spaces/keys", {"name": "x", "grants": grants}, code=422)["message"]
    assert machines.of("allow_key") == []
