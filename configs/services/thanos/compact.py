"""Thanos Compact: merges blocks in the bucket, thins them out, deletes what is older than it is kept."""

from __future__ import annotations

from configs.metrics_store import COMPACT
from configs.services.context import Context
from configs.services.spec import MB, ServiceSpec
from configs.services.thanos import DATA, REPLICA, part, service
from configs.units import prometheus_duration

SERVICE = service(COMPACT, 512 * MB, 0.5)


def specs(context: Context) -> list[ServiceSpec]:
    """The one Compact of a hub with a bucket, also of a cluster; two of one bucket would damage it. Its volume is a
    working folder.

    Blocks with late samples overlap others, so it has to merge those too ("vertical compaction").
    """
    keep = context.settings.hub.storage.keep
    arguments = (
        "--wait",
        f"--data-dir={DATA}",
        "--compact.enable-vertical-compaction",
        f"--deduplication.replica-label={REPLICA}",
        f"--retention.resolution-raw={prometheus_duration(keep.raw)}",
        f"--retention.resolution-5m={prometheus_duration(keep.five_minutes)}",
        f"--retention.resolution-1h={prometheus_duration(keep.one_hour)}",
    )
    return part(context, COMPACT, SERVICE, arguments, series=450, grpc=False)
