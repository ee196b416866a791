"""Which address comes next. Addresses go round, so that a new droplet has another one than the last, as in reality."""

from __future__ import annotations

import ipaddress

from localcloud.cloud.api import Cloud
from localcloud.cloud.errors import unprocessable
from localcloud.cloud.store import Json

# Offsets in the internet's network: below are other servers (.1 is the gateway), above are the reserved addresses.
PUBLIC, RESERVED = range(20, 200), range(200, 255)


def _next(data: Json, family: str, network: ipaddress.IPv4Network, offsets: range, taken: set[str]) -> str:
    last = data["next"].get(family, offsets.start - 1)
    start = last + 1 - offsets.start
    for step in range(len(offsets)):
        offset = offsets[(start + step) % len(offsets)]
        address = str(network[offset])
        if address not in taken:
            data["next"][family] = offset
            return address
    raise unprocessable(f"There is no free address left in {network}.")


def _machines(data: Json) -> list[Json]:
    return [*data["droplets"].values(), *data["balancers"].values()]


def public(cloud: Cloud, data: Json) -> str:
    """The address of a droplet or a load balancer on the internet."""
    return _next(data, "public", cloud.internet, PUBLIC, {one["public_ip"] for one in _machines(data)})


def private(data: Json, vpc: Json) -> str:
    """An address in a VPC, of a droplet, a load balancer or a database: from .2 on, the first is the gateway's."""
    network = ipaddress.IPv4Network(vpc["ip_range"])
    members = [*_machines(data), *data["databases"].values()]
    taken = {member["private_ip"] for member in members if member["vpc"] == vpc["id"]}
    return _next(data, f"private {vpc['id']}", network, range(2, network.num_addresses - 1), taken)


def reserved(cloud: Cloud, data: Json) -> str:
    """An address that can be moved between droplets."""
    return _next(data, "reserved", cloud.internet, RESERVED, set(data["reserved_ips"]))
