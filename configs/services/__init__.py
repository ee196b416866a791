"""The services: which there are, and what is derived from them. A new one is a module here and a line below.

The order is that of the scrape jobs and of every list that people see; what depends on others is started after them
whatever the order (`depends_on`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from configs.services import (
    agent,
    alertmanager,
    alloy,
    caddy,
    cadvisor,
    grafana,
    loki,
    node_exporter,
    postgres_exporter,
    prometheus,
    promtail,
    sql_exporter,
)
from configs.services.spec import Context, ScrapeJob, Service, ServiceSpec

if TYPE_CHECKING:
    from configs.settings import Settings


class ServiceModule(Protocol):
    """What a module of this package has."""

    SERVICE: Service

    def specs(self, context: Context) -> list[ServiceSpec]:
        """The containers of this service on one host: none where the settings do not ask for it."""


HUB: tuple[ServiceModule, ...] = (prometheus, loki, grafana, caddy, alertmanager)
EDGE: tuple[ServiceModule, ...] = (
    node_exporter,
    cadvisor,
    agent,
    promtail,
    alloy,
    postgres_exporter,
    sql_exporter,
)

HUB_JOBS: tuple[str, ...] = tuple(job for module in HUB for job in module.SERVICE.jobs)
RESERVED_JOBS: frozenset[str] = frozenset(job for module in (*HUB, *EDGE) for job in module.SERVICE.jobs)
IMAGE_KEYS: tuple[str, ...] = tuple(dict.fromkeys(module.SERVICE.image for module in (*HUB, *EDGE)))
SERIES_OF_APP = 300  # estimated series of a user's own app; not measured


def limit_defaults(modules: Sequence[ServiceModule]) -> dict[str, tuple[int, float]]:
    """Memory in bytes and cores by the key that services have under `limits`."""
    return {module.SERVICE.limits: (module.SERVICE.memory, module.SERVICE.cpus) for module in modules}


def hub_specs(context: Context) -> list[ServiceSpec]:
    """The hub's containers."""
    return [spec for module in HUB for spec in module.specs(context)]


def edge_specs(context: Context) -> list[ServiceSpec]:
    """The containers of a host's edge."""
    known = replace(context, jobs=service_jobs(context))
    return [spec for module in EDGE for spec in module.specs(known)]


def service_jobs(context: Context) -> tuple[ScrapeJob, ...]:
    """What the agent of this host scrapes of our services, each with its target."""
    specs = [spec for module in EDGE for spec in module.specs(context)]
    specs += hub_specs(context) if context.is_hub else []
    return tuple(
        replace(spec.scrape, target=spec.scrape.target or context.address(spec.role, spec.scrape.port))
        for spec in specs
        if spec.scrape is not None
    )


def scrape_jobs(settings: Settings, name: str) -> dict[str, int]:
    """Jobs of which the hub has an `up` for this host, each with its interval in seconds, in the order of the table."""
    apps = settings.edges[name].apps
    return {
        **{job.name: job.interval for job in service_jobs(Context(settings=settings, name=name))},
        **{app: found.interval for app, found in sorted(apps.items())},
    }


def roles(settings: Settings, name: str) -> list[str]:
    """The roles of the containers that run on this host."""
    context = Context(settings=settings, name=name)
    return [spec.role for spec in [*(hub_specs(context) if context.is_hub else []), *edge_specs(context)]]


def durable_volumes(settings: Settings) -> list[str]:
    """The volumes of the hub that have to survive its host, without the prefix of their names."""
    specs = hub_specs(Context(settings=settings, name="hub"))
    return sorted(name for spec in specs for name, volume in spec.volumes.items() if volume.durable)


def samples_per_second(settings: Settings) -> float:
    """An estimate of what the hub takes in."""
    rates: list[float] = []
    for name, edge in settings.edges.items():
        rates += [job.series / job.interval for job in service_jobs(Context(settings=settings, name=name))]
        rates += [SERIES_OF_APP / app.interval for app in edge.apps.values()]
    return sum(rates)


def by_role(specs: Sequence[ServiceSpec]) -> Mapping[str, ServiceSpec]:
    """The same by role."""
    return {spec.role: spec for spec in specs}
