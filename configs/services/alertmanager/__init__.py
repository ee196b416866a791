"""Alertmanager on the hub: receivers from settings, each secret in a separate file."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from configs import names
from configs.names import NOBODY
from configs.render.dump import to_yaml
from configs.services.alertmanager import receivers, routing, templates
from configs.services.alertmanager.kinds import AWS_PROFILES
from configs.services.context import Context
from configs.services.spec import (
    MB,
    RELOAD_BY_HUP,
    File,
    Late,
    Network,
    Port,
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
    image="alertmanager",
    licence="Apache-2.0",
    limits="alertmanager",
    memory=128 * MB,
    cpus=0.5,
    jobs=("alertmanager",),
)
CONFIG = "/etc/alertmanager"
DATA = "/alertmanager"
TEMPLATES = "fleetwatch.tmpl"
CUSTOM = "custom"  # the folder of templates of the user


def specs(context: Context) -> list[ServiceSpec]:
    """Alertmanager of the hub."""
    settings = context.settings
    return [
        ServiceSpec(
            role="alertmanager",
            service=SERVICE,
            limits=context.hub_limits(SERVICE),
            config_dir=CONFIG,
            files={
                "alertmanager.yml": text(config(settings, context.name if context.node else "")),
                TEMPLATES: text(templates.TEMPLATES),
                **{f"{CUSTOM}/{name}": text(content) for name, content in settings.custom.templates.items()},
                **{path: text(ca) for path, ca in receivers.cas(settings.hub.alerts).items()},
            },
            secrets={name: File(_secret(settings, name)) for name in secrets(settings)},
            check=("amtool", "check-config", f"{CONFIG}/alertmanager.yml"),
            reload=RELOAD_BY_HUP,
            command=(*command(settings), *_cluster(context)),
            # Not only where a receiver uses SNS: a new variable would recreate the container.
            environment=(f"AWS_SHARED_CREDENTIALS_FILE={names.SECRETS}/{AWS_PROFILES}",),
            volumes={"alertmanager": Volume(DATA, durable=True)},
            binds=context.nodes_file,
            networks=(Network("hub"),),
            ports=_ports(context),
            health=http_check(f"http://127.0.0.1:{names.ALERTMANAGER_PORT}/-/healthy"),
            scrape=ScrapeJob(
                name="alertmanager", interval=context.edge.scrape.hub, port=names.ALERTMANAGER_PORT, series=520
            ),
        )
    ]


def _secret(settings: Settings, name: str) -> Callable[[Late], str]:
    return lambda _: secrets(settings)[name]


def config(settings: Settings, host: str = "") -> str:
    """alertmanager.yml. `host`: of a cluster the node that it is for."""
    alerts = settings.hub.alerts
    intervals = routing.intervals(alerts)
    return to_yaml(
        {
            "route": routing.tree(alerts),
            **({"time_intervals": intervals} if intervals else {}),
            # Those of the user last: a template that is defined again replaces the one before.
            "templates": [
                f"{CONFIG}/{TEMPLATES}",
                *([f"{CONFIG}/{CUSTOM}/*.tmpl"] if settings.custom.templates else []),
            ],
            "inhibit_rules": routing.inhibitions(host, tuple(settings.hub.nodes)),
            "receivers": [
                {"name": NOBODY},
                *(receivers.receiver(CONFIG, name, given) for name, given in sorted(alerts.receivers.items())),
            ],
        },
        "Alertmanager of the hub, rendered by fleetwatch",
    )


def secrets(settings: Settings) -> dict[str, str]:
    """Secret files by name."""
    return receivers.secrets(settings.hub.alerts)


def command(settings: Settings) -> list[str]:
    """Arguments of the container."""
    return [
        f"--config.file={CONFIG}/alertmanager.yml",
        f"--storage.path={DATA}",
        f"--web.listen-address=:{names.ALERTMANAGER_PORT}",
        f"--web.external-url=http://localhost:{settings.hub.ports.query}/alertmanager",
        "--web.route-prefix=/",
    ]


def _cluster(context: Context) -> tuple[str, ...]:
    """Silences, and what was notified, are passed on between the nodes by gossip."""
    if not context.node:
        return ("--cluster.listen-address=",)
    port = names.ALERTMANAGER_GOSSIP_PORT
    return (
        f"--cluster.listen-address=0.0.0.0:{port}",
        f"--cluster.advertise-address={names.PRIVATE_ADDRESS}:{port}",
        f"--cluster.label={names.cloud(context.settings.prefix, context.settings.env)}",
        *(f"--cluster.peer={names.node(peer)}:{port}" for peer in context.peers),
    )


def _ports(context: Context) -> tuple[Port, ...]:
    """For the other nodes: their alerts, and the gossip."""
    if not context.node:
        return ()
    gossip = names.ALERTMANAGER_GOSSIP_PORT
    return (
        Port(names.ALERTMANAGER_PORT, names.ALERTMANAGER_PORT, "nodes"),
        Port(gossip, gossip, "nodes"),
        Port(gossip, gossip, "nodes", "udp"),
    )
