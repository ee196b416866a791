"""The hub on each of its hosts: one, or the three nodes of a cluster."""

from __future__ import annotations

import os
from dataclasses import replace

import pulumi

from components.fleet import Fleet
from components.hub import Hub, HubArgs
from components.late import LateValues
from components.nodes import Ring
from configs.deployment import FIRST_NODE
from configs.settings import Settings


def hubs(fleet: Fleet, args: HubArgs) -> dict[str, Hub]:
    """By host, the first first. The nodes of a cluster are changed one after the other, a broken one before the others:
    while it is down no other may be."""
    hub = args.settings.hub
    if (database := _database(fleet, args.settings)) is not None:
        args = replace(args, database=database)
    nodes = {node: fleet.hosts[host].private for host, node in hub.nodes.items()}
    ring = Ring(args.settings, fleet.nodes) if nodes else None
    made: dict[str, Hub] = {}
    for name in hub.hosts:
        host = fleet.hosts[name]
        first = made.get(hub.hosts[0])
        own = replace(args, host=host, first=first, nodes=nodes, ring=ring, **fleet.in_front)
        made[name] = Hub(name, own, pulumi.ResourceOptions(providers=[host.docker()]))
    for name in sorted(made, key=lambda name: name != os.environ.get(FIRST_NODE)):
        made[name].deploy()
    return made


def _database(fleet: Fleet, settings: Settings) -> LateValues | None:
    """How the nodes of a cluster reach the managed database; None where there is none to make."""
    shared = settings.hub.storage.shared
    if shared is None or shared.managed is None:
        return None
    from components.managed_database import ManagedDatabase  # imports DigitalOcean's SDK

    assert fleet.cloud is not None, "the nodes are droplets"
    return ManagedDatabase(settings, fleet.cloud, shared.managed).late
