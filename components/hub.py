"""Hub: Caddy, Prometheus, Loki, Grafana and Alertmanager on one host. Only Caddy is published."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from components.edge import HUP, RESTART
from components.gate import note
from components.host import LOOPBACK, Host
from components.service import Network, Service, ServiceArgs, revisions
from configs import dashboards, names, rules
from configs.deploy import script
from configs.render import alertmanager, caddy, grafana, loki, messages, prometheus
from configs.settings import Settings

EVERYWHERE = "0.0.0.0"


@dataclass(frozen=True, kw_only=True)
class HubArgs:
    """`users` are the bcrypt hashes of a host's passwords by user name, `admin_password` is Grafana's; both secret."""

    host: Host
    settings: Settings
    images: Mapping[str, str]
    users: Mapping[str, pulumi.Output[dict[str, str]]]
    admin_password: pulumi.Input[str]


def _restart_unless(folder: str) -> str:
    """A line of shell: a restart, unless all that changed is in this folder, which the program reads again itself."""
    return f'if echo "$pending_files" | grep -v "^$" | grep -qv "^{folder}"; then {RESTART}; fi'


class Hub(pulumi.ComponentResource):
    """The hub's five services on a private network.

    Outputs: `ca`, the certificate of Caddy's own CA (None with a public domain), `url`, where Grafana is, and
    `query`, the reading side on the hub's loopback.
    """

    def __init__(self, name: str, args: HubArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fleetwatch:index:Hub", name, None, opts)
        self._args = args
        self._limits = args.settings.hub.limits
        self._made_network = docker.Network(
            f"{args.host.name}-hub",
            name=names.hub_network(args.host.stack),
            driver="bridge",
            labels=[docker.NetworkLabelArgs(label=k, value=v) for k, v in args.host.labels("hub").items()],
            opts=args.host.in_docker(self, delete_before_replace=True),  # the name is taken
        )
        self.network: pulumi.Output[str] = self._made_network.name
        ports = args.settings.hub.ports
        self.url = self._site() if ports.https == 443 else pulumi.Output.concat(self._site(), f":{ports.https}")
        behind = [self._prometheus(), self._loki(), self._grafana(), self._alertmanager()]
        door = self._caddy(behind)
        self.ca: pulumi.Output[str] | None = None
        if args.settings.hub.own_ca:
            self.ca = args.host.run(
                "ca",
                create=script("ca", CONTAINER=door.container_name, FILE=f"{caddy.DATA}/caddy/{caddy.ROOT}"),
                delete=None,
                stdin=door.container.id,  # asked again when the container is another one
                depends_on=[door],
                parent=self,
            ).stdout
        self._noted([*behind, door])
        self.query = f"http://{LOOPBACK}:{args.settings.hub.ports.query}"
        self.register_outputs({"url": self.url})

    def _noted(self, services: list[Service]) -> None:
        """A change of the hub's own parts is marked on the dashboards, as that of an edge is by its gate."""
        stack, roles = self._args.host.stack, " ".join(service.role for service in services)
        settled = script("settled", PREFIX=stack, ROLES=roles, AGENTS="")
        self._args.host.run(
            "changed",
            create=f"settled() (\n{settled}\n)\nsaid=$(settled)\n{note(self._args.settings, stack, 'hub')}",
            delete=None,
            stdin=revisions(services),
            depends_on=services,
            parent=self,
        )

    def _site(self) -> pulumi.Output[str]:
        """Where the hub is for those outside: by its name, or by its address if it has no name that resolves."""
        hub, host = self._args.settings.hub, self._args.host
        named = hub.public or hub.kind == "local"
        return pulumi.Output.concat("https://", hub.domain if named or host.public is None else host.public)

    def push_url(self, host: str) -> pulumi.Output[str]:
        """The hub as the edge of this host reaches it. The hub's own is on the hub's network."""
        settings, own = self._args.settings, host == self._args.host.name
        if settings.hosts[host].via == "internet":
            return pulumi.Output.from_input(f"https://{settings.hub.domain}") if own else self._site()
        inside = names.address(self._args.host.stack, "caddy", names.CADDY_PUSH_PORT)
        return pulumi.Output.from_input(f"http://{inside if own else f'{names.NO_DOMAIN}:{settings.hub.ports.push}'}")

    def address_for(self, host: str) -> pulumi.Input[str] | None:
        """What the name in this host's push URL means, where no DNS knows it."""
        inside = self._args.settings.hosts[host].via == "vpc" and host != self._args.host.name
        return self._args.host.private if inside else None

    def _service(self, role: str, **args: object) -> Service:
        args.setdefault("networks", [Network(self.network)])
        args.setdefault("durable", True)
        after = args.pop("after", [])
        return Service(
            role,
            ServiceArgs(host=self._args.host, role=role, image=self._args.images[role], **args),  # type: ignore[arg-type]
            pulumi.ResourceOptions(parent=self, depends_on=[self._made_network, *after]),  # type: ignore[misc]
        )

    def _prometheus(self) -> Service:
        settings = self._args.settings
        return self._service(
            "prometheus",
            limits=self._limits.prometheus,
            config=prometheus.CONFIG,
            files={
                "prometheus.yml": prometheus.config(settings),
                **self._rules("rules", lambda url: rules.files(settings, url)),
            },
            check=["promtool", "check", "config", f"{prometheus.CONFIG}/prometheus.yml"],
            reload=HUP,
            command=prometheus.command(settings),
            data={"prometheus": prometheus.DATA},
            healthcheck=["wget", "-q", "-O", "/dev/null", f"http://127.0.0.1:{names.PROMETHEUS_PORT}/-/healthy"],
            stop_timeout=60,
        )

    def _rules(self, folder: str, render: Callable[[str], dict[str, str]]) -> dict[str, pulumi.Output[str]]:
        """Rule files; their links lead to Grafana, whose address may not be known yet."""

        def text(name: str) -> pulumi.Output[str]:
            return self.url.apply(lambda url: render(url)[name])

        return {f"{folder}/{name}": text(name) for name in render("")}

    def _loki(self) -> Service:
        settings = self._args.settings
        return self._service(
            "loki",
            limits=self._limits.loki,
            config=loki.CONFIG,
            files={
                "loki.yml": loki.config(settings),
                **self._rules(f"{loki.RULES}/{loki.TENANT}", lambda url: rules.log_files(settings, url)),
            },
            check=["/usr/bin/loki", f"-config.file={loki.CONFIG}/loki.yml", "-verify-config=true"],
            # Rules are read again by Loki itself within a minute, its configuration at its start only.
            reload=_restart_unless(f"{loki.RULES}/"),
            command=loki.command(),
            data={"loki": loki.DATA},
            stop_timeout=60,
        )

    def _grafana(self) -> Service:
        settings = self._args.settings
        boards = {f"dashboards/{name}": text for name, text in dashboards.render(settings).items()}
        secrets = {key: pulumi.Output.secret(value) for key, value in grafana.secrets(settings).items()}
        return self._service(
            "grafana",
            limits=self._limits.grafana,
            config=grafana.CONFIG,
            files={
                "grafana.ini": grafana.ini(settings),
                "provisioning/datasources/fleetwatch.yml": grafana.data_sources(settings),
                "provisioning/dashboards/fleetwatch.yml": grafana.dashboard_provider(),
                **boards,
            },
            secrets={**secrets, grafana.ADMIN_PASSWORD: self._args.admin_password},
            # Dashboards are read again by Grafana itself within seconds; the rest at its start only.
            reload=_restart_unless("dashboards/"),
            data={"grafana": grafana.DATA},
            healthcheck=["wget", "-q", "-O", "/dev/null", f"http://127.0.0.1:{names.GRAFANA_PORT}/api/health"],
            read_only=False,  # Grafana unpacks plugins and writes below its home
        )

    def _alertmanager(self) -> Service:
        settings = self._args.settings
        secrets = {key: pulumi.Output.secret(value) for key, value in alertmanager.secrets(settings).items()}
        return self._service(
            "alertmanager",
            limits=self._limits.alertmanager,
            config=alertmanager.CONFIG,
            files={
                "alertmanager.yml": alertmanager.config(settings),
                alertmanager.TEMPLATES: messages.TEMPLATES,
            },
            secrets=secrets,
            check=["amtool", "check-config", f"{alertmanager.CONFIG}/alertmanager.yml"],
            reload=HUP,
            command=alertmanager.command(settings),
            data={"alertmanager": alertmanager.DATA},
            healthcheck=["wget", "-q", "-O", "/dev/null", f"http://127.0.0.1:{names.ALERTMANAGER_PORT}/-/healthy"],
        )

    def _caddy(self, behind: list[Service]) -> Service:
        settings = self._args.settings
        return self._service(
            "caddy",
            limits=self._limits.caddy,
            config=caddy.CONFIG,
            files={"Caddyfile": caddy.caddyfile(settings)},
            secrets={
                # Always there: the mounted folder would come and go with the first and the last of them.
                f"{caddy.USERS}/README": "Who may push over the internet has a file here.\n",
                **{f"{caddy.USERS}/{host}.caddy": known.apply(caddy.users) for host, known in self._args.users.items()},
            },
            check=["caddy", "validate", "--config", f"{caddy.CONFIG}/Caddyfile", "--adapter", "caddyfile"],
            reload='docker exec "$CONTAINER" caddy reload --force --adapter caddyfile '
            f"--config {caddy.CONFIG}/Caddyfile",
            command=caddy.command(),
            data={"caddy-data": caddy.DATA, "caddy-config": "/config"},
            networks=[Network(self.network, [settings.hub.domain])],
            ports=self._ports(),
            healthcheck=["wget", "-q", "-O", "/dev/null", f"http://127.0.0.1:{names.CADDY_METRICS_PORT}/metrics"],
            capabilities=["CAP_NET_BIND_SERVICE"],
            after=behind,
        )

    def _ports(self) -> list[docker.ContainerPortArgs]:
        """Which listener of Caddy is published where. On this machine everything stays on its loopback."""
        host, ports = self._args.host, self._args.settings.hub.ports
        local = self._args.settings.hub.kind == "local"
        people = LOOPBACK if local else EVERYWHERE
        published: dict[int, tuple[int, pulumi.Input[str] | None]] = {
            names.CADDY_HTTPS_PORT: (ports.https, people),
            names.CADDY_HTTP_PORT: (ports.http, people),
            names.CADDY_PUSH_PORT: (ports.push, LOOPBACK if local else host.private),
            names.CADDY_QUERY_PORT: (ports.query, LOOPBACK),
        }
        return [
            docker.ContainerPortArgs(internal=inside, external=outside, ip=address, protocol="tcp")
            for inside, (outside, address) in sorted(published.items())  # the order in which the provider keeps them
            if address is not None
        ]
