"""From cloud firewalls to packet rules: what each running droplet must let in and out, and bringing it there; and the
same for the droplets that a load balancer reaches, and for who may connect to a managed database.

All firewalls that name a droplet, by id or by tag, together: what any of them allows is allowed, everything else is
not. A droplet that none names is open.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from localcloud.cloud.api import Cloud
from localcloud.cloud.backend import Rule
from localcloud.cloud.store import Json

Id = TypeVar("Id", int, str)
Value = TypeVar("Value")
Rules = tuple[tuple[Rule, ...] | None, tuple[Rule, ...] | None]


def wanted(data: Json, droplet: Json) -> Rules:
    """The rules in and out for one droplet; None: no firewall is attached."""
    attached = [f for f in data["firewalls"].values() if applies(f, droplet)]
    if not attached:
        return None, None
    inbound = {rule for firewall in attached for rule in _rules(data, firewall["inbound_rules"], "sources")}
    outbound = {rule for firewall in attached for rule in _rules(data, firewall["outbound_rules"], "destinations")}
    return _sorted(inbound), _sorted(outbound)


def applies(firewall: Json, droplet: Json) -> bool:
    """Whether a firewall names a droplet."""
    return droplet["id"] in firewall["droplet_ids"] or bool(set(firewall["tags"]) & set(droplet["tags"]))


def _sorted(rules: set[Rule]) -> tuple[Rule, ...]:
    return tuple(sorted(rules, key=lambda rule: (rule.protocol, rule.ports or (0, 0), rule.peers)))


def _rules(data: Json, listed: list[Json], side: str) -> Iterator[Rule]:
    for rule in listed:
        peers = tuple(sorted(set(_peers(data, rule[side]))))
        if peers:
            yield Rule(rule["protocol"], ports(rule["ports"]), peers)


def _peers(data: Json, side: Json) -> Iterator[str]:
    for address in side.get("addresses", []):
        network = ipaddress.ip_network(address, strict=False)
        if network.version == 4:  # droplets have no IPv6 here
            yield str(network)
    named, tagged = set(side.get("droplet_ids", [])), set(side.get("tags", []))
    for droplet in data["droplets"].values():
        if droplet["id"] in named or tagged & set(droplet["tags"]):
            yield from (f"{droplet['public_ip']}/32", f"{droplet['private_ip']}/32")
    for id in side.get("load_balancer_uids", []):
        if id in data["balancers"]:  # it reaches droplets over their private network
            yield f"{data['balancers'][id]['private_ip']}/32"


def balanced(data: Json, balancer: Json) -> list[Json]:
    """The droplets that a load balancer reaches: those that it names or that have its tag, in its network."""
    named, tag = set(balancer["droplet_ids"]), balancer["tag"]
    return [
        one
        for one in data["droplets"].values()
        if one["vpc"] == balancer["vpc"] and (one["id"] in named or tag in one["tags"])
    ]


def _balance(data: Json, balancer: Json) -> Json:
    """What a load balancer does, in the form of its stand-in's file."""
    health = balancer["health_check"]
    return {
        "rules": {str(rule["entry_port"]): rule["target_port"] for rule in balancer["forwarding_rules"]},
        "targets": sorted(one["private_ip"] for one in balanced(data, balancer) if one["made"]),
        "health": {
            "port": health["port"],
            "path": health["path"],
            "interval": health["check_interval_seconds"],
            "timeout": health["response_timeout_seconds"],
            "unhealthy": health["unhealthy_threshold"],
            "healthy": health["healthy_threshold"],
        },
        "proxy": balancer["enable_proxy_protocol"],
    }


def ports(text: str) -> tuple[int, int] | None:
    """The ports of a rule: "22", "8000-9000"; "0" is the API's notation for all of them. ValueError if it is none."""
    if text == "0":
        return None
    first, _, last = text.partition("-")
    low, high = int(first), int(last or first)
    if not 1 <= low <= high <= 65535:
        raise ValueError(text)
    return low, high


def apply(cloud: Cloud) -> None:
    """Bring the running droplets, the load balancers and who may connect to the managed databases to what is wanted
    now; returns when they are there. Repeats nothing that is."""
    with cloud.firewall_lock:
        with cloud.store.reading() as data:
            running = {d["id"]: wanted(data, d) for d in data["droplets"].values() if d["running"]}
        # The droplet may be going down at this moment; it gets its rules when it is up again.
        failed = "droplet {}: its firewall could not be set"
        _bring(cloud, running, cloud.applied, lambda id, rules: cloud.machines.firewall(id, *rules), failed)
        with cloud.store.reading() as data:
            active = [one for one in data["balancers"].values() if one["status"] == "active"]
            balanced = {one["id"]: _balance(data, one) for one in active}
        failed = "load balancer {} could not be changed"
        _bring(cloud, balanced, cloud.balanced, cloud.machines.balance, failed)
        with cloud.store.reading() as data:
            made = {id: one for id, one in data["databases"].items() if not one.get("making")}
            allowed = {id: sources(data, one["rules"]) for id, one in made.items()}
        failed = "database {}: its sources could not be set"
        _bring(cloud, allowed, cloud.sources, cloud.machines.database_sources, failed)


def _bring(
    cloud: Cloud, wanted: Mapping[Id, Value], there: dict[Id, Value], change: Callable[[Id, Value], object], failed: str
) -> None:
    """Change what is not `there` as it is wanted, and forget what is not wanted. What fails is logged (`failed`: a
    sentence about the id) and is tried again with the next change."""
    for id in set(there) - set(wanted):
        del there[id]
    for id, value in wanted.items():
        if id in there and there[id] == value:
            continue
        try:
            change(id, value)
        except Exception as error:
            cloud.say(f"{failed.format(id)}: {type(error).__name__}: {error}")
        else:
            there[id] = value


def sources(data: Json, listed: list[Json]) -> tuple[str, ...] | None:
    """The addresses that the rules of a managed database let in; None: it has no rules, and lets in every one."""
    if not listed:
        return None
    found = {rule["value"] for rule in listed if rule["type"] == "ip_addr"}
    for droplet in data["droplets"].values():
        if any(rule["value"] in (str(droplet["id"]), *droplet["tags"]) for rule in listed):
            found.add(droplet["private_ip"])
    return tuple(sorted(found))


def forget(cloud: Cloud, droplet_id: int) -> None:
    """A droplet goes down: its rules are set again when it is up."""
    with cloud.firewall_lock:
        cloud.applied.pop(droplet_id, None)
