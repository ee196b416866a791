"""The exporter of nginx: it reads the page of the module stub_status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from configs.services import exporters
from configs.services.context import Context
from configs.services.spec import MB, HealthCheck, Service, ServiceSpec

if TYPE_CHECKING:
    from configs.settings.exporter import Exporter

SERVICE = Service(
    image="nginx_exporter", licence="Apache-2.0", limits="nginx_exporter", memory=64 * MB, cpus=0.1, jobs=("nginx",)
)
PORT = 9113
# The vendor's image has no program but the exporter, so nothing in it can read a page. This shows that the container
# runs; an exporter that does not answer has no scrape, and NginxDown fires.
HEALTH = HealthCheck(("/usr/bin/nginx-prometheus-exporter", "--version"))


def specs(context: Context) -> list[ServiceSpec]:
    """One exporter for each server."""
    return [
        exporters.spec(
            context,
            name,
            SERVICE,
            port=PORT,
            series=55,  # not measured
            command=command(server),
            health=HEALTH,
        )
        for name, server in exporters.entries(context, "nginx")
    ]


def command(server: Exporter) -> list[str]:
    """Arguments of the exporter. It accepts any certificate unless it is given `ssl-verify`."""
    verify = [] if server.insecure else ["--nginx.ssl-verify"]
    return [
        f"--nginx.scrape-uri={server.target}",
        f"--nginx.timeout={exporters.PATIENCE}s",
        *verify,
        f"--web.listen-address=:{PORT}",
    ]
