"""The input of one host's specs, and what all specs of services that push to the hub have in common."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from configs import names
from configs.services.spec import File, Network, ScrapeJob, Service

if TYPE_CHECKING:
    from configs.settings import Edge, Host, Settings


@dataclass(frozen=True, kw_only=True)
class Context:
    """The input of one host's specs. Pure: nothing in it was read from a machine.

    `base`: the folder on the host for rendered files. Other parts of configs render the rest: rule files by name as
    functions of Grafana's address, dashboards and the assistant's catalogue as functions without arguments, and
    `metrics_size`, the bytes that the metrics may take on the hub's disk.
    """

    settings: Settings
    name: str
    base: str = f"{names.FILES}/fleetwatch"
    docker_socket: str = "/var/run/docker.sock"
    rules: Mapping[str, Callable[[str], str]] = field(default_factory=dict)
    log_rules: Mapping[str, Callable[[str], str]] = field(default_factory=dict)
    dashboards: Mapping[str, Callable[[], str]] = field(default_factory=dict)
    catalogue: Callable[[], str] = str
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
    def jobs(self) -> tuple[ScrapeJob, ...]:
        """The agent's scrape jobs for our services, each with its target."""
        return self.settings.jobs[self.name]

    @property
    def is_hub(self) -> bool:
        """Whether the hub runs on this host."""
        return self.name in self.settings.hub.hosts

    @property
    def node(self) -> str:
        """The name of this node of a cluster; empty on a host that is none."""
        return self.settings.hub.nodes.get(self.name, "")

    @property
    def is_first(self) -> bool:
        """Whether what a hub has once, also one of several nodes, is on this host."""
        return self.name == "hub"

    @property
    def peers(self) -> tuple[str, ...]:
        """The other nodes of a cluster."""
        return tuple(node for node in self.settings.hub.nodes.values() if node != self.node) if self.node else ()

    @property
    def nodes_file(self) -> dict[str, str]:
        """The mount of the hosts file with the names of all nodes, in the containers that reach them; none without a
        cluster. A node with another address changes this file, and no container of another node."""
        return {f"{self.base}/{names.NODES}/hosts": "/etc/hosts"} if self.node else {}

    @property
    def hub_by_address(self) -> bool:
        """Whether a hosts file of ours resolves the hub's name, because it has no DNS record."""
        return not self.is_hub and (self.host.via == "vpc" or self.settings.hub.domain == names.NO_DOMAIN)

    @property
    def push_url(self) -> str:
        """The hub as this edge reaches it, without a path: always by a name. With an address in it, a hub that gets
        another one would cost the backlog, because another URL is another queue, which begins with the present."""
        hub = self.settings.hub
        if self.host.via == "internet":
            return f"https://{hub.domain}"
        if self.is_hub:
            return f"http://{self.address('caddy', names.CADDY_PUSH_PORT)}"
        return f"http://{names.NO_DOMAIN}:{hub.ports.push}"

    @property
    def dials(self) -> dict[str, str]:
        """Of a host that knows the addresses of several nodes: where one does not answer, it goes on to the next after
        7 s. Linux' own limit is 127 s, and the agents have none: Go's transport dials without that of the request."""
        many = self.hub_by_address and self.host.via == "vpc" and self.settings.hub.nodes
        return {"net.ipv4.tcp_syn_retries": "2"} if many else {}

    @property
    def gateway(self) -> str:
        """The host's address on the edge's network."""
        return str(next(ipaddress.ip_network(self.edge.subnet).hosts()))

    @property
    def host_names(self) -> dict[str, str]:
        """Names of a container's hosts file by which it reaches the host itself: at the edge network's gateway, which
        every host has. Docker's own `host-gateway` is the address of a bridge that a host may be without."""
        return {names.DOCKER_HOST: self.gateway}

    @property
    def project(self) -> str:
        """The folder of the edge's Compose project on the host."""
        return f"{self.base}/{names.PROJECT}"

    @property
    def hosts_file(self) -> str:
        """The path of the hosts file on the host.

        A changed address in it keeps the agent's backlog; a changed push URL would start a new queue.
        """
        return f"{self.project}/hosts"

    def address(self, role: str, port: int) -> str:
        """A container's address on our networks, such as fleetwatch-loki:3100."""
        return names.address(self.settings.prefix, role, port)

    @property
    def alertmanagers(self) -> tuple[str, ...]:
        """The URLs of all Alertmanagers, the own first: they do not pass alerts on to each other."""
        port = names.ALERTMANAGER_PORT
        own = f"http://{self.address('alertmanager', port)}"
        return (own, *(f"http://{names.node(peer)}:{port}" for peer in self.peers))

    def edge_limits(self, service: Service) -> tuple[int, float]:
        """Memory in bytes and cores of a service of this edge."""
        return self.edge.limits.of(service.limits)

    def hub_limits(self, service: Service) -> tuple[int, float]:
        """Memory in bytes and cores of a service of the hub."""
        return self.settings.hub.limits.of(service.limits)


def pushing(context: Context, name: str, render: Callable[[Context], str]) -> dict[str, File]:
    """The configuration of a service that pushes to the hub, and the hub's CA if any."""
    once = cache(lambda: render(context))  # the text is taken twice: its size, and the text itself
    files = {name: File(lambda _: once())}
    if context.host.via == "internet" and context.settings.hub.own_ca:
        files[names.HUB_CA] = File(lambda late: late.hub_ca, needs=("hub_ca",))
    return files


def passwords(context: Context) -> dict[str, File]:
    """The files with this host's push passwords: the current one and, during a rotation, the previous one. None for a
    host that pushes over the private network."""
    if context.host.via != "internet":
        return {}
    rotation = context.host.rotation
    numbers = (rotation, rotation - 1) if rotation else (rotation,)
    return {name: _password(name) for name in map(names.password_file, numbers)}


def scrape_password() -> dict[str, File]:
    """The file with the password for targets that demand one. It crosses the host's bridge in clear at each scrape, so
    it is valid for nothing else."""
    return {names.SCRAPE_PASSWORD: _password(names.SCRAPE_PASSWORD)}


def _password(name: str) -> File:
    return File(lambda late: late.passwords[name], needs=("passwords",))


def pusher_networks(context: Context) -> tuple[Network, ...]:
    """The edge's network and, on the hub's host, the hub's network, which its Caddy is on."""
    return (Network("edge"), Network("hub")) if context.is_hub else (Network("edge"),)
