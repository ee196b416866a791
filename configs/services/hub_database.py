"""An exporter on each node of a cluster for the PostgreSQL that all of them share: whether it answers."""

from __future__ import annotations

from configs import names
from configs.services import shared_database
from configs.services.context import Context
from configs.services.postgres_exporter import command, environment
from configs.services.shared_database import Place
from configs.services.spec import MB, RESTART, Network, ScrapeJob, Service, ServiceSpec, http_check

JOB = "hub-database"
SERVICE = Service(
    image="postgres_exporter",
    licence="Apache-2.0",
    limits="database_exporter",
    memory=64 * MB,
    cpus=0.2,
    jobs=(JOB,),
)
# It answers a scrape with `pg_up 0` if the server does not answer; the rest would be thousands of series that no alert
# and no panel reads.
KEPT = "pg_up"


def specs(context: Context) -> list[ServiceSpec]:
    """One on each node; none without a shared database."""
    settings = context.settings
    if settings.hub.storage.shared is None:
        return []
    certificate = shared_database.ca(settings)
    return [
        ServiceSpec(
            role="database-exporter",
            service=SERVICE,
            limits=context.hub_limits(SERVICE),
            secrets={
                "uri": shared_database.file(settings, "grafana", lambda place, _: uri(place)),
                "user": shared_database.file(settings, "grafana", lambda place, _: place.user),
                "password": shared_database.password(settings, "grafana"),
                **certificate,
            },
            reload=RESTART,
            command=tuple(command()),
            environment=tuple(environment()),
            networks=(Network("hub"),),
            health=http_check(f"http://127.0.0.1:{names.POSTGRES_EXPORTER_PORT}/"),
            scrape=ScrapeJob(
                name=JOB,
                interval=context.edge.scrape.hub,
                port=names.POSTGRES_EXPORTER_PORT,
                series=6,
                metric_relabel_configs=({"source_labels": ["__name__"], "regex": KEPT, "action": "keep"},),
            ),
        )
    ]


def uri(place: Place) -> str:
    """The connection without user and password, which the exporter reads from separate files."""
    more = f"&sslrootcert={names.SECRETS}/{shared_database.CA}" if place.verified else ""
    return f"{place.address}/{place.name}?sslmode={place.sslmode}&connect_timeout=5&statement_timeout=10000{more}"
