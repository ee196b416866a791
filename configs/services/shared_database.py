"""The PostgreSQL that the nodes of a cluster share, as Grafana, the assistant and the exporter connect to it.

Each has a separate database. On a managed server both belong to its one account that may make extensions and tables:
accounts made by DigitalOcean's API may not, until SQL grants it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from configs.services.spec import File, Late, LateField

if TYPE_CHECKING:
    from configs.settings import Settings
    from configs.settings.database import OwnServer

Owner = Literal["grafana", "ask"]  # also the names of the databases on a managed server
CA, PASSWORD = "database-ca.crt", "database-password"  # files
# Connections in a pool of each on each node. Grafana opens two pools with the same settings: one more for its unified
# storage. The exporter keeps one connection and opens another one for each scrape.
GRAFANA, ASK = 4, 2
GRAFANA_POOLS, EXPORTER = 2, 2
VERIFY_MANAGED = "verify-ca"  # its authority is of the account alone; which names are in its certificates is not stated


@dataclass(frozen=True)
class Place:
    """One database. `verified`: the certificate is compared with the file CA."""

    host: str
    port: int
    name: str
    user: str
    sslmode: str

    @property
    def address(self) -> str:
        """host:port, an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def verified(self) -> bool:
        return self.sslmode.startswith("verify")


def own(settings: Settings) -> OwnServer | None:
    """The server of the stack file; None: it is the managed one."""
    database = settings.hub.storage.shared
    assert database is not None, "only containers of a cluster need it"
    return database.postgres


def connections(settings: Settings) -> int:
    """How many all nodes open at most."""
    of_node = GRAFANA_POOLS * GRAFANA + EXPORTER + (ASK if settings.hub.ask is not None else 0)
    return of_node * len(settings.hub.hosts)


def accepted(size: str) -> int | None:
    """How many a managed server of this size lets in: 25 for each GB of memory, without three that DigitalOcean keeps.
    None: the slug does not say its memory."""
    found = re.search(r"-(\d+)gb$", size)
    return 25 * int(found[1]) - 3 if found is not None else None


def file(settings: Settings, owner: Owner, render: Callable[[Place, Late], str], *more: LateField) -> File:
    """A file that `render` makes of the Place of this database, and of late values: those in `more`."""
    made: tuple[LateField, ...] = ("database",) if own(settings) is None else ()
    return File(lambda late: render(_place(settings, owner, late), late), needs=(*made, *more))


def password(settings: Settings, owner: Owner) -> File:
    """The secret file with the account's password."""
    if own(settings) is None:
        return File(lambda late: late.database_password, needs=("database_password",))
    return File(lambda _: unquote(urlsplit(_dsn(settings, owner)).password or ""))


def ca(settings: Settings) -> dict[str, File]:
    """The file with the authority's certificate; none where it is not verified."""
    server = own(settings)
    if server is None:
        return {CA: File(lambda late: late.database["ca"], needs=("database",))}
    return {CA: File(lambda _: server.ca or "")} if server.ca is not None else {}


def _dsn(settings: Settings, owner: Owner) -> str:
    server = own(settings)
    connection = None if server is None else getattr(server, owner)
    assert connection is not None, "the settings have checked it"
    return str(connection.dsn.get_secret_value())


def _place(settings: Settings, owner: Owner, late: Late) -> Place:
    server = own(settings)
    if server is None:
        made = late.database
        return Place(made["host"], int(made["port"]), owner, made["user"], VERIFY_MANAGED)
    parts = urlsplit(_dsn(settings, owner))
    default = "require" if server.ca is None else "verify-full"
    mode = dict(parse_qsl(parts.query)).get("sslmode", default)
    name, user = unquote(parts.path.strip("/")), unquote(parts.username or "")
    return Place(parts.hostname or "", parts.port or 5432, name, user, mode)


def ports(settings: Settings) -> set[int]:
    """The ports of the user's servers, which the nodes have to be let out to."""
    if settings.hub.storage.shared is None or (server := own(settings)) is None:
        return set()
    connections = [server.grafana, *([server.ask] if server.ask is not None else [])]
    return {urlsplit(one.dsn.get_secret_value()).port or 5432 for one in connections}
