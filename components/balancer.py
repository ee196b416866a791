"""The load balancer in front of a cluster of droplets: DigitalOcean's, which passes on the two public ports."""

from __future__ import annotations

import pulumi
import pulumi_digitalocean as do

from configs.services.caddy import entry
from configs.settings import Settings

# Seconds and numbers of answers in a row: a node that is away is left out after about 10 s.
INTERVAL, TIMEOUT, AWAY, BACK = 5, 3, 2, 2


def balancer(
    settings: Settings,
    name: str,
    region: str,
    vpc: pulumi.Input[str],
    tag: pulumi.Input[str],
    project: str | None,
    parent: pulumi.Resource,
) -> do.LoadBalancer:
    """It reaches the droplets with this tag in this network. TLS ends at the nodes, so it has no certificate."""
    ports = settings.hub.ports
    return do.LoadBalancer(
        "balancer",
        name=f"{name}-hub",
        region=region,
        size_unit=settings.hub.balancer.nodes,
        vpc_uuid=vpc,
        droplet_tag=tag,
        project_id=project,
        enable_proxy_protocol=True,  # the allow-list of Grafana is about the client's address
        forwarding_rules=[
            do.LoadBalancerForwardingRuleArgs(
                entry_protocol="tcp", entry_port=port, target_protocol="tcp", target_port=port
            )
            for port in (ports.https, ports.http)
        ],
        healthcheck=do.LoadBalancerHealthcheckArgs(
            protocol="http",
            port=ports.http,
            path=entry.READY,
            check_interval_seconds=INTERVAL,
            response_timeout_seconds=TIMEOUT,
            unhealthy_threshold=AWAY,
            healthy_threshold=BACK,
        ),
        # The hub's address: names and hosts on the internet point at it.
        opts=pulumi.ResourceOptions(parent=parent, protect=settings.protected),
    )
