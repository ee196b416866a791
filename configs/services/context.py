"""What the specs of one host are made from, and what the specs of those that push have in common."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from configs import names
from configs.services.spec import File, Network, ScrapeJob, Service

if TYPE_CHECKING:
    from configs.settings import Edge, Host, Settings


@dataclass(frozen=True, kw_only=True)
class Context:
    """What the specs of one host are made from. Pure: nothing in it was read from a machine.

    `base`: the folder on the host for rendered files. `jobs`: what the agent scrapes of our services, each with its
    target. The rest is rendered by other parts of configs: rule files by name as functions of Grafana's address,
    dashboards as functions of nothing, and `metrics_size`, the bytes that the metrics may take on the hub's disk.
    """

    settings: Settings
    name: str
    base: str = "/var/lib/fleetwatch/fleetwatch"
    docker_socket: str = "/var/run/docker.sock"
    jobs: tuple[ScrapeJob, ...] = ()
    rules: Mapping[str, Callable[[str], str]] = field(default_factory=dict)
    log_rules: Mapping[str, Callable[[str], str]] = field(default_factory=dict)
    dashboards: Mapping[str, Callable[[], str]] = field(default_factory=dict)
    metrics_size: int = 0

    @property
    def host(self) -> Host:
        """Where this host is and how it reaches the hub."""
        return self.settings.hosts[self.name]

    @property
    def edge(self) -> Edge:
        """What is collected on this host."""
        return self.settings.edges[self.name]

    @property
    def is_hub(self) -> bool:
        """Whether the hub runs on this host."""
        return self.name == "hub"

    @property
    def hub_by_address(self) -> bool:
        """Whether the hub's name is in a hosts file of ours, because no DNS knows it."""
        return self.host.via == "vpc" and not self.is_hub

    @property
    def gateway(self) -> str:
        """The host's own address on the edge's network."""
        return str(next(ipaddress.ip_network(self.edge.subnet).hosts()))

    @property
    def hosts_file(self) -> str:
        """The hosts file, on the host. A changed address there costs no backlog: another URL would be another queue."""
        return f"{self.base}/hosts"

    def address(self, role: str, port: int) -> str:
        """A container's address on our networks, such as fleetwatch-loki:3100."""
        return names.address(self.settings.prefix, role, port)

    def edge_limits(self, service: Service) -> tuple[int, float]:
        """Memory in bytes and cores of a service of this edge."""
        return self.edge.limits.of(service.limits)

    def hub_limits(self, service: Service) -> tuple[int, float]:
        """Memory in bytes and cores of a service of the hub."""
        return self.settings.hub.limits.of(service.limits)


def pushing(context: Context, name: str, render: Callable[[str], str]) -> dict[str, File]:
    """The configuration of what pushes to the hub, by its URL, and the hub's own CA where it has one."""
    files = {name: File(lambda late: render(late.push_url), needs=("push_url",))}
    if context.host.via == "internet" and context.settings.hub.own_ca:
        files[names.HUB_CA] = File(lambda late: late.hub_ca, needs=("hub_ca",))
    return files


def passwords(context: Context) -> dict[str, File]:
    """The files with this host's passwords: while it is rotated, the one before too."""

    def file(name: str) -> File:
        return File(lambda late: late.passwords[name], needs=("passwords",))

    rotation = context.host.rotation
    numbers = (rotation, rotation - 1) if rotation else (rotation,)
    return {found: file(found) for found in map(names.password_file, numbers)}


def pusher_networks(context: Context) -> tuple[Network, ...]:
    """The edge's own network; beside the hub also the hub's, where its Caddy is."""
    return (Network("edge"), Network("hub")) if context.is_hub else (Network("edge"),)
