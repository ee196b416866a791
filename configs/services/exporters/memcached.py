"""The exporter of memcached."""

from __future__ import annotations

from configs import names
from configs.services import exporters
from configs.services.context import Context
from configs.services.spec import MB, Service, ServiceSpec

SERVICE = Service(
    image="memcached_exporter",
    licence="Apache-2.0",
    limits="memcached_exporter",
    memory=64 * MB,
    cpus=0.1,
    jobs=("memcached",),
)
PORT = 9150


def specs(context: Context) -> list[ServiceSpec]:
    """One exporter for each server."""
    return [
        exporters.spec(
            context,
            name,
            SERVICE,
            port=PORT,
            series=150,  # not measured
            command=(
                f"--memcached.address={server.target}",
                f"--web.listen-address=:{PORT}",
                f"--web.config.file={names.SECRETS}/{exporters.WEB}",
            ),
            password=True,  # its page `/scrape` connects to any address that a request names
        )
        for name, server in exporters.entries(context, "memcached")
    ]
