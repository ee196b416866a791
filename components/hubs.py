"""The hub on each of its hosts: one, or the three nodes of a cluster."""

from __future__ import annotations

import os
from dataclasses import replace

import pulumi

from components.fleet import Fleet
from components.hub import Hub, HubArgs
from components.nodes import Ring
from configs.deployment import FIRST_NODE


def hubs(fleet: Fleet, args: HubArgs) -> dict[str, Hub]:
    """By host, the first first. The nodes of a cluster are changed one after the other, a broken one before the others:
    while it is down no other may be."""
    hub = args.settings.hub
    nodes = {node: fleet.hosts[host].private for host, node in hub.nodes.items()}
    ring = Ring(args.settings, fleet.nodes) if nodes else None
    made: dict[str, Hub] = {}
    for name in hub.hosts:
        host = fleet.hosts[name]
        own = replace(args, host=host, first=made.get(hub.hosts[0]), nodes=nodes, ring=ring)
        made[name] = Hub(name, own, pulumi.ResourceOptions(providers=[host.docker()]))
    for name in sorted(made, key=lambda name: name != os.environ.get(FIRST_NODE)):
        made[name].deploy()
    return made
