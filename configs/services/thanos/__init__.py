"""Thanos, one container for each of its parts: what takes the place of Prometheus on a hub with a bucket.

All are of one image, which has no folder that its user owns: a new volume is root's, so they run as root without any
capability, on a read-only root file system.
"""

from __future__ import annotations

from configs import metrics_store, names
from configs.metrics_store import in_bucket
from configs.services import bucket
from configs.services.context import Context
from configs.services.spec import (
    RESTART,
    File,
    HealthCheck,
    Network,
    Port,
    ScrapeJob,
    Service,
    ServiceSpec,
    Volume,
    http_check,
)

IMAGE, LICENCE = "thanos", "Apache-2.0"
CONFIG, DATA = "/etc/thanos", "/data"
OBJSTORE = "objstore.yml"
ROOT = "0:0"
# The labels of blocks, by which those of one hub or node are known, and the label of what one Rule of several has
# recorded; Query removes them from every answer.
REPLICA, TENANT, RULE_REPLICA = "replica", "tenant_id", "rule_replica"


def service(role: str, memory: int, cpus: float) -> Service:
    """What is known of a part without settings."""
    return Service(image=IMAGE, licence=LICENCE, limits=role.replace("-", "_"), memory=memory, cpus=cpus, jobs=(role,))


def part(
    context: Context,
    role: str,
    service: Service,
    arguments: tuple[str, ...],
    *,
    series: int,
    files: dict[str, File] | None = None,
    port: int = names.THANOS_PORT,
    objects: bool = True,
    grpc: bool = True,
    durable: bool = False,
    after: tuple[str, ...] = (),
    check: tuple[str, ...] = (),
    check_online: bool = False,
    reload: str = RESTART,
    stop_timeout: int = 60,
    published: int = 0,
) -> list[ServiceSpec]:
    """The container of one part, if the hub has a bucket and this host the part. `objects`: it reads or writes the
    bucket; `durable`: its folder holds what is nowhere else. `published`: the port of a node at which the other nodes
    ask it for data. What is read at the start alone, such as the key of the bucket, needs the usual `reload`."""
    if not in_bucket(context.settings) or role not in metrics_store.roles(context.settings, context.name):
        return []
    # Who asks others or writes to them knows them by name.
    peers = published or not objects
    stored = {OBJSTORE: bucket.file(context.settings, bucket.objstore)} if objects else {}
    located = (f"--objstore.config-file={CONFIG}/{OBJSTORE}",) if objects else ()
    return [
        ServiceSpec(
            role=role,
            service=service,
            limits=context.hub_limits(service),
            config_dir=CONFIG,
            files={**stored, **(files or {})},
            secrets=bucket.credentials(context.settings) if objects else {},
            environment=bucket.ENVIRONMENT if objects else (),
            user=ROOT,
            command=(role.removeprefix("thanos-"), *arguments, *located, *common(port, grpc)),
            check=check,
            check_online=check_online,
            reload=reload,
            volumes={role: Volume(DATA, durable=durable)},
            binds=context.nodes_file if peers else {},
            networks=(Network("hub"),),
            ports=(Port(names.THANOS_GRPC_PORT, published, "nodes"),) if published and context.node else (),
            depends_on=after,
            health=_health(port),
            ready=http_check(f"http://127.0.0.1:{port}/-/ready").argv,
            stop_timeout=stop_timeout,
            scrape=ScrapeJob(name=role, interval=context.edge.scrape.hub, port=port, series=series),
        )
    ]


def _health(port: int) -> HealthCheck:
    return http_check(f"http://127.0.0.1:{port}/-/healthy")


def common(port: int, grpc: bool) -> tuple[str, ...]:
    """Arguments of every part. `grpc`: other parts ask it for data."""
    asked = (f"--grpc-address=0.0.0.0:{names.THANOS_GRPC_PORT}", "--grpc-grace-period=5s") if grpc else ()
    return (
        f"--http-address=0.0.0.0:{port}",
        "--http-grace-period=5s",
        *asked,
        "--log.level=warn",
        "--enable-auto-gomemlimit",
    )
