"""The PostgreSQL that the nodes of a cluster share, as Grafana, the assistant and the exporter connect to it.

Each has a separate database. On a managed server both belong to its one account that may make extensions and tables:
accounts made by DigitalOcean's API may not, until SQL grants it.
"""

from __future__ import annotations

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
# Connections of each on each node. The smallest managed server has 22 for all: three nodes with these have 21.
GRAFANA, ASK, EXPORTER = 4, 2, 1
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
