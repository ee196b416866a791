"""The hub on each of its hosts: one, or the three nodes of a cluster."""

from __future__ import annotations

from dataclasses import replace

import pulumi

from components.fleet import Fleet
from components.hub import Hub, HubArgs


def hubs(fleet: Fleet, args: HubArgs) -> dict[str, Hub]:
    """By host, the first first. Each node comes once the previous one answers: an update restarts one at a time."""
    nodes = {node: fleet.hosts[host].private for host, node in args.settings.hub.nodes.items()}
    made: dict[str, Hub] = {}
    for name in args.settings.hub.hosts:
        before = list(made.values())
        host = fleet.hosts[name]
        own = replace(args, host=host, first=before[0] if before else None, nodes=nodes, **fleet.in_front)
        options = pulumi.ResourceOptions(providers=[host.docker()], depends_on=before[-1:] or None)
        made[name] = Hub(name, own, options)
    return made
