"""The part of session.py about what stands beside droplets: domains, uptime checks, keys of Spaces, databases."""

from __future__ import annotations

from typing import Any

from tests.cloud.rig import Client


def domains(cloud: Client) -> None:
    cloud.post("/v2/domains", {"name": "example.com", "ip_address": "203.0.113.20"})
    cloud.get("/v2/domains")
    cloud.get("/v2/domains/example.com")
    wanted = {"type": "A", "name": "monitor", "data": "203.0.113.200", "ttl": 300}
    path = "/v2/domains/example.com/records"
    record = f"{path}/{cloud.post(path, wanted)['domain_record']['id']}"
    cloud.get(f"{path}?type=A&name=monitor.example.com")
    cloud.get(record)
    cloud.put(record, {**wanted, "ttl": 60})
    cloud.call("PATCH", record, {"type": "A", "data": "203.0.113.201"})
    cloud.delete(record)
    cloud.delete("/v2/domains/example.com")


def uptime(cloud: Client) -> None:
    wanted = {
        "name": "hub",
        "target": "https://monitor.example.com",
        "type": "https",
        "regions": ["eu_west"],
        "enabled": True,
    }
    path = f"/v2/uptime/checks/{cloud.post('/v2/uptime/checks', wanted)['check']['id']}"
    cloud.get("/v2/uptime/checks")
    cloud.get(path)
    cloud.put(path, {**wanted, "enabled": False})
    alert = {"name": "down", "type": "down_global", "period": "2m", "notifications": {"email": ["a@b.c"], "slack": []}}
    one = f"{path}/alerts/{cloud.post(f'{path}/alerts', alert)['alert']['id']}"
    cloud.get(f"{path}/alerts")
    cloud.get(one)
    cloud.put(one, {**alert, "period": "5m"})
    cloud.delete(one)
    cloud.delete(path)


def spaces(cloud: Client) -> None:
    wanted = {"name": "backup", "grants": [{"bucket": "acme", "permission": "readwrite"}]}
    path = f"/v2/spaces/keys/{cloud.post('/v2/spaces/keys', wanted)['key']['access_key']}"
    cloud.get("/v2/spaces/keys")
    cloud.put(path, {**wanted, "name": "other"})
    cloud.delete(path)


def databases(cloud: Client, vpc: Any) -> None:
    wanted = {"name": "hub", "engine": "pg", "version": "17", "region": "fra1", "num_nodes": 1}
    wanted |= {"size": "db-s-1vcpu-1gb", "private_network_uuid": vpc["id"], "tags": ["web"]}
    path = f"/v2/databases/{cloud.post('/v2/databases', wanted)['database']['id']}"
    cloud.get("/v2/databases")
    cloud.get(path)
    cloud.put(f"{path}/resize", {"size": "db-s-1vcpu-2gb", "num_nodes": 2})
    cloud.get(f"{path}/ca")
    cloud.post(f"{path}/dbs", {"name": "grafana"})
    cloud.get(f"{path}/dbs")
    cloud.get(f"{path}/dbs/grafana")
    cloud.put(f"{path}/firewall", {"rules": [{"type": "tag", "value": "web"}]})
    cloud.get(f"{path}/firewall")
    cloud.get(f"/v2/vpcs/{vpc['id']}/members")
    cloud.delete(f"{path}/dbs/grafana")
    cloud.delete(path)
