"""The assistant on the hub: its container, ask.yaml and the catalogue. Its code is the package `ask`.

It reads metrics and logs through Caddy's reading side, as Grafana does, so it can change nothing in the stores.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from configs import metrics_store, names
from configs.render.dump import to_yaml
from configs.services import shared_database
from configs.services.context import Context
from configs.services.spec import (
    MB,
    File,
    HealthCheck,
    Late,
    Network,
    ScrapeJob,
    Service,
    ServiceSpec,
    restart_unless,
    text,
)

if TYPE_CHECKING:
    from configs.services.shared_database import Place
    from configs.settings import Settings
    from configs.settings.ask import Ask, AskEmbeddings, AskLimits, AskModel

SERVICE = Service(
    image="ask",
    licence="Apache-2.0",
    limits="ask",
    memory=168 * MB,
    cpus=1.0,
    jobs=("ask",),
)
CONFIG = "/etc/ask"
CATALOGUE = "catalogue.json"
PATH = "/ask"  # of the hub's site
DATABASE = USER = "ask"  # in PostgreSQL
ADMIN = "admin"
_HEALTHY = f"http://127.0.0.1:{names.ASK_METRICS_PORT}/-/healthy"


def specs(context: Context) -> list[ServiceSpec]:
    """The assistant's process, if the stack file has one."""
    settings = context.settings
    ask = settings.hub.ask
    if ask is None:
        return []
    return [
        ServiceSpec(
            role="ask",
            service=SERVICE,
            limits=context.hub_limits(SERVICE),
            config_dir=CONFIG,
            files={
                "ask.yaml": _config_file(settings, ask),
                CATALOGUE: File(lambda _: context.catalogue()),
                **({} if settings.hub.storage.shared is None else shared_database.ca(settings)),
            },
            secrets=_secrets(settings) | _keys(ask),
            reload=restart_unless(CATALOGUE),  # it reads a changed catalogue by itself
            command=("--config", f"{CONFIG}/ask.yaml"),
            networks=(*((Network("ask"),) if with_servers(settings) else ()), Network("hub")),
            hosts=context.host_names if any(names.DOCKER_HOST in one.address for one in ask.providers) else {},
            depends_on=(*after(settings), *(names.ASK_INNER if with_servers(settings) else ())),
            health=HealthCheck(
                ("python3", "-c", f"import urllib.request as r; r.urlopen('{_HEALTHY}', timeout=4)"), start_period=45
            ),
            scrape=ScrapeJob(name="ask", interval=context.edge.scrape.hub, port=names.ASK_METRICS_PORT, series=200),
        )
    ]


def after(settings: Settings) -> tuple[str, ...]:
    """What is started before the assistant: one that fails costs none of it."""
    return (*metrics_store.roles(settings), "loki", "grafana", "alertmanager", "caddy")


def with_servers(settings: Settings) -> bool:
    """Whether its database and its cache are containers beside it. In a cluster a replica on each node shares the
    nodes' PostgreSQL, which has the content of the cache too."""
    return settings.hub.ask is not None and settings.hub.storage.shared is None


def generated(settings: Settings) -> tuple[str, ...]:
    """The files of its generated secrets."""
    of_servers = (names.ASK_DATABASE_PASSWORD, names.ASK_CACHE_PASSWORD)
    return tuple(name for name in names.ASK_SECRETS if with_servers(settings) or name not in of_servers)


def _secrets(settings: Settings) -> dict[str, File]:
    found = {name: secret(name) for name in generated(settings)}
    if settings.hub.storage.shared is not None:
        found[names.ASK_DATABASE_PASSWORD] = shared_database.password(settings, "ask")
    return found


def secret(name: str) -> File:
    """The file with one of the assistant's secrets."""

    def render(late: Late) -> str:
        return f"{late.ask[name]}\n"

    return File(render, needs=("ask",))


def _config_file(settings: Settings, ask: Ask) -> File:
    if settings.hub.storage.shared is None:
        return File(lambda late: config(settings, ask, late.site), needs=("site",))
    return shared_database.file(settings, "ask", lambda place, late: config(settings, ask, late.site, place), "site")


def config(settings: Settings, ask: Ask, site: str, database: Place | None = None) -> str:
    """ask.yaml; secrets are paths of files. `site`: Grafana's address in a browser. `database`: None for the container
    beside it."""
    reading = f"http://{names.address(settings.prefix, 'caddy', names.CADDY_SOURCES_PORT)}"
    return to_yaml(
        {
            "catalogue": f"{CONFIG}/{CATALOGUE}",
            "prometheus": {"url": reading},
            "loki": {"url": reading},
            "grafana": {"url": site},
            **(_own_servers(settings.prefix) if database is None else _shared(database)),
            "session_key_file": _path(names.ASK_SESSION_KEY),
            "admin": {"name": ADMIN, "password_file": _path(names.ASK_ADMIN_PASSWORD)},
            "registration": ask.registration,
            "cors": sorted(ask.cors),
            "limits": {
                "user_per_hour": ask.limits.user_per_hour,
                "admin_per_hour": ask.limits.admin_per_hour,
            },
            "safety": safety(ask.limits),
            "concurrency": ask.limits.at_once,
            "question_seconds": ask.limits.seconds,
            "history_days": ask.history // 86400,
            **({"model": _model(ask.model)} if ask.model is not None else {}),
            **({"embeddings": _embeddings(ask.embeddings)} if ask.embeddings is not None else {}),
        },
        "The assistant, rendered by fleetwatch",
    )


def _own_servers(prefix: str) -> dict[str, object]:
    return {
        "database": {
            "host": names.container(prefix, "ask-database"),
            "port": names.ASK_DATABASE_PORT,
            "name": DATABASE,
            "user": USER,
            "password_file": _path(names.ASK_DATABASE_PASSWORD),
        },
        "valkey": {
            "host": names.container(prefix, "ask-cache"),
            "port": names.ASK_CACHE_PORT,
            "password_file": _path(names.ASK_CACHE_PASSWORD),
        },
    }


def _shared(place: Place) -> dict[str, object]:
    return {
        "database": {
            "host": place.host,
            "port": place.port,
            "name": place.name,
            "user": place.user,
            "password_file": _path(names.ASK_DATABASE_PASSWORD),
            "connections": shared_database.ASK,
            "sslmode": place.sslmode,
            **({"ca_file": f"{CONFIG}/{shared_database.CA}"} if place.verified else {}),
        }
    }


def _model(model: AskModel) -> dict[str, object]:
    return _provider(model, names.ASK_MODEL_KEY) | {"daily_tokens": model.daily_tokens}


def _embeddings(embeddings: AskEmbeddings) -> dict[str, object]:
    return _provider(embeddings, names.ASK_EMBEDDINGS_KEY) | {"dimensions": embeddings.dimensions}


def _provider(one: AskModel | AskEmbeddings, key: str) -> dict[str, object]:
    found: dict[str, object] = {"provider": one.provider, "name": one.name}
    found |= {"base_url": one.base_url} if one.base_url is not None else {}
    found |= {"key_file": _path(key)} if one.api_key is not None else {}
    return found | {"timeout": one.timeout, "share_label_values": one.share_label_values}


def _keys(ask: Ask) -> dict[str, File]:
    """The files with the keys of the providers that have one."""
    found = {}
    for name, one in ((names.ASK_MODEL_KEY, ask.model), (names.ASK_EMBEDDINGS_KEY, ask.embeddings)):
        if one is not None and one.api_key is not None:
            found[name] = text(f"{one.api_key.get_secret_value()}\n")
    return found


def safety(limits: AskLimits) -> dict[str, int]:
    """Bounds of a question and its query, by the names of ask.yaml; times in seconds, sizes in bytes."""
    same = ("question", "nodes", "depth", "selectors", "window", "range", "points", "series", "samples", "lines")
    found = {name: int(getattr(limits, name)) for name in same}
    return found | {"length": limits.query, "log_range": limits.log_range, "log_bytes": limits.log_size}


def _path(name: str) -> str:
    return f"{names.SECRETS}/{name}"
