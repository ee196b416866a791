"""Cloud firewalls. A change is on the droplets when its answer arrives (rules.py): no change is ever pending."""

from __future__ import annotations

import ipaddress
import re

from localcloud.cloud import droplets, rules
from localcloud.cloud.api import NO_CONTENT, Cloud, Reply, Request, Route, page
from localcloud.cloud.errors import conflict, not_found, not_in_rehearsal, unprocessable
from localcloud.cloud.store import Json, new_uuid, now

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9.\-]+")
_SIDES = {"inbound_rules": "sources", "outbound_rules": "destinations"}
MOST_DROPLETS, MOST_TAGS = 10, 5


def view(firewall: Json) -> Json:
    """A firewall as the API shows it."""
    return {**firewall, "status": "succeeded", "pending_changes": []}


def _get(data: Json, id: str) -> Json:
    found: Json | None = data["firewalls"].get(id)
    if found is None:
        raise not_found()
    return found


def _side(data: Json, rule: Json, side: str) -> Json:
    given = rule.get(side) or {}
    found = {key: given[key] for key in ("addresses", "tags", "droplet_ids", "load_balancer_uids") if given.get(key)}
    if given.get("kubernetes_ids"):
        raise not_in_rehearsal("Kubernetes is not offered here")
    if not found:
        raise unprocessable(f"{side} must name at least one address, tag, droplet or load balancer")
    for address in found.get("addresses", []):
        try:
            ipaddress.ip_network(address, strict=False)
        except ValueError:
            raise unprocessable(f"{address} is not an address or a range in CIDR notation") from None
    _check_targets(data, found.get("droplet_ids", []), found.get("tags", []))
    for id in found.get("load_balancer_uids", []):
        if id not in data["balancers"]:
            raise unprocessable(f"load balancer {id} does not exist")
    return found


def _rule(data: Json, rule: object, side: str) -> Json:
    if not isinstance(rule, dict) or rule.get("protocol") not in {"tcp", "udp", "icmp"}:
        raise unprocessable("protocol must be tcp, udp or icmp")
    text = str(rule.get("ports") or "0")
    text = "0" if text == "all" or rule["protocol"] == "icmp" else text
    try:
        rules.ports(text)
    except ValueError:
        raise unprocessable(f"ports must be a port, a range as 8000-9000, or all; got {text}") from None
    return {"protocol": rule["protocol"], "ports": text, side: _side(data, rule, side)}


def _check_targets(data: Json, ids: list[int], tags: list[str]) -> None:
    for id in ids:
        if str(id) not in data["droplets"]:
            raise unprocessable(f"droplet {id} does not exist")
    for tag in tags:
        if tag not in data["tags"]:
            raise unprocessable(f"tag {tag} does not exist")


def _targets(data: Json, ids: list[int], tags: list[str]) -> Json:
    _check_targets(data, ids, tags)
    if len(ids) > MOST_DROPLETS or len(tags) > MOST_TAGS:
        raise unprocessable(f"a firewall has at most {MOST_DROPLETS} droplets and {MOST_TAGS} tags")
    return {"droplet_ids": sorted(set(ids)), "tags": sorted(set(tags))}


def _given_rules(data: Json, request: Request) -> Json:
    given = {key: [_rule(data, rule, side) for rule in request.items(key)] for key, side in _SIDES.items()}
    if not any(given.values()):
        raise unprocessable("must have at least one rule")
    return given


def _wanted(data: Json, request: Request, but: str = "") -> Json:
    name = request.text("name")
    if not _NAME.fullmatch(name):
        raise unprocessable("name must begin with a letter or number and have only those, dashes and periods")
    if any(f["name"] == name and f["id"] != but for f in data["firewalls"].values()):
        raise conflict("duplicate name")
    targets = _targets(data, request.items("droplet_ids"), request.items("tags"))
    return {"name": name, **targets, **_given_rules(data, request)}


def _list(cloud: Cloud, request: Request) -> Reply:
    with cloud.store.reading() as data:
        return page(request, "firewalls", [view(firewall) for firewall in data["firewalls"].values()])


def _create(cloud: Cloud, request: Request) -> Reply:
    with cloud.store.changing() as data:
        firewall = {"id": new_uuid(), "created_at": now(), **_wanted(data, request)}
        data["firewalls"][firewall["id"]] = firewall
    rules.apply(cloud)
    return Reply(202, {"firewall": view(firewall)})


def _show(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.store.reading() as data:
        return Reply(200, {"firewall": view(_get(data, id))})


def _replace(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.store.changing() as data:
        firewall = _get(data, id)
        firewall |= _wanted(data, request, but=id)
        reply = Reply(200, {"firewall": view(firewall)})
    rules.apply(cloud)
    return reply


def _delete(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.store.changing() as data:
        del data["firewalls"][_get(data, id)["id"]]
    rules.apply(cloud)
    return NO_CONTENT


def _change_targets(cloud: Cloud, request: Request, id: str, key: str, more: bool) -> Reply:
    with cloud.store.changing() as data:
        firewall, given = _get(data, id), set(request.items(key))
        if not given:
            raise unprocessable(f"{key} must not be empty")
        new = set(firewall[key]) | given if more else set(firewall[key]) - given
        others = {"droplet_ids": firewall["droplet_ids"], "tags": firewall["tags"], key: list(new)}
        firewall |= _targets(data, others["droplet_ids"], others["tags"])
    rules.apply(cloud)
    return NO_CONTENT


def _change_rules(cloud: Cloud, request: Request, id: str, more: bool) -> Reply:
    with cloud.store.changing() as data:
        firewall, given = _get(data, id), _given_rules(data, request)
        new = {}
        for key, listed in given.items():
            others = [rule for rule in firewall[key] if rule not in listed]
            new[key] = [*others, *listed] if more else others
        if not any(new.values()):
            raise unprocessable("must have at least one rule")
        firewall |= new
    rules.apply(cloud)
    return NO_CONTENT


def _of_droplet(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.store.reading() as data:
        droplet = droplets.get(data, id)
        return page(request, "firewalls", [view(f) for f in data["firewalls"].values() if rules.applies(f, droplet)])


def _target_routes(part: str, key: str) -> list[Route]:
    path = f"/v2/firewalls/{{id}}/{part}"
    return [
        Route("POST", path, lambda cloud, request, id: _change_targets(cloud, request, id, key, True)),
        Route("DELETE", path, lambda cloud, request, id: _change_targets(cloud, request, id, key, False)),
    ]


ROUTES = [
    Route("GET", "/v2/firewalls", _list),
    Route("POST", "/v2/firewalls", _create),
    Route("GET", "/v2/firewalls/{id}", _show),
    Route("PUT", "/v2/firewalls/{id}", _replace),
    Route("DELETE", "/v2/firewalls/{id}", _delete),
    *_target_routes("droplets", "droplet_ids"),
    *_target_routes("tags", "tags"),
    Route("POST", "/v2/firewalls/{id}/rules", lambda cloud, request, id: _change_rules(cloud, request, id, True)),
    Route("DELETE", "/v2/firewalls/{id}/rules", lambda cloud, request, id: _change_rules(cloud, request, id, False)),
    Route("GET", "/v2/droplets/{id}/firewalls", _of_droplet),
]
