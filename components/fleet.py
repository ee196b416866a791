"""The machines of a stack file, each as a host: where it is and how it is reached."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from components.cloud import Cloud
from components.droplet import Droplet, HubDroplet
from components.host import Host, renamed
from components.local_host import LocalHost
from components.remote_host import Bastion, RemoteArgs, RemoteHost
from configs import ssh
from configs.settings import Host as HostSettings
from configs.settings import Settings
from configs.settings.cloud_facts import CloudFacts
from configs.settings.places import Server, private


class Fleet:
    """Every host by its name; the hub first, because others may be reached through it.

    `facts` is what the cloud said (None: no droplets).
    """

    def __init__(self, settings: Settings, facts: CloudFacts | None) -> None:
        self._settings = settings
        region = settings.region
        self.cloud = Cloud(settings, region, facts) if region and facts else None
        self.hub = self._hub()
        self.hosts: Mapping[str, Host] = {
            "hub": self.hub,
            **{n: self._host(n, wanted) for n, wanted in settings.others.items()},
        }

    def _hub(self) -> Host:
        hub = self._settings.hub
        if hub.local is not None:
            return LocalHost("hub", self._settings.prefix, hub.local)
        if hub.server is not None:
            return self._server("hub", hub.server, None, False, pulumi.ResourceOptions())
        assert self.cloud is not None
        assert hub.droplet is not None
        made = HubDroplet(self._settings, self.cloud, hub.droplet)
        return RemoteHost(
            "hub",
            RemoteArgs(
                settings=self._settings,
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
            ),
        )

    def _host(self, name: str, wanted: HostSettings) -> Host:
        opts = renamed(wanted)
        if wanted.local is not None:
            return LocalHost(name, self._settings.prefix, wanted.local, opts)
        if wanted.server is not None:
            return self._server(name, wanted.server, self.hub, wanted.abandoned, opts)
        assert self.cloud is not None
        assert wanted.droplet is not None
        made = Droplet(name, self._settings, self.cloud, wanted.droplet, opts)
        args = RemoteArgs(
            settings=self._settings,
            user="root",
            address=made.address,
            booting=True,
            machine=made.droplet,
            size=made.droplet.size,
            public=made.address,
            private=made.private,
        )
        return RemoteHost(name, args, opts)

    def _server(
        self, name: str, server: Server, hub: Host | None, abandoned: bool, opts: pulumi.ResourceOptions
    ) -> Host:
        via: RemoteHost | Bastion | None = None
        if server.bastion is not None:
            known = self._settings.ssh
            target = ssh.SshTarget(
                server.bastion.user, server.bastion.address, server.bastion.port, known.key, known.timeout
            )
            via = Bastion(name, target, server.bastion.host_key, opts)
        elif hub is not None and private(server.address):
            assert isinstance(hub, RemoteHost)
            via = hub
        args = RemoteArgs(
            settings=self._settings,
            user=server.user,
            address=server.address,
            port=server.port,
            host_key=server.host_key,
            via=via,
            install_docker=server.install_docker,
            files=server.files,
            abandoned=abandoned,
            public=server.address,
            private=server.private_address,
        )
        return RemoteHost(name, args, opts)
