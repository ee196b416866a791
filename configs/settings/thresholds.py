"""Thresholds of alerts: defaults for the whole fleet, overrides for a host or one of its containers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from configs.settings.base import ContainerName, Strict
from configs.units import Duration, Size, parse_duration, parse_size

Share = Annotated[float, Field(gt=0, le=1)]
Count = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Thresholds(Strict):
    """Shares are between 0 and 1, rates are per second. Values of a host or a container override those of the fleet."""

    host_silent: Duration = Field(
        parse_duration("5m"), description="`5m` without a sample; HostSilent fires two minutes later"
    )
    host_first_sample: Duration = Field(
        parse_duration("20m"), description="`20m`: how long a new host may boot before HostSilent fires"
    )
    disk_full_in: Duration = Field(parse_duration("24h"), description="`24h`: at the pace of the last six hours")
    disk_used: Share = 0.9
    inodes_used: Share = 0.9
    memory_used: Share = 0.92
    load_per_core: Count = 2.0
    clock_skew: Count = Field(1.0, description="`1.0` seconds, by the kernel's own estimate or against the hub")
    network_errors: Share = Field(0.01, description="`0.01` of the packets")
    remote_write_behind: Duration = Field(parse_duration("2m"), description="`2m`: age of the newest sample at the hub")
    streams_used: Share = Field(0.8, description="`0.8` of hub.loki.max_streams")
    hub_disk_used: Share = Field(0.85, description="`0.85` of the disk that holds the logs; at 0.9 Loki takes no more")
    container_restarts: Count = Field(3, description="`3` starts in 15 minutes")
    container_memory: Share = Field(0.9, description="`0.9` of the container's limit")
    container_throttled: Share = Field(0.25, description="`0.25` of the periods in which it wanted to run")
    volume_used: Share = 0.9
    log_errors: Count = Field(1.0, description="`1.0` lines per second of level error or fatal, for 5 minutes")
    log_lines: Count = Field(1000.0, description="`1000.0` lines per second of one source, for 5 minutes")
    http_errors: Share = Field(0.05, description="`0.05` of the answers are 5xx")
    http_latency: Count = Field(1.0, description="`1.0` seconds for the slowest twentieth of the requests")
    http_few: Count = Field(
        20, description="`20` requests in five minutes; of fewer, neither share nor slowest is judged"
    )
    probe_duration: Count = Field(5.0, description="`5.0` seconds, the average of ten minutes")
    probe_certificate: Duration = Field(parse_duration("14d"), description="`14d` to the end of a certificate")
    postgres_connections: Share = Field(0.85, description="`0.85` of max_connections")
    postgres_transaction: Duration = parse_duration("30m")
    postgres_wraparound: Share = Field(0.5, description="`0.5` of the transaction ids that there are")
    postgres_lag: Duration = parse_duration("5m")
    postgres_retained_wal: Size = Field(parse_size("10GB"), description="`10GB` kept for one replication slot")
    redis_memory: Share = Field(0.9, description="`0.9` of maxmemory")
    mysql_connections: Share = Field(0.85, description="`0.85` of max_connections")
    mongodb_connections: Share = Field(0.85, description="`0.85` of the connections that the server accepts")
    memcached_connections: Share = Field(0.9, description="`0.9` of the limit of connections (option -c)")
    timescale_job_late: Duration = parse_duration("1h")
    timescale_uncompressed: Count = Field(4, description="`4` chunks that should have been compressed")
    timescale_aggregate_lag: Duration = Field(
        parse_duration("3d"), description="`3d` since the end of what a continuous aggregate holds"
    )


class Muted(Strict):
    """Muted alerts (by name, as in docs/runbooks; `all` for every alert), and overrides of thresholds."""

    mute: list[str] = []
    thresholds: Thresholds = Field(Thresholds(), description="the fleet's")


class HostAlerts(Muted):
    """The settings of a host; `containers` has those of single containers on it, by container name."""

    containers: dict[ContainerName, Muted] = {}


Severity = Literal["critical", "warning", "info"]
