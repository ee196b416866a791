"""Rules about how hosts push to the hub, and about the networks that this needs."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from configs import names
from configs.settings import Settings
from configs.settings.model import host_path
from configs.settings.places import private


def problems(settings: Settings) -> Iterator[str]:
    """Each with its path. A hub on this machine has no other hosts (addresses.py)."""
    if settings.hub.local is None:
        yield from _private_pushes(settings)
        yield from _private_networks(settings)
    yield from _subnets(settings)
    yield from _covered_addresses(settings)
    yield from _own_networks(settings)


def _private_pushes(settings: Settings) -> Iterator[str]:
    hub = settings.hub
    for name, host in settings.others.items():
        if host.via != "vpc":
            continue
        if hub.server is not None and hub.server.private_address is None:
            yield (
                f"hosts.{name}.via: expected internet, the hub has no private address; if it has one, set "
                "hub.server.private_address"
            )
        elif host.server and host.server.private_address is None:
            yield (
                f"hosts.{name}.via: expected internet, the server is not known to be in the hub's private network; if "
                f"it is, set hosts.{name}.server.private_address"
            )
        elif host.droplet and host.droplet.region not in (None, settings.region):
            yield (
                f"hosts.{name}.via: expected internet for a droplet in {host.droplet.region}, "
                f"the private network is in {settings.region}"
            )


def _private_networks(settings: Settings) -> Iterator[str]:
    """The firewall of a hub droplet lets it reach its own private network, and no other."""
    if settings.hub.droplet is None or settings.cloud.range is None:
        return
    for name, host in settings.others.items():
        server = host.server
        if server is None or server.private_address is None:
            continue
        through_the_hub = private(server.address) and server.bastion is None
        outside = ipaddress.ip_address(server.private_address) not in ipaddress.ip_network(settings.cloud.range)
        if outside and (through_the_hub or host.via == "vpc"):
            key = "address" if private(server.address) else "private_address"
            yield (
                f"hosts.{name}.server.{key}: expected an address in cloud.range ({settings.cloud.range}), got "
                f"{server.private_address}; a server elsewhere needs a public address or a bastion, and via: internet"
            )


def _subnets(settings: Settings) -> Iterator[str]:
    if settings.cloud.range is None or not settings.droplets:
        return
    own = ipaddress.ip_network(settings.cloud.range)
    for host, edge in settings.edges.items():
        if own.overlaps(ipaddress.ip_network(edge.subnet)):
            yield f"hosts.{host}.subnet: expected a network outside cloud.range ({own}), got {edge.subnet}"


def _covered_addresses(settings: Settings) -> Iterator[str]:
    """A host sends what it has for an address in its edge's subnet to its own containers. That matters for its own
    addresses, for those of the hub, and on the hub for those of every host."""
    for host, edge in settings.edges.items():
        subnet = ipaddress.ip_network(edge.subnet)
        for name, other in settings.hosts.items():
            server = other.server
            if server is None or (name != host and "hub" not in (name, host)):
                continue
            for key, address in (("address", server.address), ("private_address", server.private_address)):
                if address is not None and private(address) and ipaddress.ip_address(address) in subnet:
                    yield (
                        f"hosts.{host}.subnet: expected a network without {address} ({host_path(name)}.server.{key}), "
                        f"got {edge.subnet}; choose a different network"
                    )
                    break


def _own_networks(settings: Settings) -> Iterator[str]:
    """Containers of an edge would be disconnected from them when the entry is removed."""
    own = (names.edge_network(settings.prefix), names.hub_network(settings.prefix))
    for host, edge in settings.edges.items():
        for index, network in enumerate(edge.networks):
            if network in own:
                yield (
                    f"hosts.{host}.networks.{index}: `{network}` is a network of fleetwatch itself, expected networks "
                    "of your apps only; remove this entry"
                )
