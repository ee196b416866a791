"""The services: which there are, and what is derived from them. A new one is a module here and a line in HUB or EDGE,
or in DIRECT if it is a server of the user that the agent scrapes without a container of ours.

The order is that of the scrape jobs and of every list that people see.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from configs.services import thanos
from configs.services.context import Context
from configs.services.spec import Port, ScrapeJob, Service, ServiceSpec

if TYPE_CHECKING:
    from configs.settings import Settings


class ServiceModule(Protocol):
    """What a module of this package has."""

    SERVICE: Service

    def specs(self, context: Context) -> list[ServiceSpec]:
        """The containers of this service on one host: none where the settings do not ask for it."""


class JobModule(Protocol):
    """What a module of this package has whose targets are servers of the user."""

    JOB: str

    def jobs(self, context: Context) -> list[ScrapeJob]:
        """Its targets on one host, each with `users`."""


def _modules(*names: str) -> tuple[ServiceModule, ...]:
    """By name, so that a service is one line here; a test holds each module against ServiceModule."""
    return tuple(cast(ServiceModule, import_module(f"{__name__}.{name}")) for name in names)


HUB = _modules(
    "prometheus",
    "thanos.receive",
    "thanos.store",
    "thanos.compact",
    "thanos.query",
    "thanos.rule",
    "loki",
    "grafana",
    "caddy",
    "alertmanager",
    "backup",
    "ask_database",
    "ask_cache",
    "ask",
    "hub_database",
)
EDGE = _modules(
    "node_exporter",
    "cadvisor",
    "agent",
    "vmagent",
    "promtail",
    "alloy",
    "postgres_exporter",
    "sql_exporter",
    "blackbox_exporter",
    "exporters.redis",
    "exporters.mysql",
    "exporters.mongodb",
    "exporters.nginx",
    "exporters.memcached",
)
DIRECT: tuple[JobModule, ...] = (cast(JobModule, import_module(f"{__name__}.exporters.rabbitmq")),)

HUB_JOBS: tuple[str, ...] = tuple(job for module in HUB for job in module.SERVICE.jobs)
CLUSTER_JOBS = frozenset({"hub-database"})  # elsewhere an app of the user may have this name
# Without those that have an alert of their own, and are there only with a key of the stack file.
CORE_JOBS: tuple[str, ...] = tuple(job for job in HUB_JOBS if job not in {"ask", *CLUSTER_JOBS})
_JOBS = [*(job for module in (*HUB, *EDGE) for job in module.SERVICE.jobs), *(module.JOB for module in DIRECT)]
RESERVED_JOBS: frozenset[str] = frozenset(_JOBS) - CLUSTER_JOBS  # by every stack
IMAGE_KEYS: tuple[str, ...] = tuple(dict.fromkeys(module.SERVICE.image for module in (*HUB, *EDGE)))
# By image key. Services that share an image have its one licence.
LICENCES: dict[str, str] = {module.SERVICE.image: module.SERVICE.licence for module in (*HUB, *EDGE)}
# What is lost when a container that pushes is replaced, by its role.
LOST: dict[str, str] = {
    module.SERVICE.pushing.role: module.SERVICE.pushing.lost
    for module in (*HUB, *EDGE)
    if module.SERVICE.pushing is not None
}
SERIES_OF_APP = 300  # estimated series of a user's own app; not measured


def limit_defaults(modules: Sequence[ServiceModule]) -> dict[str, tuple[int, float]]:
    """Memory in bytes and cores by the key that services have under `limits`."""
    return {module.SERVICE.limits: (module.SERVICE.memory, module.SERVICE.cpus) for module in modules}


def _defaults(modules: Sequence[ServiceModule]) -> list[ServiceModule]:
    """Of services that exclude each other the first alone."""
    first: dict[str, ServiceModule] = {}
    for module in modules:
        first.setdefault(module.SERVICE.limits, module)
    return list(first.values())


# Without the image of a service that is not a default, also where another service has it too.
DEFAULT_IMAGES: tuple[str, ...] = tuple(
    image
    for image in IMAGE_KEYS
    if next(module for module in (*HUB, *EDGE) if module.SERVICE.image == image) in (*_defaults(HUB), *_defaults(EDGE))
)


def reserved_jobs(settings: Settings) -> frozenset[str]:
    """The jobs of a stack that no app of the user may have."""
    return RESERVED_JOBS | CLUSTER_JOBS if settings.hub.nodes else RESERVED_JOBS


def used_images(settings: Settings) -> list[str]:
    """Image keys of all containers of the stack, in the order of the registry; after a move back from a bucket also
    that of the program that copies from there."""
    used = {key for name in settings.edges for key in host_images(settings, name)}
    if settings.hub.storage.logs_until is not None:
        used.add(thanos.IMAGE)
    return [key for key in IMAGE_KEYS if key in used]


def host_images(settings: Settings, name: str) -> list[str]:
    """Image keys of the containers of a host, each once."""
    return list(dict.fromkeys(spec.service.image for spec in specs(settings, name)))


def specs(settings: Settings, name: str) -> list[ServiceSpec]:
    """All containers of a host."""
    context = Context(settings=settings, name=name)
    return [*(hub_specs(context) if context.is_hub else []), *edge_specs(context)]


def hub_specs(context: Context) -> list[ServiceSpec]:
    """The hub's containers."""
    return [spec for module in HUB for spec in module.specs(context)]


def edge_specs(context: Context) -> list[ServiceSpec]:
    """The containers of a host's edge."""
    return [spec for module in EDGE for spec in module.specs(context)]


def service_jobs(context: Context) -> tuple[ScrapeJob, ...]:
    """What the agent of this host scrapes besides apps, each with its target; `Settings.jobs` has it."""
    specs = [*edge_specs(context), *(hub_specs(context) if context.is_hub else [])]
    own = (
        replace(job, target=job.target or context.address(spec.role, job.port))
        for spec in specs
        for job in (spec.scrape, *spec.more_scrapes)
        if job is not None
    )
    return (*own, *(job for module in DIRECT for job in module.jobs(context)))


def scrape_jobs(settings: Settings, name: str) -> dict[str, int]:
    """Jobs of which the hub has an `up` for this host, each with its interval in seconds, in the order of the table."""
    apps = settings.edges[name].apps
    return {
        **{job.name: job.interval for job in settings.jobs[name]},
        **{app: found.interval for app, found in sorted(apps.items())},
    }


def users_jobs(settings: Settings, name: str) -> set[str]:
    """Those of them whose targets the user runs: an update does not fail if one is down."""
    return {*settings.edges[name].apps, *(job.name for job in settings.jobs[name] if job.users)}


def roles(settings: Settings, name: str) -> list[str]:
    """The roles of the containers that run on this host."""
    return [spec.role for spec in specs(settings, name)]


def node_ports(settings: Settings) -> list[Port]:
    """The ports at which the nodes of a cluster reach each other, each once; none without a cluster."""
    specs = (spec for name in settings.hub.nodes for spec in hub_specs(Context(settings=settings, name=name)))
    found = {(port.host, port.protocol): port for spec in specs for port in spec.ports if port.address == "nodes"}
    return [found[key] for key in sorted(found)]


def hub_ports(settings: Settings, *, private: bool) -> list[int]:
    """The ports that the hub publishes on one of its hosts. `private`: the host has a private address."""
    ports = settings.hub.ports
    push = [ports.push] if private else []
    return [ports.https, ports.http, ports.query, *push, *sorted({port.host for port in node_ports(settings)})]


def durable_volumes(settings: Settings) -> list[str]:
    """The volumes of the hub that have to survive its host, without the prefix of their names."""
    specs = hub_specs(Context(settings=settings, name="hub"))
    return sorted(name for spec in specs for name, volume in spec.volumes.items() if volume.durable)
