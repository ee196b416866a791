"""DigitalOcean's managed PostgreSQL for the nodes of a cluster: in their private network, open to them alone."""

from __future__ import annotations

import pulumi
import pulumi_digitalocean as do

from components.cloud import Cloud
from components.late import LateValues
from configs.settings import Settings
from configs.settings.database import Managed

ENGINE, VERSION = "pg", "17"


class ManagedDatabase(pulumi.ComponentResource):
    """The server, a database on it for Grafana and one for the assistant, and its firewall.

    Outputs: `late`, how the nodes reach it, with the password of its account as a secret.
    """

    def __init__(
        self, settings: Settings, cloud: Cloud, wanted: Managed, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("fleetwatch:index:ManagedDatabase", "database", None, opts)
        own = pulumi.ResourceOptions(parent=self)
        server = do.DatabaseCluster(
            "database",
            name=f"{cloud.name}-hub",
            engine=ENGINE,
            version=VERSION,
            size=wanted.size,
            node_count=wanted.nodes,
            region=cloud.region,
            private_network_uuid=cloud.vpc,
            # A major version is raised at DigitalOcean, by a person.
            opts=pulumi.ResourceOptions(parent=self, protect=settings.protected, ignore_changes=["version"]),
        )
        # What goes with the server is not deleted before it: a server without its firewall is open to everybody.
        lasting = pulumi.ResourceOptions(parent=self, protect=settings.protected, deleted_with=server)
        owners = ("grafana", "ask") if settings.hub.ask is not None else ("grafana",)
        made = [do.DatabaseDb(f"database-{one}", cluster_id=server.id, name=one, opts=lasting).id for one in owners]
        rule = do.DatabaseFirewallRuleArgs(type="tag", value=cloud.tags["hub"])
        with_it = pulumi.ResourceOptions(parent=self, deleted_with=server)
        allowed = do.DatabaseFirewall("database-firewall", cluster_id=server.id, rules=[rule], opts=with_it)
        if cloud.project:
            urns = [server.cluster_urn]
            do.ProjectResources("project-database", project=cloud.project, resources=urns, opts=own)
        self.late = _late(server, pulumi.Output.all(*made, allowed.id))
        self.register_outputs({})


def _late(server: do.DatabaseCluster, after: pulumi.Output[list[str]]) -> LateValues:
    """What files need of it, known once the databases are there and the nodes are let in."""
    authority = do.get_database_ca_output(cluster_id=server.id, opts=pulumi.InvokeOptions(parent=server))
    place = pulumi.Output.all(
        host=server.private_host, port=server.port, user=server.user, ca=authority.certificate, after=after
    )
    return {
        "database": place.apply(lambda found: {key: _text(found[key]) for key in ("host", "port", "user", "ca")}),
        "database_password": pulumi.Output.secret(server.password),
    }


def _text(value: object) -> str:
    """A number of the engine is a float."""
    return str(int(value)) if isinstance(value, float) else str(value)
