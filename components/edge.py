"""Edge: the collectors that every monitored Docker host runs. They push; nothing is published on the host."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from components.credential import Credential
from components.docker_service import DockerService, DockerServiceArgs, LateValues, revisions
from components.host import Host
from components.hub import Endpoint
from configs import deployment, names, services
from configs.deploy import script
from configs.services.spec import ServiceSpec
from configs.settings import Settings


@dataclass(frozen=True, kw_only=True)
class EdgeArgs:
    """`hub`: how this edge reaches the hub. `settings` are plain and checked: they shape the resource graph."""

    host: Host
    settings: Settings
    images: Mapping[str, str]
    credential: Credential
    hub: Endpoint


class Edge(pulumi.ComponentResource):
    """The containers of one host's edge, and the user's networks that some of them join.

    Outputs: `settled`, since when it runs as it does (for its gate); `rotated`, the rotation of its password.
    """

    def __init__(self, name: str, args: EdgeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fleetwatch:index:Edge", name, None, opts)
        self._args = args
        host = args.host
        self._context = deployment.context(args.settings, host.name, host.base, host.docker_socket)
        edge = self._context.edge
        self._network = docker.Network(
            f"{host.name}-edge",
            name=names.edge_network(host.stack),
            driver="bridge",
            ipam_configs=[docker.NetworkIpamConfigArgs(subnet=edge.subnet, gateway=self._context.gateway)],
            labels=[docker.NetworkLabelArgs(label=k, value=v) for k, v in host.labels("edge").items()],
            # The name and the subnet are taken.
            opts=host.in_docker(pulumi.ResourceOptions(parent=self, delete_before_replace=True)),
        )
        late: LateValues = {
            "push_url": args.hub.push_url,
            "passwords": dict(args.credential.files),
            "accepted": args.credential.accepted,
            **({"hub_ca": args.hub.ca} if args.hub.ca is not None else {}),
        }
        hosts = self._hosts_file()
        specs = services.edge_specs(self._context)
        made = [self._service(spec, late, hosts if self._context.hosts_file in spec.binds else []) for spec in specs]
        self.settled = self._settled(specs, made)
        # Known to be so only once everything has changed over.
        self.rotated = self.settled.apply(lambda _: self._context.host.rotation)
        self.register_outputs({})

    def _service(self, spec: ServiceSpec, late: LateValues, after: Sequence[pulumi.Resource]) -> DockerService:
        args = DockerServiceArgs(
            host=self._args.host,
            spec=spec,
            image=self._args.images[spec.service.image],
            late=late,
            networks={"edge": self._network.name, **self._args.hub.networks},
            after=after,
        )
        return DockerService(
            f"{self._args.host.name}-{spec.role}",
            args,
            pulumi.ResourceOptions(parent=self, depends_on=[self._network]),
        )

    def _hosts_file(self) -> list[pulumi.Resource]:
        """The hub's name and address, for the containers that push. With an address in their configuration instead,
        a hub made again would cost the backlog: another URL is another queue, which begins with the present."""
        if self._args.hub.address is None:
            return []
        file = self._context.hosts_file
        local = "127.0.0.1 localhost\n::1 localhost\n"
        return [
            self._args.host.run(
                "hosts",
                create=script("hosts", FILE=file),
                delete=f"rm -f {shlex.quote(file)}",
                stdin=pulumi.Output.concat(local, self._args.hub.address, f" {names.NO_DOMAIN}"),
                depends_on=[self._args.host.ready],  # which makes the folder, and removes it
                parent=self,
            )
        ]

    def _settled(self, specs: Sequence[ServiceSpec], made: Sequence[DockerService]) -> pulumi.Output[str]:
        """Connects user networks out of band, so that adding one recreates no container; then all is in place."""
        stack, networks = self._args.host.stack, "\n".join(sorted(self._context.edge.networks))
        joining = " ".join(names.container(stack, spec.role) for spec in specs if spec.user_networks)
        own = f"{names.edge_network(stack)} {names.hub_network(stack)}"
        join = script("join", CONTAINERS=joining, NETWORKS=networks, OWN=own)
        agents = " ".join(spec.role for spec in specs if spec.pushes)
        settled = script("settled", PREFIX=stack, ROLES=" ".join(spec.role for spec in specs), AGENTS=agents)
        return self._args.host.run(
            "settled",
            create=f"{join}\n{settled}",
            delete=script("leave", CONTAINERS=joining, NETWORKS=networks) if networks else None,
            stdin=revisions(made),
            parent=self,
        ).stdout
