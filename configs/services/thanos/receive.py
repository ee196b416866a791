"""Thanos Receive: takes remote write, keeps the newest samples on the hub's disk, uploads blocks to the bucket."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from configs import names
from configs.metrics_store import RECEIVE
from configs.services.context import Context
from configs.services.prometheus import out_of_order_window
from configs.services.spec import MB, ServiceSpec, restart_unless, text
from configs.services.thanos import CONFIG, DATA, OBJSTORE, REPLICA, TENANT, part, service
from configs.units import prometheus_duration

if TYPE_CHECKING:
    from configs.settings import Settings

SERVICE = service(RECEIVE, 1280 * MB, 1.0)
HASHRINGS = "hashrings.json"
LOCAL = 3 * 86400  # seconds
BLOCK = 7200  # seconds
# Whether the bucket answers to the key: a wrong one would show hours later, when the first block is due. Of an error
# the first line: Thanos adds its own call stack.
CHECK = (
    "sh",
    "-c",
    f"output=$(thanos tools bucket ls --objstore.config-file={CONFIG}/{OBJSTORE} --timeout=1m 2>&1) && exit 0; "
    r"""reason=$(printf '%s\n' "$output" | sed -n 's/\\n.*//; s/.*err="//p' | head -n 1); """
    r"""printf 'the bucket cannot be listed with its key: %s\n' "${reason:-$output}"; exit 1""",
)


def specs(context: Context) -> list[ServiceSpec]:
    """The one Receive of a hub with a bucket; of a cluster that of each node."""
    return part(
        context,
        RECEIVE,
        SERVICE,
        (*arguments(context), *_ring(context)),
        series=900,
        files={HASHRINGS: text(hashrings(context))} if context.node else {},
        published=names.THANOS_GRPC_PORT,
        durable=True,
        check=CHECK,
        check_online=True,
        reload=restart_unless(HASHRINGS),  # which it reads again by itself
        stop_timeout=120,
    )


def _ring(context: Context) -> tuple[str, ...]:
    """Each sample goes to all nodes, and is written once two have it."""
    if not context.node:
        return ()
    return (
        f"--receive.replication-factor={len(context.settings.hub.nodes)}",
        f"--receive.hashrings-file={CONFIG}/{HASHRINGS}",
        f"--receive.local-endpoint={endpoint(context.node)}",
    )


def endpoint(node: str) -> str:
    """Where the Receive of a node takes what the others pass on."""
    return f"{names.node(node)}:{names.THANOS_GRPC_PORT}"


def hashrings(context: Context) -> str:
    """The file with the nodes, which Receive reads again when it changes. By name: the same on every node, also while
    one has a new address."""
    ring = {"algorithm": "ketama", "endpoints": [endpoint(node) for node in context.settings.hub.nodes.values()]}
    return json.dumps([ring], indent=2) + "\n"


def local(settings: Settings) -> int:
    """Seconds that blocks stay on the hub's disk, uploaded or not: so long an outage of the bucket costs nothing."""
    return max(LOCAL, 2 * settings.hub.outage_budget)


def retention(settings: Settings) -> int:
    """The same in the command of Receive; 0: without an end."""
    # Thanos 0.42 prunes tenants at the minutes of the day that two blocks divide, also while it opens their databases,
    # and panics then: with the short blocks of a rehearsal at every start. Without a retention it does not prune.
    return local(settings) if settings.hub.metrics_block >= BLOCK else 0


def arguments(context: Context) -> tuple[str, ...]:
    """A block is uploaded as soon as it is complete."""
    hub = context.settings.hub
    block = prometheus_duration(hub.metrics_block)
    return (
        f"--tsdb.path={DATA}",
        f"--tsdb.retention={prometheus_duration(retention(context.settings))}",
        f"--tsdb.min-block-duration={block}",
        f"--tsdb.max-block-duration={block}",
        f"--tsdb.out-of-order.time-window={prometheus_duration(out_of_order_window(context.settings))}",
        f"--remote-write.address=0.0.0.0:{names.RECEIVE_PORT}",
        f'--label={REPLICA}="{context.node or context.settings.prefix}"',
        f"--receive.tenant-label-name={TENANT}",
    )
