"""Caddy, the hub's only entrance: the one container that publishes ports. Its configuration is in caddyfile.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from configs import metrics_store, names
from configs.services.caddy import caddyfile, entry
from configs.services.caddy.caddyfile import USERS
from configs.services.context import Context
from configs.services.spec import (
    MB,
    File,
    Network,
    Port,
    Publish,
    ScrapeJob,
    Service,
    ServiceSpec,
    Volume,
    http_check,
    text,
)

if TYPE_CHECKING:
    from configs.settings import Settings

SERVICE = Service(
    image="caddy",
    licence="Apache-2.0",
    limits="caddy",
    memory=256 * MB,
    cpus=1.0,
    jobs=("caddy",),
)
CONFIG = "/etc/caddy"
DATA = "/data"
AUTHORITY = "pki/authorities/local"  # the folder of its own CA, below that of its data
ROOT = f"{AUTHORITY}/root.crt"


def specs(context: Context) -> list[ServiceSpec]:
    """Caddy of the hub: the only container that publishes ports."""
    settings = context.settings
    return [
        ServiceSpec(
            role="caddy",
            service=SERVICE,
            limits=context.hub_limits(SERVICE),
            config_dir=CONFIG,
            files={"Caddyfile": _caddyfile(context)},
            secrets=_secrets(context),
            check=("caddy", "validate", "--config", f"{CONFIG}/Caddyfile", "--adapter", "caddyfile"),
            reload=f'docker exec "$CONTAINER" caddy reload --force --adapter caddyfile --config {CONFIG}/Caddyfile',
            command=tuple(command()),
            binds=context.nodes_file,  # it passes on pushes, and what a CA asks
            volumes={"caddy-data": Volume(DATA, durable=True), "caddy-config": Volume("/config", durable=True)},
            networks=(Network("hub", (settings.hub.domain,)),),
            ports=_ports(settings),
            depends_on=(*metrics_store.roles(settings, context.name), "loki", "grafana", "alertmanager"),
            health=http_check(f"http://127.0.0.1:{names.CADDY_METRICS_PORT}/metrics"),
            capabilities=("CAP_NET_BIND_SERVICE",),
            scrape=ScrapeJob(name="caddy", interval=context.edge.scrape.hub, port=names.CADDY_METRICS_PORT, series=220),
        )
    ]


def _caddyfile(context: Context) -> File:
    """Of a cluster's node the address of its load balancer is known late."""
    settings = context.settings
    if not context.node:
        return text(caddyfile.render(settings))
    return File(
        lambda late: caddyfile.render(settings, entry.Entry(tuple(late.proxies), context.peers)), needs=("proxies",)
    )


def _secrets(context: Context) -> dict[str, File]:
    """One file for each host that pushes over the internet, and one that is always there: without it the mounted
    folder would come and go with the first and the last of them. Of a cluster's node also the CA of all nodes."""
    settings = context.settings

    def of_host(name: str) -> File:
        return File(lambda late: users(late.users[name]), needs=("users",))

    def of_authority(path: str) -> File:
        return File(lambda late: late.authority[path], needs=("authority",))

    hosts = [name for name, host in settings.hosts.items() if host.via == "internet"]
    shared = (entry.ROOT, entry.KEY) if context.node and settings.hub.own_ca else ()
    return {
        **{path: of_authority(path) for path in shared},
        f"{USERS}/README": text("Each host that pushes over the internet has a file here.\n"),
        **{f"{USERS}/{name}.caddy": of_host(name) for name in hosts},
    }


def _ports(settings: Settings) -> tuple[Port, ...]:
    """Which listener is published where. On this machine everything stays on its loopback."""
    ports, local = settings.hub.ports, settings.hub.kind == "local"
    people: Publish = "loopback" if local else "everyone"
    return (
        Port(names.CADDY_HTTP_PORT, ports.http, people),
        Port(names.CADDY_HTTPS_PORT, ports.https, people),
        Port(names.CADDY_PUSH_PORT, ports.push, "loopback" if local else "private"),
        Port(names.CADDY_QUERY_PORT, ports.query, "loopback"),
    )


def users(accepted: Mapping[str, str]) -> str:
    """The imported lines that let a host push: a bcrypt hash by user name, two while its password is rotated."""
    return "".join(f"{name} {hashed}\n" for name, hashed in sorted(accepted.items()))


def command() -> list[str]:
    """Arguments of the container; the vendor's image has no entrypoint."""
    return ["caddy", "run", "--config", f"{CONFIG}/Caddyfile", "--adapter", "caddyfile"]
