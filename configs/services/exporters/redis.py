"""The exporter of Redis and Valkey."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote

from configs import names
from configs.services import exporters
from configs.services.context import Context
from configs.services.spec import MB, Service, ServiceSpec

if TYPE_CHECKING:
    from configs.settings.exporter import Exporter

SERVICE = Service(
    image="redis_exporter", licence="MIT", limits="redis_exporter", memory=64 * MB, cpus=0.1, jobs=("redis",)
)
PORT = 9121
PASSWORDS = "passwords.json"


def specs(context: Context) -> list[ServiceSpec]:
    """One exporter for each server."""
    return [_spec(context, name, server) for name, server in exporters.entries(context, "redis")]


def _spec(context: Context, name: str, server: Exporter) -> ServiceSpec:
    address = f"{'rediss' if server.tls else 'redis'}://{server.target}"
    environment = [
        f"REDIS_ADDR={address}",
        f"REDIS_EXPORTER_WEB_LISTEN_ADDRESS=:{PORT}",
        f"REDIS_EXPORTER_CONNECTION_TIMEOUT={exporters.PATIENCE}s",
        "REDIS_EXPORTER_DISABLE_SCRAPE_ENDPOINT=true",  # which connects to any server that a request names
    ]
    if server.user is not None:
        environment.append(f"REDIS_USER={server.user}")
    if server.insecure:
        environment.append("REDIS_EXPORTER_SKIP_TLS_VERIFICATION=true")
    password = server.password
    if password is not None:
        environment.append(f"REDIS_PASSWORD_FILE={names.SECRETS}/{PASSWORDS}")
    return exporters.spec(
        context,
        name,
        SERVICE,
        port=PORT,
        series=360,  # measured: 356 of Redis 7.0
        environment=environment,
        secrets={PASSWORDS: lambda: _passwords(server, address)} if password is not None else {},
        health="/health",
    )


def _passwords(server: Exporter, address: str) -> str:
    """The exporter looks its password up by address; with a user, newer versions add his name to that as Go writes it
    in a URL."""
    password = server.password.get_secret_value() if server.password is not None else ""
    with_user = address.replace("://", f"://{quote(server.user or '', safe='$&+,;=')}@")
    return json.dumps({address: password, with_user: password})
