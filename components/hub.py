"""Hub: Caddy, Prometheus, Loki, Grafana and Alertmanager on one host. Only Caddy is published."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_docker as docker
import pulumi_random as random

from components.ask_secrets import ask_secrets
from components.authority import authority
from components.docker_service import DockerService, DockerServiceArgs, revisions
from components.gate import note
from components.host import Host
from components.late import LateValues, known
from components.nodes import Ring
from components.own_image import brought
from configs import deployment, names, services
from configs.deploy import script
from configs.services import ask, caddy
from configs.services.caddy import entry
from configs.services.container import LOOPBACK, container
from configs.services.spec import LateField, NetworkName, ServiceSpec
from configs.settings import Settings


@dataclass(frozen=True, kw_only=True)
class HubArgs:
    """`users` are the bcrypt hashes of a host's passwords by user name, `admin_password` is Grafana's; both secret.
    `first`: the first node of a cluster, of the others; they use its buckets. `nodes`: the private addresses of a
    cluster's nodes by their names; `ring`: the order in which they are changed. `entry`: the address of what stands in
    front of the hub (None: nothing), and `proxies` the networks from which that connects. `database`: what files need
    of the managed database, if there is one."""

    host: Host
    settings: Settings
    images: Mapping[str, str]
    users: Mapping[str, pulumi.Output[dict[str, str]]]
    admin_password: pulumi.Input[str]
    first: Hub | None = None
    nodes: Mapping[str, pulumi.Input[str] | None] = field(default_factory=dict)
    entry: pulumi.Input[str] | None = None
    proxies: Sequence[pulumi.Input[str]] = ()
    database: LateValues = field(default_factory=dict)
    ring: Ring | None = None


@dataclass(frozen=True)
class Endpoint:
    """How one edge reaches the hub. `addresses`: what the hub's name means (none: DNS knows it). `ca`: the certificate
    to trust (None: the system's)."""

    addresses: Sequence[pulumi.Input[str]]
    ca: pulumi.Input[str] | None


class Hub(pulumi.ComponentResource):
    """The hub's services on a private network, once `deploy` was called.

    Outputs: `ca`, the certificate of Caddy's own CA (None with a public domain), `url`, Grafana's address, `query`, the
    query side on the hub's loopback, and `bucket` and `data`, the URLs of the buckets at Spaces for its backups and for
    its metrics and logs (None: they go elsewhere).
    """

    def __init__(self, name: str, args: HubArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fleetwatch:index:Hub", name, None, opts)
        self._args = args
        self._networks: dict[NetworkName, docker.Network] = {}
        self._services: list[DockerService] = []
        self._before: list[pulumi.Resource] = []  # what everything on this node waits for
        ports = args.settings.hub.ports
        self.url = self._site() if ports.https == 443 else pulumi.Output.concat(self._site(), f":{ports.https}")
        self.query = f"http://{LOOPBACK}:{ports.query}"
        self.ca: pulumi.Output[str] | None = None
        self.bucket: pulumi.Output[str] | None = None
        self.data: pulumi.Output[str] | None = None
        self._shared: LateValues = self._late() if args.first is None else args.first._shared

    def deploy(self) -> None:
        """Make all that is on the host. The nodes of a cluster are changed in the order of these calls."""
        args, host = self._args, self._args.host
        private = host.private
        late: LateValues = {**self._shared, **({"private": private} if private is not None else {})}
        context = deployment.context(args.settings, host.name, host.base, host.docker_socket)
        # In the order in which they are made.
        specs = sorted(services.hub_specs(context), key=lambda spec: len(spec.depends_on))
        if args.ring is not None:
            self._before = [args.ring.before(host.name, self._wanted(specs, late), self)]
        self._networks["hub"] = self._network("hub", names.hub_network(host.stack))
        if ask.with_servers(args.settings):
            self._networks["ask"] = self._network("ask", names.ask_network(host.stack), internal=True)
        self._services = self._made(specs, late)
        if args.ring is not None:
            args.ring.after(host.name, revisions(self._services), self._services, self)
        self.ca = self._root() if args.settings.hub.own_ca else None
        self._annotate_change()
        self.register_outputs({"url": self.url})

    def _wanted(self, specs: Sequence[ServiceSpec], late: LateValues) -> pulumi.Output[str]:
        """A text that is another one when a container or a file of this node is to be another one."""
        host, images = self._args.host, self._args.images
        place = {"stack": host.stack, "host": host.name, "base": host.base}
        made = [container(spec, **place, image=images[spec.service.image]) for spec in specs]
        files = [file for spec in specs for file in (*spec.files.values(), *spec.secrets.values())]
        needs = {need for file in files for need in file.needs}
        texts = known(late, needs, lambda values: "".join(file.render(values) for file in files))
        return texts.apply(lambda found: f"{made}{found}")

    def endpoint_for(self, name: str) -> Endpoint:
        """How the edge of the host `name` reaches this hub."""
        host = deployment.context(self._args.settings, name, "", "")
        ca = self.ca if host.host.via == "internet" else None
        return Endpoint(self._addresses(name) if host.hub_by_address else (), ca)

    def _addresses(self, name: str) -> list[pulumi.Input[str]]:
        """The private addresses of the hub, or of all nodes: each host begins with one of them, and its agents go on to
        the next where none answers. On the internet the hub's or its load balancer's."""
        on_internet = self._args.settings.hosts[name].via == "internet"
        every = {"": self._address} if on_internet else self._args.nodes or {"": self._args.host.private}
        found = [address for _, address in sorted(every.items()) if address is not None]
        first = zlib.crc32(name.encode()) % len(found) if found else 0
        return [*found[first:], *found[:first]]

    def _site(self) -> pulumi.Output[str]:
        """The hub for those outside: its name, or its address if it has no name that resolves."""
        name, address = deployment.site_name(self._args.settings), self._address
        return pulumi.Output.concat(
            "https://", self._args.settings.hub.domain if name is not None or address is None else address
        )

    @property
    def _address(self) -> pulumi.Input[str] | None:
        """The hub's address on the internet."""
        return self._args.entry or self._args.host.public

    def _network(self, role: NetworkName, name: str, internal: bool | None = None) -> docker.Network:
        host = self._args.host
        return docker.Network(
            f"{host.name}-{role}",
            name=name,
            driver="bridge",
            internal=internal,
            labels=[docker.NetworkLabelArgs(label=k, value=v) for k, v in host.labels(role).items()],
            # The name is taken.
            opts=host.in_docker(
                pulumi.ResourceOptions(parent=self, delete_before_replace=True, depends_on=list(self._before))
            ),
        )

    def _made(self, specs: Sequence[ServiceSpec], late: LateValues) -> list[DockerService]:
        before = [self._names_of_nodes()] if self._args.nodes else []
        made: list[DockerService] = []
        # One after the other, each once the one before answers: an image that does not work costs one part of the hub.
        for spec in specs:
            made.append(self._service(spec, late, made[-1:], before))
        return made

    def _late(self) -> LateValues:
        """What the files of all nodes need; the buckets are made for it."""
        late: LateValues = {
            "site": self.url,
            "users": dict(self._args.users),
            "admin_password": self._args.admin_password,
        }
        late = {**late, **self._at_spaces(), **self._in_front(), **self._args.database}
        if self._args.settings.hub.storage.shared is not None:
            own = pulumi.ResourceOptions(parent=self)
            key = random.RandomPassword(names.GRAFANA_KEY, length=40, special=False, opts=own)
            late = {**late, "grafana_key": key.result}
        if (generated := ask_secrets(self._args.settings, self)) is not None:
            late = {**late, "ask": generated}
        return late

    def _at_spaces(self) -> LateValues:
        """The buckets that the program makes, and their keys."""
        settings = self._args.settings
        found: dict[LateField, pulumi.Input[Any]] = {}
        if settings.spaces is None and settings.stored_at_spaces is None:
            return found
        from components.spaces_bucket import SpacesAccount, SpacesBucket  # imports DigitalOcean's SDK

        account, parent = SpacesAccount(settings, self), pulumi.ResourceOptions(parent=self)
        if settings.spaces is not None:
            backups = SpacesBucket("backup", account, settings.spaces, parent)
            self.bucket = backups.url
            found |= {"bucket": backups.url, "bucket_key": backups.key}
        if settings.stored_at_spaces is not None:
            data = SpacesBucket("data", account, settings.stored_at_spaces, parent)
            self.data = data.url
            found |= {"storage": data.url, "storage_key": data.key}
        return found

    def _in_front(self) -> LateValues:
        """What the Caddys of a cluster have in common."""
        args = self._args
        if not args.nodes:
            return {}
        shared: LateValues = {"proxies": pulumi.Output.all(*args.proxies)}
        if not args.settings.hub.own_ca:
            return shared
        return {**shared, "authority": authority(args.host, args.images[caddy.SERVICE.image], self)}

    def _names_of_nodes(self) -> pulumi.Resource:
        host = self._args.host
        found = pulumi.Output.all(**self._args.nodes)
        return host.run(
            "nodes",
            create=script("nodes", BASE=host.base, FOLDER=f"{host.base}/{names.NODES}"),
            delete=None,
            stdin=found.apply(deployment.node_hosts),
            depends_on=[host.ready],
            parent=self,
            compares=True,
        )

    def _service(
        self, spec: ServiceSpec, late: LateValues, after: Sequence[DockerService], before: Sequence[pulumi.Resource]
    ) -> DockerService:
        key = spec.service.image
        image = self._args.images[key]
        args = DockerServiceArgs(
            host=self._args.host,
            spec=spec,
            image=image,
            late=late,
            networks={name: network.name for name, network in self._networks.items()},
            after=after,
            first=[
                *brought(self._args.host, image, key),
                *([self._networks["hub"]] if spec.check_online else []),
                *(before if spec.binds else []),
            ],
        )
        needed = [self._networks[network.name] for network in spec.networks if network.name in self._networks]
        name = spec.role if self._args.first is None else f"{self._args.host.name}-{spec.role}"
        return DockerService(name, args, pulumi.ResourceOptions(parent=self, depends_on=[*needed, *self._before]))

    def _root(self) -> pulumi.Output[str]:
        """The certificate of the hub's CA: that of all nodes, or that of its one Caddy."""
        if "authority" not in self._shared:
            return self._own_ca()
        shared = pulumi.Output.from_input(self._shared["authority"])
        return pulumi.Output.unsecret(shared.apply(lambda found: str(found[entry.ROOT])))

    def _own_ca(self) -> pulumi.Output[str]:
        front = next(service for service in self._services if service.role == "caddy")
        return self._args.host.run(
            "ca",
            create=script("ca", CONTAINER=front.container_name, FILE=f"{caddy.DATA}/caddy/{caddy.ROOT}"),
            delete=None,
            stdin=front.container.id,  # read again when the container is another one
            depends_on=[front],
            parent=self,
        ).stdout

    def _annotate_change(self) -> None:
        """Annotates a change of the hub's own parts on the dashboards, as the gate does for an edge."""
        host, stack = self._args.host.name, self._args.host.stack
        settled = script("settled", PREFIX=stack, ROLES=" ".join(service.role for service in self._services))
        self._args.host.run(
            "changed",
            create=f"settled() (\n{settled}\n)\nreport=$(settled)\n{note(self._args.settings, stack, host)}",
            delete=None,
            stdin=revisions(self._services),
            depends_on=self._services,
            parent=self,
        )
