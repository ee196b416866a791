"""The PostgreSQL exporters of an edge: one for each database server in the stack file."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from configs import names
from configs.services.context import Context
from configs.services.spec import MB, RESTART, File, Late, Network, ScrapeJob, Service, ServiceSpec, http_check

if TYPE_CHECKING:
    from configs.settings.edge import Postgres

SERVICE = Service(
    image="postgres_exporter",
    licence="Apache-2.0",
    limits="postgres_exporter",
    memory=64 * MB,
    cpus=0.2,
    jobs=("postgres",),
)
FILES = ("uri", "user", "password")


def specs(context: Context) -> list[ServiceSpec]:
    """One exporter for each database server."""
    return [_spec(context, name, database) for name, database in sorted(context.edge.postgres.items())]


def _spec(context: Context, name: str, database: Postgres) -> ServiceSpec:
    def part(key: str) -> Callable[[Late], str]:
        return lambda _: connection_files(database.dsn.get_secret_value())[key]

    return ServiceSpec(
        role=f"postgres-{name}",
        service=SERVICE,
        limits=context.edge_limits(SERVICE),
        secrets={key: File(part(key)) for key in FILES},
        reload=RESTART,
        command=tuple(command()),
        environment=tuple(environment()),
        networks=(Network("edge"),),
        hosts=context.host_names,
        user_networks=True,
        # The exporter's start page, not /metrics: a health check must not open a connection to the database.
        health=http_check(f"http://127.0.0.1:{names.POSTGRES_EXPORTER_PORT}/"),
        scrape=ScrapeJob(
            name="postgres",
            interval=context.edge.scrape.postgres,
            port=names.POSTGRES_EXPORTER_PORT,
            series=500,  # not measured
            labels={"database": name},
        ),
    )


def connection_defaults(dsn: str) -> dict[str, str]:
    """Parameters that every connection gets unless its DSN sets them: `connect_timeout` and `sslmode`.

    `sslmode` is `disable` for a container (a name without a dot) and `require` for any other server. Older exporters
    do not support `prefer`.
    """
    name = urlsplit(dsn).hostname or ""
    return {"sslmode": "require" if "." in name or ":" in name else "disable", "connect_timeout": "5"}


def command() -> list[str]:
    """Arguments of a PostgreSQL exporter. It reads its connection from the files below."""
    return [f"--web.listen-address=:{names.POSTGRES_EXPORTER_PORT}"]


def environment() -> list[str]:
    """The paths of the files with the exporter's connection; no secrets."""
    return [
        f"DATA_SOURCE_URI_FILE={names.SECRETS}/uri",
        f"DATA_SOURCE_USER_FILE={names.SECRETS}/user",
        f"DATA_SOURCE_PASS_FILE={names.SECRETS}/password",
    ]


def connection_files(dsn: str) -> dict[str, str]:
    """The three files from which postgres_exporter builds its DSN. It escapes user and password itself.

    A query without `statement_timeout` could block the exporter, so the connection gets a default for it as well.
    """
    parts = urlsplit(dsn)
    name = parts.hostname or ""
    defaults = {**connection_defaults(dsn), "statement_timeout": "10000"}
    given = {key for key, _ in parse_qsl(parts.query, keep_blank_values=True)}
    more = [f"{key}={value}" for key, value in defaults.items() if key not in given]
    query = "&".join([*([parts.query] if parts.query else []), *more])
    host = f"[{name}]" if ":" in name else name
    return {
        "uri": f"{host}:{parts.port or 5432}/{quote(unquote(parts.path.lstrip('/')))}?{query}",
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
    }
