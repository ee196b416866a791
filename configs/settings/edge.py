"""Settings of one edge: what it collects on its host."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from configs import services
from configs.log_paths import JOURNAL as JOURNAL
from configs.log_paths import fixed_folder as fixed_folder
from configs.settings.addresses import host_bits
from configs.settings.app import App
from configs.settings.base import (
    ContainerName,
    DnsLabel,
    JobName,
    Labels,
    Secret,
    Strict,
)
from configs.settings.dsn import postgres_dsn
from configs.settings.exporter import Exporter
from configs.settings.limits import ServiceLimits, service_limits
from configs.settings.logs import Logs
from configs.settings.probe import Probe
from configs.settings.text import NetworkName
from configs.settings.thresholds import HostAlerts
from configs.units import Interval, parse_duration

# RFC 1918. Others that Python calls private are this machine's, or mean no machine at all.
_PRIVATE = [ipaddress.IPv4Network(network) for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]
_DOCKER0 = ipaddress.IPv4Network("172.17.0.0/16")


# The labels that a deploy of these programs sets: Kamal (`Kamal::Configuration::Role`), a Swarm's engine, and Nomad's
# docker driver with `extra_labels`.
SERVICE_LABELS = [
    ["service", "role", "destination"],
    ["com.docker.swarm.service.name"],
    ["com.hashicorp.nomad.job_name", "com.hashicorp.nomad.task_group_name", "com.hashicorp.nomad.task_name"],
]


def _subnet(value: str) -> str:
    try:
        network = ipaddress.IPv4Network(value)
        ok = 16 <= network.prefixlen <= 28 and any(network.subnet_of(known) for known in _PRIVATE)
    except ValueError:
        ok = False
    if not ok:
        raise ValueError(
            f"expected a private IPv4 network between /16 and /28, such as 10.213.77.0/24{host_bits(value)}"
        )
    if network.overlaps(_DOCKER0):
        raise ValueError(f"expected a network outside {_DOCKER0}, Docker's default network on every host")
    return str(network)


class Postgres(Strict):
    """A PostgreSQL server, watched by a separate exporter, and its database, by queries. The DSN is a secret."""

    dsn: Annotated[Secret, AfterValidator(postgres_dsn)]


class Metrics(Strict):
    """Who collects the metrics. A Prometheus agent that restarts while the hub is down loses what it has not sent;
    `vmagent` keeps it on disk.

    `sample_rate`: the samples per second that are expected of a host. vmagent's queue may take the disk space of
    that rate for the `outage_budget`, at least 512 MB; beyond it the oldest samples are lost. Where it is given, the
    preview's estimates of the hub's memory and disk use it.
    """

    agent: Literal["prometheus", "vmagent"] = "prometheus"
    sample_rate: Annotated[int, Field(ge=1, le=1_000_000)] = 500


class Scrape(Strict):
    """Scrape intervals of the edge's own jobs."""

    node: Interval = parse_duration("15s")
    cadvisor: Interval = parse_duration("10s")
    postgres: Interval = parse_duration("15s")
    sql: Interval = parse_duration("1m")
    probes: Interval = parse_duration("30s")
    exporters: Interval = parse_duration("15s")
    agents: Interval = parse_duration("15s")
    hub: Interval = parse_duration("15s")


if TYPE_CHECKING:
    EdgeLimits = ServiceLimits
else:
    EdgeLimits = service_limits(
        "EdgeLimits", "Memory and CPU limits of the edge's containers.", services.limit_defaults(services.EDGE)
    )


class Edge(Strict):
    """What an edge collects on its host, wherever the host is.

    `subnet` is the edge's Docker network: the node exporter listens on its gateway address. The default lies outside
    the ranges from which Docker chooses by itself. `expected`: containers, by name, whose absence raises an alert at
    once, not only after they were seen. `service_labels`: the container labels that make a service where a deploy
    changes the names of containers, as Compose's labels do by themselves; each entry is one label or several.
    """

    networks: list[NetworkName] = []
    expected: list[ContainerName] = []
    service_labels: list[Labels] = Field(SERVICE_LABELS, description="those of Kamal, Swarm and Nomad")
    alerts: HostAlerts = HostAlerts()
    subnet: Annotated[str, AfterValidator(_subnet)] = "10.213.77.0/24"
    apps: dict[JobName, App] = {}
    postgres: dict[DnsLabel, Postgres] = {}
    probes: dict[DnsLabel, Probe] = {}
    exporters: dict[DnsLabel, Exporter] = {}
    metrics: Metrics = Field(Metrics(), description="those of the section `metrics`")
    logs: Logs = Logs()
    scrape: Scrape = Scrape()
    limits: EdgeLimits = EdgeLimits()

    @model_validator(mode="after")
    def _jobs(self) -> Edge:
        taken = sorted(set(self.apps) & services.RESERVED_JOBS)
        if taken:
            raise ValueError(
                f"apps: reserved job names: {', '.join(f'`{name}`' for name in taken)}; choose different names"
            )
        dotted = sorted(name for name, app in self.apps.items() if app.locked and "." in name)
        if dotted:
            raise ValueError(
                f"apps: {', '.join(f'`{name}`' for name in dotted)}: expected a name without a dot for an app with "
                "credentials, `make secret` divides a path at dots; rename it"
            )
        return self

    @property
    def discovered(self) -> set[str]:
        """The apps whose targets the agent finds by a name. A name may have no address yet: nothing waits for these."""
        return {name for name, app in self.apps.items() if app.dns is not None}

    @property
    def names_of_targets(self) -> list[str]:
        """The hosts of all apps, and the containers of databases, as they are called on the networks."""
        databases = [urlsplit(one.dsn.get_secret_value()).hostname or "" for one in self.postgres.values()]
        databases += [server.host.strip("[]") for server in self.exporters.values()]
        containers = {name for name in databases if "." not in name and ":" not in name}
        return sorted({*(host for app in self.apps.values() for host in app.hosts), *containers} - {""})


def log_folders(edge: Edge) -> set[str]:
    """Folders of the host that the log agent reads, besides Docker's."""
    return {fixed_folder(source.path) for source in edge.logs.files.values()} | set(
        JOURNAL if edge.logs.journal else ()
    )
