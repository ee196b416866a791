"""What Loki's configuration has besides, and otherwise, on the nodes of a cluster.

Every node has all of Loki. Each line is on all three, written once two have it. Nodes find each other by gossip, at the
private address of each host: a container's own address leads nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from configs import names
from configs.services.context import Context

Sections = Mapping[str, Mapping[str, Any]]


def sections(context: Context, private: str) -> Sections:
    """By section of the configuration, the keys of it that are new or different. `private`: the host's address."""
    nodes = context.settings.hub.nodes.values()
    return {
        "common": {
            "replication_factor": len(nodes),
            "instance_addr": private,
            # Not the container's name, which is new with each container: the ring would have the old one as a node that
            # is away, and need it for its quorum.
            "ring": {"instance_id": context.node, "kvstore": {"store": "memberlist"}},
            "compactor_grpc_address": f"{names.node(context.settings.hub.nodes['hub'])}:{names.LOKI_GRPC_PORT}",
        },
        "memberlist": {
            "cluster_label": names.cloud(context.settings.prefix, context.settings.env),
            "bind_port": names.LOKI_GOSSIP_PORT,
            "join_members": [f"{names.node(node)}:{names.LOKI_GOSSIP_PORT}" for node in nodes],
            # Without it two halves that were cut from each other stay apart, and a name is resolved once.
            "rejoin_interval": "30s",
            # The first node starts while there is no other.
            "abort_if_cluster_join_fails": False,
        },
        # A node that is away keeps no other from being ready: the update would wait for it.
        "ingester": {"lifecycler": {"readiness_check_ring_health": False}},
        # Queries of this node are queued here. By the scheduler's ring some would wait for a node that is gone.
        "frontend_worker": {"frontend_address": f"127.0.0.1:{names.LOKI_GRPC_PORT}"},
        # One compactor for one index: it may be away for hours.
        "compactor": {"horizontal_scaling_mode": "main" if context.is_first else "worker"},
        "ruler": {"alertmanager_url": ",".join(context.alertmanagers)},
    }


def merged(config: Mapping[str, Any], more: Sections) -> dict[str, Any]:
    """The configuration with the keys of these sections."""
    return {
        **config,
        **{section: {**config.get(section, {}), **keys} for section, keys in more.items()},
    }
