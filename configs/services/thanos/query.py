"""Thanos Query: Prometheus' API over what Receive and Store have."""

from __future__ import annotations

from configs import names
from configs.metrics_store import QUERY, RECEIVE, RULE, STORE
from configs.services.context import Context
from configs.services.spec import MB, ServiceSpec
from configs.services.thanos import REPLICA, TENANT, part, service

SERVICE = service(QUERY, 512 * MB, 1.0)


def specs(context: Context) -> list[ServiceSpec]:
    """The one Query of a hub with a bucket. Without the bucket it still answers from what Receive has, with a warning
    in the answer."""
    endpoints = (f"--endpoint={context.address(role, names.THANOS_GRPC_PORT)}" for role in (RECEIVE, STORE, RULE))
    arguments = (
        *endpoints,
        *(f"--query.replica-label={label}" for label in (REPLICA, TENANT)),
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
