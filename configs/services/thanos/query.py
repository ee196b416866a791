"""Thanos Query: Prometheus' API over what Receive and Store have."""

from __future__ import annotations

from configs import metrics_store, names
from configs.metrics_store import QUERY, RECEIVE, RULE, STORE
from configs.services.context import Context
from configs.services.spec import MB, ServiceSpec
from configs.services.thanos import REPLICA, RULE_REPLICA, TENANT, part, receive, service

SERVICE = service(QUERY, 512 * MB, 1.0)


def endpoints(context: Context) -> list[str]:
    """Where Query gets data: all of Thanos on its own host; of the other nodes their newest samples, and rules."""
    settings = context.settings
    has = metrics_store.roles(settings, context.name)
    own = [context.address(role, names.THANOS_GRPC_PORT) for role in (RECEIVE, STORE, RULE) if role in has]
    rules = metrics_store.rule_nodes(settings)
    return [
        *own,
        *(receive.endpoint(peer) for peer in context.peers),
        *(f"{names.node(peer)}:{names.RULE_GRPC_PORT}" for peer in context.peers if peer in rules),
    ]


def specs(context: Context) -> list[ServiceSpec]:
    """The one Query of a hub with a bucket; of a cluster that of each node. Without the bucket it still answers from
    what Receive has, with a warning in the answer."""
    arguments = (
        *(f"--endpoint={endpoint}" for endpoint in endpoints(context)),
        # A bucket may have blocks of three nodes from before a move. The default would leave samples out where it
        # changes from one replica to another.
        *(f"--query.replica-label={label}" for label in (REPLICA, TENANT, RULE_REPLICA)),
        "--deduplication.func=chain",
        "--query.auto-downsampling",
        # A total over the time range reads what is older than the raw samples. Coarser, Query would look back an hour
        # for each value, and silent hosts would seem to be there.
        "--query.instant.default.max_source_resolution=5m",
        "--query.max-concurrent=8",
        "--query.default-evaluation-interval=15s",
        "--store.response-timeout=30s",
        f"--alert.query-url=http://localhost:{context.settings.hub.ports.query}/",
    )
    return part(
        context,
        QUERY,
        SERVICE,
        arguments,
        series=700,
        port=names.PROMETHEUS_PORT,
        objects=False,
        after=(RECEIVE, STORE),
    )
