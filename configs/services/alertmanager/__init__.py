"""Alertmanager on the hub: receivers from settings, each secret in a separate file."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from configs import names
from configs.names import NOBODY
from configs.render.dump import to_yaml
from configs.services.alertmanager import routing, templates
from configs.services.context import Context
from configs.services.spec import (
    MB,
    RELOAD_BY_HUP,
    File,
    Late,
    Network,
    ScrapeJob,
    Service,
    ServiceSpec,
    Volume,
    http_check,
    text,
)

if TYPE_CHECKING:
    from configs.settings import Settings
    from configs.settings.alerts import Email, Receiver

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


def specs(context: Context) -> list[ServiceSpec]:
    """Alertmanager of the hub."""
    settings = context.settings
    return [
        ServiceSpec(
            role="alertmanager",
            service=SERVICE,
            limits=context.hub_limits(SERVICE),
            config_dir=CONFIG,
            files={"alertmanager.yml": text(config(settings)), TEMPLATES: text(templates.TEMPLATES)},
            secrets={name: File(_secret(settings, name)) for name in secrets(settings)},
            check=("amtool", "check-config", f"{CONFIG}/alertmanager.yml"),
            reload=RELOAD_BY_HUP,
            command=tuple(command(settings)),
            volumes={"alertmanager": Volume(DATA, durable=True)},
            networks=(Network("hub"),),
            health=http_check(f"http://127.0.0.1:{names.ALERTMANAGER_PORT}/-/healthy"),
            scrape=ScrapeJob(
                name="alertmanager", interval=context.edge.scrape.hub, port=names.ALERTMANAGER_PORT, series=520
            ),
        )
    ]


def _secret(settings: Settings, name: str) -> Callable[[Late], str]:
    return lambda _: secrets(settings)[name]


def config(settings: Settings) -> str:
    """alertmanager.yml."""
    alerts = settings.hub.alerts
    intervals = routing.intervals(alerts)
    return to_yaml(
        {
            "route": routing.tree(alerts),
            **({"time_intervals": intervals} if intervals else {}),
            "templates": [f"{CONFIG}/{TEMPLATES}"],
            "inhibit_rules": routing.inhibitions(),
            "receivers": [
                {"name": NOBODY},
                *(_receiver(name, receiver) for name, receiver in sorted(alerts.receivers.items())),
            ],
        },
        "Alertmanager of the hub, rendered by fleetwatch",
    )


def secrets(settings: Settings) -> dict[str, str]:
    """Secret files by name: `<receiver>-<what>`."""
    found = {}
    for name, receiver in sorted(settings.hub.alerts.receivers.items()):
        if receiver.slack:
            found[f"{name}-slack-url"] = receiver.slack.url.get_secret_value()
        if receiver.email and receiver.email.password:
            found[f"{name}-email-password"] = receiver.email.password.get_secret_value()
        if receiver.pagerduty:
            found[f"{name}-pagerduty-key"] = receiver.pagerduty.routing_key.get_secret_value()
        if receiver.webhook:
            found[f"{name}-webhook-url"] = receiver.webhook.url.get_secret_value()
    return found


def command(settings: Settings) -> list[str]:
    """Arguments of the container."""
    return [
        f"--config.file={CONFIG}/alertmanager.yml",
        f"--storage.path={DATA}",
        f"--web.listen-address=:{names.ALERTMANAGER_PORT}",
        f"--web.external-url=http://localhost:{settings.hub.ports.query}/alertmanager",
        "--web.route-prefix=/",
        "--cluster.listen-address=",
    ]


def _receiver(name: str, receiver: Receiver) -> dict[str, Any]:
    made: dict[str, Any] = {"name": name}
    secret = f"{names.SECRETS}/{name}"
    if receiver.slack:
        channel = {"channel": receiver.slack.channel} if receiver.slack.channel else {}
        made["slack_configs"] = [
            {
                "api_url_file": f"{secret}-slack-url",
                **channel,
                "send_resolved": True,
                "title": templates.TITLE,
                "title_link": templates.DASHBOARD,
                "text": templates.BODY,
                "fallback": templates.SHORT,
            }
        ]
    if receiver.email:
        made["email_configs"] = [_email(receiver.email, f"{secret}-email-password")]
    if receiver.pagerduty:
        made["pagerduty_configs"] = [_pagerduty(f"{secret}-pagerduty-key")]
    if receiver.webhook:
        made["webhook_configs"] = [{"url_file": f"{secret}-webhook-url", "send_resolved": True}]
    return made


def _email(email: Email, password_file: str) -> dict[str, Any]:
    login = {"auth_username": email.username} if email.username else {}
    password = {"auth_password_file": password_file} if email.password else {}
    return {
        "to": email.to,
        "from": email.sender,
        "smarthost": email.smarthost,
        **login,
        **password,
        "require_tls": email.require_tls,
        "send_resolved": True,
        "headers": {"Subject": templates.TITLE},
        "text": templates.BODY,
        "html": "",
    }


def _pagerduty(key_file: str) -> dict[str, Any]:
    return {
        "routing_key_file": key_file,
        "send_resolved": True,
        "description": templates.SHORT,
        "severity": templates.SEVERITY,
        "client": "fleetwatch",
        "client_url": templates.DASHBOARD,
        "details": {"alerts": templates.BODY},
    }
