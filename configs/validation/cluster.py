"""Rules about a hub of three nodes. How its nodes are placed is checked with their form (configs/settings/nodes.py)."""

from __future__ import annotations

from collections.abc import Iterator

from configs import services
from configs.settings import Settings


def problems(settings: Settings) -> Iterator[str]:
    """Each with its path."""
    if not settings.hub.nodes:
        return
    taken = {port.host for port in services.node_ports(settings)}
    for name, port in settings.hub.ports:
        if port in taken:
            yield (
                f"hub.ports.{name}: port {port} is taken, at it the nodes of a cluster reach each other; choose a "
                "different one"
            )
