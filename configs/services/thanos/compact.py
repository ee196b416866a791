"""Thanos Compact: merges blocks in the bucket, thins them out, deletes what is older than it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from configs.metrics_store import COMPACT
from configs.services.context import Context
from configs.services.spec import MB, ServiceSpec
from configs.services.thanos import DATA, REPLICA, part, receive, service
from configs.units import prometheus_duration

if TYPE_CHECKING:
    from configs.settings import Settings

SERVICE = service(COMPACT, 512 * MB, 0.5)


def until(settings: Settings) -> int:
    """How old blocks are that are merged and thinned out, in seconds: older than what Receive still answers. Of one
    series Query gets raw samples and thinned ones of the same time otherwise, and takes the jumps between a counter and
    its thinned sum for restarts. 0: blocks of any age, with the short blocks of a rehearsal, which are never that old.
    """
    kept = receive.retention(settings)
    return kept + 3 * receive.BLOCK if kept else 0


def specs(context: Context) -> list[ServiceSpec]:
    """The one Compact of a hub with a bucket, also of a cluster; two of one bucket would damage it. Its volume is a
    working folder.

    Blocks with late samples overlap others, so it has to merge those too ("vertical compaction").
    """
    keep = context.settings.hub.storage.keep
    newest = until(context.settings)
    arguments = (
        "--wait",
        f"--data-dir={DATA}",
        "--compact.enable-vertical-compaction",
        *((f"--max-time=-{prometheus_duration(newest)}",) if newest else ()),
        f"--deduplication.replica-label={REPLICA}",
        f"--retention.resolution-raw={prometheus_duration(keep.raw)}",
        f"--retention.resolution-5m={prometheus_duration(keep.five_minutes)}",
        f"--retention.resolution-1h={prometheus_duration(keep.one_hour)}",
    )
    return part(context, COMPACT, SERVICE, arguments, series=450, grpc=False)
