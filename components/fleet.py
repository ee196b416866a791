"""The machines of a stack file, each as a host: where it is and how SSH reaches it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypedDict

import pulumi

from components.host import Host, host_options
from components.local_host import LocalHost
from components.nodes import AnyNode, sizes
from components.remote_host import Bastion, RemoteArgs, RemoteHost
from configs import ssh
from configs.metrics_store import reader
from configs.settings import Host as HostSettings
from configs.settings import Settings, places
from configs.settings.places import private
from configs.validation import CloudFacts

# DigitalOcean's SDK is a third of what the program imports: only a stack in the cloud imports it, where it needs it.
if TYPE_CHECKING:
    from components.cloud import Cloud
    from components.droplet import Droplet


class InFront(TypedDict):
    """What stands in front of the hub; see HubArgs."""

    entry: pulumi.Input[str] | None
    proxies: list[pulumi.Input[str]]


class Fleet:
    """Every host by its name; the hub first, because others may be reached through it.

    `images`: the references by image key. `facts` is what the cloud has (None: no droplets). Outputs besides:
    `in_front`, the `entry` and the `proxies` of HubArgs.
    """

    def __init__(self, settings: Settings, images: Mapping[str, str], facts: CloudFacts | None) -> None:
        self._settings = settings
        self._images = images
        self.cloud = _cloud(settings, facts)
        self.sizes = sizes(settings)
        self.hub = self._host("hub", settings.hosts["hub"], None)
        self.hosts: Mapping[str, Host] = {
            "hub": self.hub,
            **{name: self._host(name, host, self.hub) for name, host in settings.others.items()},
        }
        # The hosts of a cluster's nodes, the first first; none without a cluster.
        self.nodes = {name: host for name in settings.hub.nodes if isinstance(host := self.hosts[name], RemoteHost)}
        # Where the hub is queried during an update.
        self.gate: Host | AnyNode = AnyNode(self.nodes, reader(settings)) if self.nodes else self.hub

    @property
    def in_front(self) -> InFront:
        """The load balancer: of a cluster of droplets it connects from their network."""
        if self.cloud is not None and self.cloud.balancer is not None:
            return {"entry": self.cloud.balancer.ip, "proxies": [self.cloud.range]}
        own = self._settings.hub.balancer
        return {"entry": own.address, "proxies": [*own.proxies]}

    def _host(self, name: str, host: HostSettings, hub: Host | None) -> Host:
        """`hub`: None for the hub itself."""
        opts = host_options(host)
        if host.local is not None:
            return LocalHost(name, self._settings.prefix, host.local, opts)
        if host.server is not None:
            return RemoteHost(name, self._server(name, host.server, host.abandoned, hub, opts), opts)
        assert host.droplet is not None
        return RemoteHost(name, self._droplet(name, host.droplet, opts), opts)

    def _droplet(self, name: str, wanted: places.Droplet, opts: pulumi.ResourceOptions) -> RemoteArgs:
        from components.droplet import Droplet, HubDroplet, NodeDroplet

        assert self.cloud is not None
        made: Droplet
        if isinstance(wanted, places.HubDroplet):
            size = self.sizes.apply(lambda found: found[name]) if self._settings.hub.nodes else None
            node = (self._settings, self.cloud, wanted, size)
            made = HubDroplet(*node) if name == "hub" else NodeDroplet(name, *node)
        else:
            made = Droplet(name, self._settings, self.cloud, wanted, opts)
        return RemoteArgs(
            settings=self._settings,
            images=self._images,
            user="root",
            address=made.address,
            booting=True,
            machine=made.droplet,
            size=made.droplet.size,
            public=made.address,
            private=made.private,
            after=made.after,
            device=made.device,
            device_size=made.volume_size,
        )

    def _server(
        self, name: str, server: places.Server, abandoned: bool, hub: Host | None, opts: pulumi.ResourceOptions
    ) -> RemoteArgs:
        jump: RemoteHost | Bastion | None = None
        if server.bastion is not None:
            known = self._settings.ssh
            target = ssh.SshTarget(
                server.bastion.user, server.bastion.address, server.bastion.port, known.key, known.timeout
            )
            jump = Bastion(name, target, server.bastion.host_key, opts)
        elif hub is not None and private(server.address):
            assert isinstance(hub, RemoteHost)
            jump = hub
        return RemoteArgs(
            settings=self._settings,
            images=self._images,
            user=server.user,
            address=server.address,
            port=server.port,
            host_key=server.host_key,
            jump=jump,
            install_docker=server.install_docker,
            files=server.files,
            abandoned=abandoned,
            public=server.address,
            private=server.private_address,
        )


def _cloud(settings: Settings, facts: CloudFacts | None) -> Cloud | None:
    if not settings.region or facts is None:
        return None
    from components.cloud import Cloud

    return Cloud(settings, settings.region, facts)
