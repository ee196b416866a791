"""Thanos Store: answers from the bucket."""

from __future__ import annotations

from configs.metrics_store import STORE
from configs.services.context import Context
from configs.services.spec import MB, ServiceSpec
from configs.services.thanos import DATA, part, service
from configs.units import prometheus_duration

SERVICE = service(STORE, 512 * MB, 0.5)
UNUSED = "15m"  # after which a block is ignored that was merged into another one; five of its looks at the bucket


def specs(context: Context) -> list[ServiceSpec]:
    """The one Store of a hub with a bucket; of a cluster that of each node. Its volume is a cache."""
    arguments = (
        f"--data-dir={DATA}",
        "--index-cache.config={type: IN-MEMORY, config: {max_size: 100MB, max_item_size: 10MB}}",
        "--chunk-pool-size=200MB",
        "--store.grpc.series-max-concurrency=4",
        # Not Thanos' 24 hours: raw blocks that were merged and thinned out would be answered beside the thinned ones.
        f"--ignore-deletion-marks-delay={UNUSED}",
        f"--sync-block-duration={prometheus_duration(min(180, context.settings.hub.metrics_block))}",
    )
    return part(context, STORE, SERVICE, arguments, series=550)
