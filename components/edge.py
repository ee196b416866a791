"""Edge: the collectors that every monitored Docker host runs. They push; nothing is published on the host."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from components.credential import Credential
from components.host import Host
from components.service import Network, Service, ServiceArgs, revisions
from configs import names
from configs.deploy import script
from configs.render import agent, alloy, exporters, loglines, promtail, sql
from configs.settings import Settings
from configs.settings.edge import JOURNAL

# Not `docker kill`: Docker takes any signal from it as a wish to stop, and restarts the container after no crash then.
HUP = 'docker exec "$CONTAINER" sh -c "kill -HUP 1"'
RESTART = 'docker restart "$CONTAINER"'
DOCKER_SOCKET = "/var/run/docker.sock"  # full control of the host: log agent and cAdvisor only


@dataclass(frozen=True, kw_only=True)
class EdgeArgs:
    """`push_url` is the hub as this edge reaches it, `hub_address` (None: DNS knows it) what the name in it
    means, `hub_ca` the certificate to trust (None: the system's),
    `hub_networks` networks that lead to the hub."""

    host: Host
    settings: Settings  # plain and checked: they shape the resource graph
    images: Mapping[str, str]
    credential: Credential
    push_url: pulumi.Input[str]
    hub_address: pulumi.Input[str] | None
    hub_ca: pulumi.Input[str] | None
    hub_networks: Sequence[pulumi.Input[str]] = ()


class Edge(pulumi.ComponentResource):
    """Prometheus agent, log agent, cAdvisor, node exporter, one exporter per database and one for queries, of one host.

    Outputs: `settled`, since when it runs as it does (for its gate); `rotated`, the rotation of its password.
    """

    def __init__(self, name: str, args: EdgeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fleetwatch:index:Edge", name, None, opts)
        self._args = args
        self._edge = args.settings.edges[args.host.name]
        subnet = ipaddress.ip_network(self._edge.subnet)
        self._gateway = str(next(subnet.hosts()))
        self._socket = {args.host.docker_socket: DOCKER_SOCKET}
        self._network = docker.Network(
            f"{args.host.name}-edge",
            name=names.edge_network(args.host.stack),
            driver="bridge",
            ipam_configs=[docker.NetworkIpamConfigArgs(subnet=str(subnet), gateway=self._gateway)],
            labels=[docker.NetworkLabelArgs(label=k, value=v) for k, v in args.host.labels("edge").items()],
            opts=args.host.in_docker(self, delete_before_replace=True),  # the name and the subnet are taken
        )
        self._trust = {names.HUB_CA: args.hub_ca} if args.hub_ca is not None else {}
        self._own = [Network(self._network.name), *map(Network, args.hub_networks)]
        self._hosts = self._names()
        services = [self._agent(), self._logs(), self._cadvisor(), self._node(), *self._databases(), *self._queries()]
        self.settled = self._settled(services)
        # Known to be so only once everything has changed over.
        self.rotated = self.settled.apply(lambda _: args.settings.hosts[args.host.name].rotation)
        self.register_outputs({})

    def _pushing(self, render: Callable[[str], str]) -> pulumi.Output[str]:
        """A configuration that names the hub, whose address may not be known yet."""
        return pulumi.Output.from_input(self._args.push_url).apply(render)

    def _service(self, role: str, image: str, **args: object) -> Service:
        args.setdefault("networks", self._own[:1])
        return Service(
            f"{self._args.host.name}-{role}",
            ServiceArgs(host=self._args.host, role=role, image=self._args.images[image], **args),  # type: ignore[arg-type]
            pulumi.ResourceOptions(parent=self, depends_on=[self._network]),
        )

    def _agent(self) -> Service:
        settings, host = self._args.settings, self._args.host.name
        return self._service(
            "agent",
            "prometheus",
            limits=self._edge.limits.agent,
            config=agent.CONFIG,
            files={
                "prometheus.yml": self._pushing(lambda url: agent.config(settings, host, url, self._gateway)),
                **self._trust,
            },
            secrets=self._args.credential.files,
            check=["promtool", "check", "config", "--agent", f"{agent.CONFIG}/prometheus.yml"],
            reload=HUP,
            command=agent.command(settings),
            data={"agent": agent.DATA},
            binds=self._hosts_file(),
            after=self._hosts,
            networks=self._own,
            healthcheck=["wget", "-q", "-O", "/dev/null", f"http://127.0.0.1:{names.PROMETHEUS_PORT}/-/healthy"],
            stop_timeout=5,
        )

    def _logs(self) -> Service:
        settings, host, logs = self._args.settings, self._args.host.name, self._edge.logs
        module = alloy if logs.agent == "alloy" else promtail
        folders = {folder: folder for folder in loglines.folders(self._edge)}
        journal = {place: place for place in (*JOURNAL, "/etc/machine-id")} if logs.journal else {}
        return self._service(
            logs.agent,
            logs.agent,
            limits=self._edge.limits.logs,
            config=module.CONFIG,
            files={module.FILE: self._pushing(lambda url: module.config(settings, host, url)), **self._trust},
            secrets=self._args.credential.files,
            check=module.CHECK,
            reload=HUP,
            command=module.command(),
            data={logs.agent: module.DATA},
            binds={**self._socket, **folders, **journal, **self._hosts_file()},
            after=self._hosts,
            networks=self._own,
            # root without rights may not read logs of other users; with files or journal it has to
            capabilities=["CAP_DAC_READ_SEARCH"] if folders or journal else [],
            stop_timeout=10,
        )

    def _cadvisor(self) -> Service:
        return self._service(
            "cadvisor",
            "cadvisor",
            limits=self._edge.limits.cadvisor,
            command=exporters.cadvisor_command(),
            binds={**self._socket, "/": "/rootfs", "/sys": "/sys", "/var/lib/docker": "/var/lib/docker"},
            healthcheck=["wget", "-q", "-O", "/dev/null", f"http://127.0.0.1:{names.CADVISOR_PORT}/healthz"],
            # The kernel's log is where cAdvisor sees that a container ran out of memory.
            devices=["/dev/kmsg"],
            capabilities=["CAP_DAC_READ_SEARCH", "CAP_SYS_PTRACE", "CAP_SYSLOG"],
        )

    def _node(self) -> Service:
        return self._service(
            "node-exporter",
            "node_exporter",
            limits=self._edge.limits.node_exporter,
            secrets={"web.yml": self._args.credential.accepted.apply(exporters.node_web)},
            command=exporters.node_command(self._gateway),
            binds={"/": "/host"},
            networks=[],
            host_network=True,
        )

    def _databases(self) -> list[Service]:
        found = []
        for name, database in sorted(self._edge.postgres.items()):
            secrets = exporters.postgres_secrets(database.dsn.get_secret_value())
            found.append(
                self._service(
                    f"postgres-{name}",
                    "postgres_exporter",
                    limits=self._edge.limits.postgres_exporter,
                    secrets={key: pulumi.Output.secret(value) for key, value in secrets.items()},
                    reload=RESTART,
                    command=exporters.postgres_command(),
                    envs=exporters.postgres_env(),
                )
            )
        return found

    def _queries(self) -> list[Service]:
        """One exporter for all databases of the host; each costs it two connections at most."""
        if not self._edge.postgres:
            return []
        return [
            self._service(
                "sql-exporter",
                "sql_exporter",
                limits=self._edge.limits.sql_exporter,
                config=sql.CONFIG,
                files=sql.queries(),
                secrets={"sql_exporter.yml": pulumi.Output.secret(sql.secret(self._edge))},
                check=sql.CHECK,
                reload=RESTART,
                command=sql.command(),
                healthcheck=["wget", "-q", "-O", "/dev/null", f"http://127.0.0.1:{names.SQL_EXPORTER_PORT}/healthz"],
            )
        ]

    def _names(self) -> list[pulumi.Resource]:
        """The hub's name and address, for the containers that push. With an address in their configuration instead,
        a hub made anew would cost the backlog: another URL is another queue, which begins with the present."""
        if self._args.hub_address is None:
            return []
        known = pulumi.Output.concat(
            "127.0.0.1 localhost\n::1 localhost\n", self._args.hub_address, f" {names.NO_DOMAIN}"
        )
        file = self._hosts_path()
        delete = f"rm -f {file}"
        return [
            self._args.host.run(
                "hosts",
                create=script("hosts", FILE=file),
                delete=delete,
                stdin=known,
                depends_on=[self._args.host.ready],  # which makes the folder, and takes it away again
                parent=self,
            )
        ]

    def _hosts_path(self) -> str:
        return f"{self._args.host.base}/hosts"

    def _hosts_file(self) -> dict[str, str]:
        return {self._hosts_path(): "/etc/hosts"} if self._args.hub_address is not None else {}

    def _settled(self, services: Sequence[Service]) -> pulumi.Output[str]:
        """Joins the user's networks, from outside so that one more of them recreates no agent; then all is in place."""
        stack, networks = self._args.host.stack, " ".join(sorted(self._edge.networks))
        joining = " ".join(service.container_name for service in [services[0], *services[4:]])
        roles = [service.role for service in services]
        own = f"{names.edge_network(stack)} {names.hub_network(stack)}"
        join = script("join", CONTAINERS=joining, NETWORKS=networks, OWN=own)
        settled = script("settled", PREFIX=stack, ROLES=" ".join(roles), AGENTS=" ".join(roles[:2]))
        return self._args.host.run(
            "settled",
            create=f"{join}\n{settled}",
            delete=script("leave", CONTAINERS=joining, NETWORKS=networks) if networks else None,
            stdin=revisions(services),
            parent=self,
        ).stdout
