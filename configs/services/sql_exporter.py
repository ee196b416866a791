"""The SQL exporter of an edge: one for all its databases. Its queries are the files of configs/queries.

sql_exporter reads connections only from its main file, which is therefore a secret; the queries are plain files.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from configs import names
from configs.render.dump import to_yaml
from configs.services.context import Context
from configs.services.postgres_exporter import connection_defaults
from configs.services.spec import MB, RESTART, File, Network, ScrapeJob, Service, ServiceSpec, http_check, text
from configs.units import go_duration

if TYPE_CHECKING:
    from configs.settings import Edge

SERVICE = Service(
    image="sql_exporter",
    licence="MIT",
    limits="sql_exporter",
    memory=128 * MB,
    cpus=0.2,
    jobs=("sql",),
)
CONFIG = "/etc/sql_exporter"
FILE = f"{names.SECRETS}/sql_exporter.yml"
CHECK = ["sql_exporter", "-config.check", f"-config.file={FILE}"]
QUERIES = Path(__file__).parent.parent / "queries"
MOST = 45  # seconds that one scrape may take, all queries of all databases together
# Limits of one query. A monitoring query must not wait for a lock: all other queries would queue behind it.
LIMITS = {"statement_timeout": "20000", "lock_timeout": "2000", "default_transaction_read_only": "on"}
# The exporter's internal metrics have generic names (Prometheus itself writes an `up`).
_RENAMED = {
    "up": "fleetwatch_sql_up",
    "scrape_duration_seconds": "fleetwatch_sql_scrape_seconds",
    "scrape_errors_total": "fleetwatch_sql_errors_total",
}


def specs(context: Context) -> list[ServiceSpec]:
    """One exporter for all databases of the host, if there are any. It opens at most two connections to each."""
    edge = context.edge
    if not edge.postgres:
        return []
    return [
        ServiceSpec(
            role="sql-exporter",
            service=SERVICE,
            limits=context.edge_limits(SERVICE),
            config_dir=CONFIG,
            files={name: text(content) for name, content in queries().items()},
            secrets={"sql_exporter.yml": File(lambda _: secret(edge))},
            check=tuple(CHECK),
            reload=RESTART,
            command=tuple(command()),
            networks=(Network("edge"),),
            hosts=context.host_names,
            user_networks=True,
            health=http_check(f"http://127.0.0.1:{names.SQL_EXPORTER_PORT}/healthz"),
            scrape=ScrapeJob(
                name="sql",
                interval=edge.scrape.sql,
                timeout=timeout(edge),
                port=names.SQL_EXPORTER_PORT,
                # Per database: 50 without TimescaleDB, and about 20 per hypertable with its policies.
                series=150 * len(edge.postgres),
                metric_relabel_configs=tuple(relabel()),
            ),
        )
    ]


def queries() -> dict[str, str]:
    """The collectors, by file name."""
    return {path.name: path.read_text() for path in sorted(QUERIES.glob("*.yaml"))}


def command() -> list[str]:
    """Arguments of the container. Each of the exporter's targets is one `postgres` entry of the stack file."""
    return [
        f"-config.file={FILE}",
        "-config.target-label=database",
        f"-web.listen-address=:{names.SQL_EXPORTER_PORT}",
        "-log.level=warn",
    ]


def secret(edge: Edge) -> str:
    """sql_exporter.yml: every database with its connection, each with the same queries."""
    databases = [
        {"targets": {name: connection(database.dsn.get_secret_value())}}
        for name, database in sorted(edge.postgres.items())
    ]
    return to_yaml(
        {
            "global": {
                "scrape_timeout": go_duration(timeout(edge)),
                "scrape_timeout_offset": "500ms",
                "max_connections": 2,
                "max_idle_connections": 1,
                "max_connection_lifetime": "10m",
            },
            "jobs": [{"job_name": "databases", "collectors": ["*"], "static_configs": databases}],
            "collector_files": [f"{CONFIG}/*.yaml"],
        }
    )


def timeout(edge: Edge) -> int:
    """The timeout of a scrape in seconds, never longer than its interval."""
    return min(edge.scrape.sql, MOST)


def connection(dsn: str) -> str:
    """A DSN for sql_exporter: with time limits, read-only, with a name that `pg_stat_activity` shows.

    sql_exporter first replaces $NAME in the DSN by environment variables. It then puts the decoded parts into a
    key=value string without quoting them (xo/dburl, GenPostgres), in which backslash and apostrophe are special.
    The escapes below prevent both.
    """
    parts = urlsplit(dsn)
    login = ":".join(_value(part) for part in (parts.username, parts.password) if part is not None)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    defaults = {"application_name": "fleetwatch", **connection_defaults(dsn), **LIMITS}
    given = {key for key, _ in parse_qsl(parts.query, keep_blank_values=True)}
    added = [f"{key}={value}" for key, value in defaults.items() if key not in given]
    query = "&".join([*([parts.query.replace("$", "%24")] if parts.query else []), *added])
    return f"postgresql://{login}@{host}:{parts.port or 5432}/{_value(parts.path.lstrip('/'))}?{query}"


def _value(part: str) -> str:
    return quote(re.sub(r"([\\'])", r"\\\1", unquote(part)), safe="")


def relabel() -> list[dict[str, Any]]:
    """Renames the exporter's internal metrics and drops its labels `exported_job` and `target`, which add nothing.

    The exporter sets `database` on all metrics but its error counter, where `target` has that value.
    """
    renamed = [
        {"source_labels": ["__name__"], "regex": old, "target_label": "__name__", "replacement": new}
        for old, new in _RENAMED.items()
    ]
    return [
        *renamed,
        {"source_labels": ["target"], "regex": "(.+)", "target_label": "database"},
        {"regex": "exported_job|target", "action": "labeldrop"},
    ]
