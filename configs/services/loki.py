"""Loki on the hub: one process, chunks on its own disk, TSDB index with schema v13, retention by the compactor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from configs import names
from configs.render.dump import to_yaml
from configs.services import bucket, loki_ring
from configs.services.context import Context
from configs.services.spec import (
    GB,
    File,
    HealthCheck,
    Network,
    Port,
    ScrapeJob,
    Service,
    ServiceSpec,
    Volume,
    restart_unless,
    rule_files,
    text,
)
from configs.units import prometheus_duration, show_size

if TYPE_CHECKING:
    from configs.settings import Settings
    from configs.settings.storage import Storage

SERVICE = Service(
    image="loki",
    licence="AGPL-3.0-only",
    limits="loki",
    memory=GB,
    cpus=1.0,
    jobs=("loki",),
)
CONFIG = "/etc/loki"
DATA = "/loki"
LIVE = "live"  # what Loki reads again by itself
RULES = f"{LIVE}/rules"
LIMITS = f"{LIVE}/limits.yml"
BEGIN = "2024-01-01"  # older than every line
RING_PORTS = (names.LOKI_GRPC_PORT, names.LOKI_GOSSIP_PORT)
TENANT = "fake"  # Loki's own name for the one tenant there is without authentication


def specs(context: Context) -> list[ServiceSpec]:
    """Loki of the hub."""
    # With the bucket already while it is prepared: the change to it then restarts this container with its key there.
    stored = context.settings.hub.storage.bucket is not None
    return [
        ServiceSpec(
            role="loki",
            service=SERVICE,
            limits=context.hub_limits(SERVICE),
            config_dir=CONFIG,
            files={
                "loki.yml": _config(context),
                LIMITS: text(host_limits(context.settings)),
                **rule_files(f"{RULES}/{TENANT}", context.log_rules),
            },
            check=("/usr/bin/loki", f"-config.file={CONFIG}/loki.yml", "-verify-config=true"),
            # Loki reads changed rules and limits within a minute by itself, its configuration only at its start.
            reload=restart_unless(f"{LIVE}/"),
            secrets=bucket.credentials(context.settings) if stored else {},
            environment=bucket.ENVIRONMENT if stored else (),
            command=tuple(command()),
            volumes={"loki": Volume(DATA, durable=True)},
            binds=context.nodes_file,
            networks=(Network("hub"),),
            ports=tuple(Port(port, port, "nodes") for port in RING_PORTS) if context.node else (),
            # The image has neither a shell nor wget; since 3.7 the program checks itself (grafana/loki#20313).
            health=HealthCheck(("/usr/bin/loki", "-health")),
            stop_timeout=60,
            scrape=ScrapeJob(name="loki", interval=context.edge.scrape.hub, port=names.LOKI_PORT, series=2380),
        )
    ]


def _config(context: Context) -> File:
    settings = context.settings
    if not settings.hub.storage.lines_in_bucket:
        return text(config(settings))
    if not context.node:
        return bucket.file(settings, lambda place: config(settings, bucket.loki(place)))
    return bucket.late_file(
        settings,
        lambda place, late: config(settings, bucket.loki(place), loki_ring.sections(context, late.private)),
        needs=("private",),
    )


def config(settings: Settings, s3: Mapping[str, Any] | None = None, ring: loki_ring.Sections | None = None) -> str:
    """loki.yml. Lines are taken as old as they are kept: a log agent's first look reads Docker's files whole.

    `s3`: the bucket that chunks and index are or were in. Without one they are on the hub's disk. `ring`: what a node
    of a cluster has besides.
    """
    return to_yaml(loki_ring.merged(_sections(settings, s3), ring or {}), "Loki of the hub, rendered by fleetwatch")


def _sections(settings: Settings, s3: Mapping[str, Any] | None) -> dict[str, Any]:
    hub, limits = settings.hub, settings.hub.loki
    kind = "filesystem" if s3 is None else "s3"
    storage = s3 or {"chunks_directory": f"{DATA}/chunks", "rules_directory": f"{DATA}/rules"}
    both = hub.storage.logs_since is not None or hub.storage.logs_until is not None
    on_disk = {"storage_config": {"filesystem": {"directory": f"{DATA}/chunks"}}} if both else {}
    return {
        "auth_enabled": False,
        "analytics": {"reporting_enabled": False},
        "server": {
            "http_listen_port": names.LOKI_PORT,
            "grpc_listen_port": names.LOKI_GRPC_PORT,
            "log_level": "warn",
            "http_server_read_timeout": "60s",
        },
        "common": {
            "path_prefix": DATA,
            "replication_factor": 1,
            "ring": {"instance_addr": "127.0.0.1", "kvstore": {"store": "inmemory"}},
            "storage": {kind: storage},
        },
        "schema_config": {"configs": _periods(hub.storage, kind)},
        **on_disk,
        # Lines of one stream may arrive out of order by half of the chunk age; edges send in order, so the default
        # of two hours is enough for every budget.
        "ingester": {
            "chunk_idle_period": "30m",
            "max_chunk_age": "2h",
            "flush_check_period": f"{names.LOKI_FLUSH_CHECK}s",
            "wal": {"dir": f"{DATA}/wal"},
        },
        "compactor": {
            "working_directory": f"{DATA}/compactor",
            "retention_enabled": True,
            "delete_request_store": kind,
        },
        "limits_config": {
            "retention_period": prometheus_duration(hub.retention.logs),
            "reject_old_samples": True,
            "reject_old_samples_max_age": prometheus_duration(max(hub.outage_budget + 3600, hub.retention.logs)),
            "ingestion_rate_mb": _mb(limits.ingestion_rate),
            "ingestion_burst_size_mb": _mb(limits.ingestion_burst),
            "per_stream_rate_limit": show_size(limits.stream_rate),
            "per_stream_rate_limit_burst": show_size(limits.stream_rate * 4),
            "max_global_streams_per_user": limits.max_streams,
            "use_owned_stream_count": True,  # without it a host's limit is compared with the streams of all hosts
            "max_line_size": show_size(limits.max_line_size),
            "max_line_size_truncate": True,
            "allow_structured_metadata": True,
            "volume_enabled": True,
            # By the hour, Loki's default, a panel over 30 days is 720 queries: over a minute on a slow processor.
            "split_instant_metric_queries_by_interval": "24h",
            "deletion_mode": "disabled",  # retention alone deletes
            # Labels are exactly those of design.md: no label that Loki makes up.
            "discover_service_name": [],
            "discover_log_levels": False,
        },
        "runtime_config": {"file": f"{CONFIG}/{LIMITS}", "period": "10s"},
        "frontend": {"encoding": "protobuf"},
        # Alerts about lines. Rule files are read again every minute, without a restart; the API only shows them.
        "ruler": {
            "storage": {"type": "local", "local": {"directory": f"{CONFIG}/{RULES}"}},
            "rule_path": f"{DATA}/rules-read",
            "alertmanager_url": "http://" + names.address(settings.prefix, "alertmanager", names.ALERTMANAGER_PORT),
            "enable_api": True,
        },
    }


def _periods(storage: Storage, kind: str) -> list[dict[str, Any]]:
    """On the disk, then in the bucket, then on the disk again; of these what the hub went through."""
    since, until = storage.logs_since, storage.logs_until
    first = [_period(BEGIN, kind)] if since is None else [_period(BEGIN, "filesystem"), _period(since, kind)]
    return first if until is None else [*first, _period(until, "filesystem")]


def _period(since: str, kind: str) -> dict[str, Any]:
    """Where the lines from this day on are, and how they are indexed."""
    return {
        "from": since,
        "store": "tsdb",
        "object_store": kind,
        "schema": "v13",
        "index": {"prefix": "index_", "period": "24h"},
    }


def host_limits(settings: Settings) -> str:
    """Each host's own limit of streams, by a policy with its name: too many on one host cost no other host a line, nor
    the streams that it has already. Loki's counter of discarded lines has the policy as a label."""
    hosts = sorted(settings.edges)
    limits = {
        "policy_stream_mapping": {host: [{"selector": f'{{host="{host}"}}', "priority": 1}] for host in hosts},
        "policy_override_limits": {
            host: {"max_global_streams_per_user": settings.edges[host].logs.max_streams} for host in hosts
        },
    }
    return to_yaml({"overrides": {TENANT: limits}}, "Loki's limits of each host, rendered by fleetwatch")


def command() -> list[str]:
    """Arguments of the container."""
    return [f"-config.file={CONFIG}/loki.yml", "-target=all"]


def _mb(size: int) -> float:
    return round(size / 1024**2, 3)
