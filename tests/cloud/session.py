"""One session through every route of the rehearsal cloud, as a client would go. Used by test_contract.py."""

from __future__ import annotations

from typing import Any

from tests.cloud import session_services
from tests.cloud.rig import Client

RULE_IN = {"protocol": "tcp", "ports": "22", "sources": {"addresses": ["198.51.100.7"]}}
RULE_OUT = {"protocol": "icmp", "ports": "0", "destinations": {"addresses": ["0.0.0.0/0", "::/0"]}}


def walk(cloud: Client) -> None:
    """Every route at least once."""
    for path in ("account", "regions", "sizes", "images", "images/debian-12-x64", "snapshots", "actions"):
        cloud.get(f"/v2/{path}")
    cloud.get("/v2/sizes?per_page=2&page=2")
    key, vpc = _account(cloud), _network(cloud)
    droplet = _droplet(cloud, key, vpc)
    _tags(cloud, droplet)
    _volumes(cloud, droplet)
    _addresses(cloud, droplet)
    _balancers(cloud, droplet)
    _firewalls(cloud, droplet)
    _projects(cloud, droplet)
    session_services.domains(cloud)
    session_services.uptime(cloud)
    session_services.spaces(cloud)
    session_services.databases(cloud, vpc)
    _end(cloud, key, vpc, droplet)


def _account(cloud: Client) -> Any:
    key = cloud.key()
    cloud.get("/v2/account/keys")
    cloud.get(f"/v2/account/keys/{key['fingerprint']}")
    return cloud.put(f"/v2/account/keys/{key['id']}", {"name": "other"})["ssh_key"]


def _network(cloud: Client) -> Any:
    vpc = cloud.vpc()
    path = f"/v2/vpcs/{vpc['id']}"
    cloud.get("/v2/vpcs")
    cloud.get(path)
    cloud.put(path, {"name": "two", "description": "the second"})
    return cloud.call("PATCH", path, {"name": "three"})["vpc"]


def _droplet(cloud: Client, key: Any, vpc: Any) -> int:
    wanted = {
        "region": "fra1",
        "size": "s-1vcpu-1gb",
        "image": "debian-12-x64",
        "ssh_keys": [key["id"]],
        "backups": True,
        "ipv6": False,
        "monitoring": True,
        "tags": ["web"],
        "user_data": "#cloud-config\n",
        "vpc_uuid": vpc["id"],
    }
    id: int = cloud.post("/v2/droplets", {**wanted, "name": "web-1"})["droplet"]["id"]
    cloud.settle(id)
    path = f"/v2/droplets/{id}"
    cloud.post(
        f"{path}/actions",
        {"type": "enable_backups", "backup_policy": {"plan": "weekly", "weekday": "SUN", "hour": 4}},
    )
    cloud.settle(id)
    for part in ("", "/backups", "/snapshots", "/backups/policy", "/firewalls"):
        cloud.get(path + part)
    cloud.get("/v2/droplets?tag_name=web")
    cloud.get(f"/v2/vpcs/{vpc['id']}/members")
    cloud.act(id, "power_off")
    cloud.act(id, "resize", size="s-2vcpu-2gb", disk=True)
    cloud.act(id, "power_on")
    action = cloud.act(id, "rename", name="web-2")
    cloud.get(f"{path}/actions/{action['id']}")
    return id


def _tags(cloud: Client, droplet: int) -> None:
    bearer = {"resources": [{"resource_id": str(droplet), "resource_type": "droplet"}]}
    cloud.post("/v2/tags", {"name": "db"})
    cloud.post("/v2/tags/db/resources", bearer)
    cloud.get("/v2/tags")
    cloud.get("/v2/tags/db")
    cloud.delete("/v2/tags/db/resources", bearer)
    cloud.delete("/v2/tags/db")


def _volumes(cloud: Client, droplet: int) -> None:
    wanted = {"name": "data", "region": "fra1", "size_gigabytes": 10, "filesystem_type": "ext4", "tags": ["web"]}
    id = cloud.post("/v2/volumes", wanted)["volume"]["id"]
    path, name = f"/v2/volumes/{id}", {"volume_name": "data", "region": "fra1"}
    cloud.done(cloud.post(f"{path}/actions", {"type": "attach", "droplet_id": droplet})["action"])
    cloud.done(cloud.post(f"{path}/actions", {"type": "resize", "size_gigabytes": 20, "region": "fra1"})["action"])
    cloud.get("/v2/volumes?name=data&region=fra1")
    cloud.get(path)
    cloud.get(f"{path}/snapshots")
    action = cloud.done(cloud.post("/v2/volumes/actions", {**name, "type": "detach", "droplet_id": droplet})["action"])
    cloud.get(f"{path}/actions")
    cloud.get(f"{path}/actions/{action['id']}")
    cloud.delete(path)
    cloud.post("/v2/volumes", wanted)
    cloud.delete("/v2/volumes?name=data&region=fra1")


def _addresses(cloud: Client, droplet: int) -> None:
    ip = cloud.post("/v2/reserved_ips", {"region": "fra1"})["reserved_ip"]["ip"]
    path = f"/v2/reserved_ips/{ip}"
    action = cloud.done(cloud.post(f"{path}/actions", {"type": "assign", "droplet_id": droplet})["action"])
    cloud.get("/v2/reserved_ips")
    cloud.get(path)
    cloud.get(f"{path}/actions")
    cloud.get(f"{path}/actions/{action['id']}")
    cloud.done(cloud.post(f"{path}/actions", {"type": "unassign"})["action"])
    cloud.delete(path)
    made = cloud.post("/v2/reserved_ips", {"droplet_id": droplet})
    cloud.settle(droplet)
    cloud.delete(f"/v2/reserved_ips/{made['reserved_ip']['ip']}")


def _balancers(cloud: Client, droplet: int) -> None:
    ports = {"entry_port": 443, "target_port": 443}
    health = {
        "protocol": "http",
        "port": 80,
        "path": "/ready",
        "check_interval_seconds": 5,
        "response_timeout_seconds": 3,
        "unhealthy_threshold": 2,
        "healthy_threshold": 2,
    }
    wanted = {
        "name": "hub",
        "region": "fra1",
        "size_unit": 2,
        "tag": "web",
        "enable_proxy_protocol": True,
        "forwarding_rules": [{"entry_protocol": "tcp", "target_protocol": "tcp", **ports}],
        "health_check": health,
        "disable_lets_encrypt_dns_records": False,
    }
    id = cloud.post("/v2/load_balancers", wanted)["load_balancer"]["id"]
    path = f"/v2/load_balancers/{id}"
    cloud.get("/v2/load_balancers")
    cloud.get(path)
    cloud.put(path, {**{key: value for key, value in wanted.items() if key != "tag"}, "droplet_ids": [droplet]})
    cloud.delete(path)


def _firewalls(cloud: Client, droplet: int) -> None:
    wanted = {"name": "edge", "tags": ["web"], "inbound_rules": [RULE_IN], "outbound_rules": [RULE_OUT]}
    path = f"/v2/firewalls/{cloud.post('/v2/firewalls', wanted)['firewall']['id']}"
    cloud.get("/v2/firewalls")
    cloud.get(path)
    cloud.put(path, {**wanted, "droplet_ids": [droplet]})
    more = {"inbound_rules": [{"protocol": "udp", "ports": "8000-9000", "sources": {"tags": ["web"]}}]}
    parts: list[tuple[str, Any]] = [
        ("rules", more),
        ("droplets", {"droplet_ids": [droplet]}),
        ("tags", {"tags": ["web"]}),
    ]
    for part, body in parts:
        cloud.post(f"{path}/{part}", body)
    cloud.get(f"/v2/droplets/{droplet}/firewalls")
    for part, body in parts:
        cloud.delete(f"{path}/{part}", body)
    cloud.delete(path)


def _projects(cloud: Client, droplet: int) -> None:
    wanted = {"name": "shop", "purpose": "Website", "environment": "Production"}
    path = f"/v2/projects/{cloud.post('/v2/projects', wanted)['project']['id']}"
    cloud.get("/v2/projects")
    cloud.get("/v2/projects/default")
    cloud.put(path, {**wanted, "description": "ours", "is_default": False})
    cloud.call("PATCH", path, {"description": "all ours"})
    cloud.post(f"{path}/resources", {"resources": [f"do:droplet:{droplet}"]})
    cloud.get(f"{path}/resources")
    cloud.post("/v2/projects/default/resources", {"resources": [f"do:droplet:{droplet}"]})
    cloud.get("/v2/projects/default/resources")
    cloud.delete(path)


def _end(cloud: Client, key: Any, vpc: Any, droplet: int) -> None:
    cloud.delete(f"/v2/vpcs/{vpc['id']}", code=409)
    cloud.delete(f"/v2/droplets/{droplet}")
    cloud.gone(f"/v2/droplets/{droplet}")
    cloud.delete(f"/v2/vpcs/{vpc['id']}")
    cloud.delete(f"/v2/account/keys/{key['id']}")
    cloud.get("/v2/volumes/none", code=404)
    cloud.post("/v2/tags", {"name": "not a tag"}, code=400)
    cloud.post("/v2/droplets", {"name": "no_name"}, code=422)
