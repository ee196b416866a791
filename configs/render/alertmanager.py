"""Alertmanager on the hub: receivers from settings, each secret in a file of its own."""

from __future__ import annotations

from typing import Any

from configs import names
from configs.render import messages, routing
from configs.render.dump import to_yaml
from configs.settings import Settings
from configs.settings.alerts import NOBODY, Email, Receiver

CONFIG = "/etc/alertmanager"
DATA = "/alertmanager"
TEMPLATES = "fleetwatch.tmpl"


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
                "title": messages.TITLE,
                "title_link": messages.DASHBOARD,
                "text": messages.BODY,
                "fallback": messages.SHORT,
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
        "headers": {"Subject": messages.TITLE},
        "text": messages.BODY,
        "html": "",
    }


def _pagerduty(key_file: str) -> dict[str, Any]:
    return {
        "routing_key_file": key_file,
        "send_resolved": True,
        "description": messages.SHORT,
        "severity": messages.SEVERITY,
        "client": "fleetwatch",
        "client_url": messages.DASHBOARD,
        "details": {"alerts": messages.BODY},
    }
