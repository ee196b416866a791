"""Load balancers: regional ones that pass on TCP. Behind each is a proxy in a container (localcloud.standins.balancer).

One is made while the request waits, and is `new` in the answer to it, as in the real API. Droplets that it reaches by a
tag come and go with the tag (rules.py).
"""

from __future__ import annotations

import re

from localcloud.cloud import addresses, catalogue, projects, rules, vpcs
from localcloud.cloud.again import clear
from localcloud.cloud.api import NO_CONTENT, Cloud, Reply, Request, Route, page
from localcloud.cloud.backend import BalancerSpec
from localcloud.cloud.errors import ApiError, not_found, not_in_rehearsal, unprocessable
from localcloud.cloud.store import Json, new_uuid, now

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9.\-]*")
_RULE = ("entry_protocol", "entry_port", "target_protocol", "target_port")
# Key: default, lowest and highest.
_HEALTH = {
    "check_interval_seconds": (10, 3, 300),
    "response_timeout_seconds": (5, 3, 300),
    "unhealthy_threshold": (3, 2, 10),
    "healthy_threshold": (5, 2, 10),
}
_ONLY = {"type": "REGIONAL", "network": "EXTERNAL", "network_stack": "IPV4"}
_REFUSED = ("redirect_http_to_https", "enable_backend_keepalive", "firewall", "domains", "glb_settings", "ip")
_MOST_NODES = 100


def urn(balancer: Json) -> str:
    """Its name in projects and VPCs."""
    return f"do:loadbalancer:{balancer['id']}"


def _view(data: Json, one: Json) -> Json:
    shown = ("id", "name", "status", "created_at", "size_unit", "tag", "enable_proxy_protocol", "health_check")
    return {
        **{key: one[key] for key in shown},
        "ip": one["public_ip"] if one["status"] == "active" else "",
        "ipv6": "",
        "size": "lb-small",
        "algorithm": "round_robin",
        "forwarding_rules": [{"certificate_id": "", "tls_passthrough": False, **r} for r in one["forwarding_rules"]],
        "sticky_sessions": {"type": "none"},
        "region": catalogue.region(one["region"]),
        "droplet_ids": [droplet["id"] for droplet in rules.balanced(data, one)],
        "redirect_http_to_https": False,
        "enable_backend_keepalive": False,
        "http_idle_timeout_seconds": 60,
        "vpc_uuid": one["vpc"],
        "disable_lets_encrypt_dns_records": False,
        "project_id": projects.project_id(data, urn(one)),
        "network": "EXTERNAL",
        "network_stack": "IPV4",
        "type": "REGIONAL",
    }


def _get(data: Json, id: str) -> Json:
    found: Json | None = data["balancers"].get(id)
    if found is None:
        raise not_found()
    return found


def _port(rule: Json, key: str) -> int:
    found = rule.get(key)
    if not isinstance(found, int) or not 1 <= found <= 65535:
        raise unprocessable(f"{key} must be a port from 1 to 65535")
    return found


def _rules(request: Request) -> list[Json]:
    given = request.items("forwarding_rules")
    if not given:
        raise unprocessable("forwarding_rules must have at least one rule")
    for rule in given:
        if not isinstance(rule, dict) or (rule.get("entry_protocol"), rule.get("target_protocol")) != ("tcp", "tcp"):
            raise not_in_rehearsal("Only forwarding rules from tcp to tcp are offered here")
        _port(rule, "entry_port")
        _port(rule, "target_port")
    if len({rule["entry_port"] for rule in given}) < len(given):
        raise unprocessable("forwarding_rules must have different entry ports")
    return [{key: rule[key] for key in _RULE} for rule in given]


def _health(request: Request) -> Json:
    given = request.body.get("health_check") or {}
    if not isinstance(given, dict) or given.get("protocol") not in {"http", "tcp"}:
        raise not_in_rehearsal("Only health checks by http and tcp are offered here")
    path = str(given.get("path") or "")
    if (given["protocol"] == "http") != path.startswith("/"):
        raise unprocessable("health_check.path must begin with / for http, and be empty for tcp")
    found = {"protocol": given["protocol"], "port": _port(given, "port"), "path": path}
    for key, (default, low, high) in _HEALTH.items():
        number = given.get(key, default)
        if not isinstance(number, int) or not low <= number <= high:
            raise unprocessable(f"health_check.{key} must be from {low} to {high}")
        found[key] = number
    return found


def _wanted(data: Json, request: Request, but: str = "") -> Json:
    """What a request may choose at any time."""
    name = request.text("name")
    if not _NAME.fullmatch(name):
        raise unprocessable("name must begin with a letter or number and have only those, dashes and periods")
    if any(one["name"] == name and one["id"] != but for one in data["balancers"].values()):
        raise unprocessable(f"a load balancer with the name {name} exists already")
    for key, only in _ONLY.items():
        if request.text(key, only) != only:
            raise not_in_rehearsal(f"{key} is {only} here")
    for key in _REFUSED:
        if request.body.get(key):
            raise not_in_rehearsal(f"{key} is not offered here")
    tag, ids = request.text("tag", ""), request.items("droplet_ids")
    if bool(tag) == bool(ids):
        raise unprocessable("a load balancer has either a tag or droplet_ids")
    if tag and tag not in data["tags"]:
        raise unprocessable(f"tag {tag} does not exist")
    nodes = request.body.get("size_unit", 1)
    if not isinstance(nodes, int) or not 1 <= nodes <= _MOST_NODES:
        raise unprocessable(f"size_unit must be from 1 to {_MOST_NODES}")
    return {
        "name": name,
        "size_unit": nodes,
        "tag": tag,
        "droplet_ids": ids,
        "forwarding_rules": _rules(request),
        "health_check": _health(request),
        "enable_proxy_protocol": request.flag("enable_proxy_protocol"),
    }


def _project(data: Json, request: Request) -> str:
    project = request.text("project_id", "")
    if project and project not in data["projects"]:
        raise not_found()
    return project


def _create(cloud: Cloud, request: Request) -> Reply:
    region = request.text("region")
    if not catalogue.known_region(region):
        raise unprocessable(f"region {region} is not available")
    asked = request.text("vpc_uuid", "") or vpcs.default_of(cloud, region)["id"]
    # The network's lock: the VPC must not go between the check and the record.
    with cloud.network_lock, cloud.store.changing() as data:
        vpc = vpcs.get(data, asked)
        made = {"id": new_uuid(), "created_at": now(), "status": "new", "region": region, "vpc": vpc["id"]}
        made |= _wanted(data, request)
        project = _project(data, request)
        made |= {"public_ip": addresses.public(cloud, data), "private_ip": addresses.private(data, vpc)}
        data["balancers"][made["id"]] = made
        if project:
            projects.assign(data, urn(made), project)
        reply = Reply(202, {"load_balancer": _view(data, made)})
    try:
        cloud.machines.create_balancer(BalancerSpec(made["id"], made["public_ip"], made["private_ip"], vpc["id"]))
    except BaseException:
        _forget(cloud, made["id"])
        raise
    with cloud.store.changing():
        made["status"] = "active"
    cloud.say(f"load balancer {made['name']}: a TCP proxy in a container stands in for DigitalOcean's")
    rules.apply(cloud)
    return reply


def _forget(cloud: Cloud, id: str) -> None:
    with cloud.store.changing() as data:
        data["balancers"].pop(id, None)
        data["assigned"].pop(f"do:loadbalancer:{id}", None)


def undo_half_made(cloud: Cloud) -> None:
    """What was being made when the service ended: the client received an error and will retry."""
    with cloud.store.reading() as data:
        half = [id for id, one in data["balancers"].items() if one["status"] == "new"]
    for id in half:
        clear(cloud.machines.delete_balancer, id)
        _forget(cloud, id)


def _list(cloud: Cloud, request: Request) -> Reply:
    with cloud.store.reading() as data:
        return page(request, "load_balancers", [_view(data, one) for one in data["balancers"].values()])


def _show(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.store.reading() as data:
        return Reply(200, {"load_balancer": _view(data, _get(data, id))})


def _change(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.store.changing() as data:
        one = _get(data, id)
        if request.text("region", one["region"]) != one["region"] or (
            request.text("vpc_uuid", one["vpc"]) != one["vpc"]
        ):
            raise unprocessable("region and vpc_uuid cannot be changed")
        one |= _wanted(data, request, but=id)
        if project := _project(data, request):
            projects.assign(data, urn(one), project)
        reply = Reply(200, {"load_balancer": _view(data, one)})
    rules.apply(cloud)
    return reply


def _delete(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.store.reading() as data:
        if _get(data, id)["status"] == "new":
            raise ApiError(409, "conflict", "the load balancer is being made")
    cloud.machines.delete_balancer(id)
    _forget(cloud, id)
    rules.apply(cloud)
    return NO_CONTENT


ROUTES = [
    Route("GET", "/v2/load_balancers", _list),
    Route("POST", "/v2/load_balancers", _create),
    Route("GET", "/v2/load_balancers/{id}", _show),
    Route("PUT", "/v2/load_balancers/{id}", _change),
    Route("DELETE", "/v2/load_balancers/{id}", _delete),
]
