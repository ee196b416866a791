"""Caddy, the hub's only entrance: the one container that publishes ports. Its configuration is in caddyfile.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from configs import metrics_store, names
from configs.services.caddy import caddyfile
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
ROOT = "pki/authorities/local/root.crt"


def specs(context: Context) -> list[ServiceSpec]:
    """Caddy of the hub: the only container that publishes ports."""
    settings = context.settings
    return [
        ServiceSpec(
            role="caddy",
            service=SERVICE,
            limits=context.hub_limits(SERVICE),
            config_dir=CONFIG,
            files={"Caddyfile": text(caddyfile.render(settings))},
            secrets=_secrets(settings),
            check=("caddy", "validate", "--config", f"{CONFIG}/Caddyfile", "--adapter", "caddyfile"),
            reload=f'docker exec "$CONTAINER" caddy reload --force --adapter caddyfile --config {CONFIG}/Caddyfile',
            command=tuple(command()),
            volumes={"caddy-data": Volume(DATA, durable=True), "caddy-config": Volume("/config", durable=True)},
            networks=(Network("hub", (settings.hub.domain,)),),
            ports=_ports(settings),
            depends_on=(*metrics_store.roles(settings, context.name), "loki", "grafana", "alertmanager"),
            health=http_check(f"http://127.0.0.1:{names.CADDY_METRICS_PORT}/metrics"),
            capabilities=("CAP_NET_BIND_SERVICE",),
            scrape=ScrapeJob(name="caddy", interval=context.edge.scrape.hub, port=names.CADDY_METRICS_PORT, series=220),
        )
    ]


def _secrets(settings: Settings) -> dict[str, File]:
    """One file for each host that pushes over the internet, and one that is always there: without it the mounted
    folder would come and go with the first and the last of them."""

    def of_host(name: str) -> File:
        return File(lambda late: users(late.users[name]), needs=("users",))

    hosts = [name for name, host in settings.hosts.items() if host.via == "internet"]
    return {
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
