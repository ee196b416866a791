"""What the fleet shares at DigitalOcean: the private network, tags, the SSH key, the cloud firewalls, and the load
balancer of a cluster."""

from __future__ import annotations

import pulumi
import pulumi_digitalocean as do

from components import key_files
from components.balancer import balancer
from configs import names, services, ssh
from configs.services import shared_database
from configs.settings import Settings
from configs.validation import CloudFacts

ANYWHERE: list[pulumi.Input[str]] = ["0.0.0.0/0", "::/0"]


class Cloud(pulumi.ComponentResource):
    """VPC, tags, SSH key and firewalls of one environment.

    Outputs: `vpc`, its id; `key`, the fingerprint that droplets are made with; `tags`, by role (`hub`, `edge`);
    `balancer`, in front of a cluster (None: the hub is one droplet, or none).
    """

    def __init__(
        self, settings: Settings, region: str, facts: CloudFacts, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("fleetwatch:index:Cloud", "cloud", None, opts)
        self._settings = settings
        self.name = names.cloud(settings.prefix, settings.env)
        self.region = region
        self.project = facts.projects.get(settings.cloud.project or "")
        made = do.Vpc(
            "vpc",
            name=self.name,
            region=region,
            ip_range=settings.cloud.range,
            opts=pulumi.ResourceOptions(parent=self, protect=settings.protected),
        )
        self.vpc = made.id
        self.range = made.ip_range
        self.key = self._key(facts)
        self.tags = {
            role: do.Tag(f"tag-{role}", name=f"{self.name}-{role}", opts=pulumi.ResourceOptions(parent=self)).name
            for role in ("hub", "edge")
        }
        self.balancer = self._balancer()
        self._firewall("hub", [*self._public(), _tcp(settings.hub.ports.push, [self.range]), *self._between_nodes()])
        self._firewall("edge", [])
        self.register_outputs({})

    def _key(self, facts: CloudFacts) -> pulumi.Input[str]:
        """An account accepts a key once: what another environment or a person put there is used, and left there."""
        text = public_key(self._settings)
        known = ssh.fingerprint(text)
        if facts.keys.get(known, self.name) != self.name:
            return known
        return do.SshKey(
            "ssh-key", name=self.name, public_key=text, opts=pulumi.ResourceOptions(parent=self)
        ).fingerprint

    def _balancer(self) -> do.LoadBalancer | None:
        hub = self._settings.hub
        if hub.droplet is None or not hub.nodes:
            return None
        return balancer(self._settings, self.name, self.region, self.vpc, self.tags["hub"], self.project, self)

    def _public(self) -> list[do.FirewallInboundRuleArgs]:
        """The ports for people and internet edges. Of a cluster only through its load balancer, which reports
        the client's address, and for the nodes, which pass a CA's requests on."""
        ports = self._settings.hub.ports
        if self.balancer is None:
            return [_tcp(port, ANYWHERE) for port in (ports.https, ports.http)]
        own = do.FirewallInboundRuleArgs(protocol="tcp", port_range=str(ports.http), source_tags=[self.tags["hub"]])
        through = [
            do.FirewallInboundRuleArgs(
                protocol="tcp", port_range=str(port), source_load_balancer_uids=[self.balancer.id]
            )
            for port in (ports.https, ports.http)
        ]
        return [*through, *([] if self._settings.hub.own_ca else [own])]

    def _between_nodes(self) -> list[do.FirewallInboundRuleArgs]:
        """The ports at which the nodes of a cluster reach each other, open to no other machine."""
        return [
            do.FirewallInboundRuleArgs(
                protocol=port.protocol, port_range=str(port.host), source_tags=[self.tags["hub"]]
            )
            for port in services.node_ports(self._settings)
        ]

    def _firewall(self, role: str, inbound: list[do.FirewallInboundRuleArgs]) -> None:
        """Named ports, in both directions. Docker's published ports bypass a host's own firewall, but not this one."""
        ping = do.FirewallInboundRuleArgs(protocol="icmp", source_addresses=ANYWHERE)
        do.Firewall(
            f"firewall-{role}",
            name=f"{self.name}-{role}",
            tags=[self.tags[role]],
            inbound_rules=[*inbound, _tcp(22, [*self._settings.access.admin_cidrs]), ping],
            outbound_rules=_outbound(self._settings, self.range),
            opts=pulumi.ResourceOptions(parent=self),
        )


def _tcp(port: int, sources: list[pulumi.Input[str]]) -> do.FirewallInboundRuleArgs:
    return do.FirewallInboundRuleArgs(protocol="tcp", port_range=str(port), source_addresses=sources)


def _outbound(settings: Settings, own: pulumi.Output[str]) -> list[do.FirewallOutboundRuleArgs]:
    """Names (53), time (123), packages, images, ACME, pushes, receivers, the assistant's models (80, 443, their ports),
    the user's database of a cluster, what `access.outbound` names, and all of the own network. A firewall without them
    lets nothing out: no image would be pulled and no certificate be had.
    """

    def out(protocol: str, ports: str | None, to: list[pulumi.Input[str]]) -> do.FirewallOutboundRuleArgs:
        return do.FirewallOutboundRuleArgs(protocol=protocol, port_range=ports, destination_addresses=to)

    mail = {
        int(receiver.email.smarthost.rpartition(":")[2])
        for receiver in settings.hub.alerts.receivers.values()
        if receiver.email is not None
    }
    models = {one.port for one in settings.hub.ask.providers} if settings.hub.ask is not None else set()
    more = mail | models | shared_database.ports(settings)
    return [
        *(
            out("tcp", str(port), ANYWHERE)
            for port in sorted({53, 80, 443, settings.hub.ports.https, *settings.access.outbound} | more)
        ),
        *(out("udp", str(port), ANYWHERE) for port in (53, 123)),
        out("tcp", "1-65535", [own]),
        out("udp", "1-65535", [own]),
        out("icmp", None, ANYWHERE),
    ]


def public_key(settings: Settings) -> str:
    """The public key that new droplets accept: given, or beside the private key's file (checked with the settings)."""
    found = settings.ssh.public_key or key_files.public_key(settings.ssh.key)
    assert found is not None
    return found
