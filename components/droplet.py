"""Droplets: the machines that the program makes, and for the hub what outlives its droplet."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_digitalocean as do

from components.cloud import Cloud
from configs import names
from configs.render import userdata
from configs.services.caddy import entry
from configs.settings import Settings, places


class Droplet(pulumi.ComponentResource):
    """One droplet in the fleet's network, named after its host.

    Outputs: `droplet`; `address` and `private`, its addresses; `after`, what has to exist before it is contacted;
    `device`, where its volume appears (None: it has none), and `volume_size` in GB.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        cloud: Cloud,
        wanted: places.Droplet,
        opts: pulumi.ResourceOptions | None = None,
        size: pulumi.Input[str] | None = None,
    ) -> None:
        """`size`: that of `wanted`, where something has to be known before it."""
        super().__init__("fleetwatch:index:Droplet", name, None, opts)
        role = "hub" if name in settings.hub.hosts else "edge"
        self.full_name = f"{cloud.name}-{name}"
        self.region = wanted.region or cloud.region
        self.droplet = do.Droplet(
            f"{name}-droplet",
            name=self.full_name,
            region=self.region,
            size=size or wanted.size,
            image=wanted.image,
            backups=wanted.backups,
            vpc_uuid=cloud.vpc if self.region == cloud.region else None,  # a VPC is one region's
            ssh_keys=[cloud.key],
            tags=[cloud.tags[role]],
            user_data=userdata.render(major=settings.docker.major, setup=wanted.setup),
            monitoring=False,
            droplet_agent=False,
            graceful_shutdown=True,  # Prometheus and Loki write out what they hold in memory
            resize_disk=False,  # a grown disk could never be shrunk again, and data is on the volume
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=settings.protected and role == "hub",
                # No machine is replaced because its first-boot script, its image's name or a key changed.
                ignore_changes=["userData", "image", "sshKeys"],
                depends_on=self._before(settings),
                delete_before_replace=True,  # volume and address belong to one droplet at a time
                # The provider gives the whole of a deletion 60 s, and waits twice 10 s in it.
                custom_timeouts=pulumi.CustomTimeouts(delete="5m"),
            ),
        )
        self.address: pulumi.Output[str] = self.droplet.ipv4_address
        self.private: pulumi.Output[str] = self.droplet.ipv4_address_private
        self.after: Sequence[pulumi.Resource] = ()
        self.device: str | None = None
        self.volume_size: pulumi.Input[int] = 0
        self.register_outputs({})

    def _before(self, settings: Settings) -> Sequence[pulumi.Resource]:
        """What has to be up to date before the droplet is made or changed."""
        return ()


class NodeDroplet(Droplet):
    """A droplet that has the hub on it, with a volume for its data that outlives it, and the project they belong to."""

    def __init__(
        self, name: str, settings: Settings, cloud: Cloud, wanted: places.HubDroplet, size: pulumi.Input[str] | None
    ) -> None:
        self._name, self._size = name, wanted.volume
        super().__init__(name, settings, cloud, wanted, size=size)
        # What is attached to a droplet is detached before the droplet is replaced: volume and address allow one each.
        self._attachment = pulumi.ResourceOptions(parent=self, delete_before_replace=True, deleted_with=self.droplet)
        attached = do.VolumeAttachment(
            f"{name}-volume", droplet_id=self.droplet.id.apply(int), volume_id=self._volume.id, opts=self._attachment
        )
        self.device = f"/dev/disk/by-id/scsi-0DO_Volume_{self.full_name}"
        self.volume_size = self._volume.size
        self.after = [attached]
        if cloud.project:
            do.ProjectResources(
                "project" if name == "hub" else f"project-{name}",
                project=cloud.project,
                resources=[self.droplet.droplet_urn, self._volume.volume_urn],  # the address follows its droplet
                opts=pulumi.ResourceOptions(parent=self),
            )

    def _before(self, settings: Settings) -> Sequence[pulumi.Resource]:
        """The volume: growing it is an event of its droplet, which accepts no other (a resize) at the same time."""
        self._volume = do.Volume(
            f"{self._name}-volume",
            name=self.full_name,
            region=self.region,
            size=self._size,
            initial_filesystem_type="ext4",
            description="metrics, logs, dashboards and certificates of fleetwatch",
            opts=pulumi.ResourceOptions(parent=self, protect=settings.protected),
        )
        return [self._volume]


class HubDroplet(NodeDroplet):
    """The droplet of a hub, or of its first node, with an address that outlives it, the hub's DNS record and a check
    from outside. Both are about the load balancer of a cluster, and about this droplet of any other hub."""

    def __init__(
        self, settings: Settings, cloud: Cloud, wanted: places.HubDroplet, size: pulumi.Input[str] | None
    ) -> None:
        super().__init__("hub", settings, cloud, wanted, size)
        hub = settings.hub
        own = pulumi.ResourceOptions(parent=self)
        lasting = pulumi.ResourceOptions(parent=self, protect=settings.protected)
        address = do.ReservedIp("hub-address", region=self.region, opts=lasting)
        assigned = do.ReservedIpAssignment(
            "hub-address", droplet_id=self.droplet.id.apply(int), ip_address=address.ip_address, opts=self._attachment
        )
        self.address = address.ip_address
        self.after = [*self.after, assigned]
        shown = cloud.balancer.ip if cloud.balancer is not None else address.ip_address
        if hub.dns_zone:
            do.DnsRecord(
                "hub-name",
                domain=hub.dns_zone,
                type="A",
                name=hub.domain.removesuffix(hub.dns_zone).rstrip(".") or "@",
                value=shown,
                ttl=300,
                opts=own,
            )
        if hub.uptime:
            self._uptime_check(*_checked(settings, shown, cloud.balancer is not None), settings)

    def _uptime_check(self, kind: str, target: pulumi.Input[str], settings: Settings) -> None:
        """Nothing on the hub can report that the hub is down."""
        assert settings.hub.uptime is not None
        check = do.UptimeCheck(
            "hub-uptime",
            name=self.full_name,
            target=target,
            type=kind,
            regions=["eu_west", "us_east"],
            opts=pulumi.ResourceOptions(parent=self),
        )
        do.UptimeAlert(
            "hub-down",
            name=f"{names.cloud(settings.prefix, settings.env)}: the hub does not answer",
            check_id=check.id,
            type="down_global",
            period="2m",
            notifications=[do.UptimeAlertNotificationArgs(emails=settings.hub.uptime.email)],
            opts=pulumi.ResourceOptions(parent=self),
        )


def _checked(settings: Settings, address: pulumi.Input[str], balanced: bool) -> tuple[str, pulumi.Input[str]]:
    """Kind and target of the check from outside. Without a domain the certificate is the hub's own, which the check
    does not trust: then a ping, or of a cluster the question of its load balancer, which others may not answer."""
    hub = settings.hub
    if hub.public:
        return "https", f"https://{hub.domain}"
    if not balanced:
        return "ping", address
    return "http", pulumi.Output.concat("http://", address, f":{hub.ports.http}{entry.READY}")
