"""Settings of the PostgreSQL that the nodes of a cluster share: DigitalOcean's managed one, or one of yours."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from configs.settings.base import Secret, Strict, require_one
from configs.settings.certificates import Certificates
from configs.settings.dsn import postgres_dsn
from configs.settings.places import Slug

_BASIC_DROPLET = "s-"  # how its slug begins; the same of a database begins with db-s-
_SMALLEST = "-1gb"  # the plan without standby nodes
_PLAIN = r"[A-Za-z0-9_.@-]+"  # Grafana's ini reader replaces $ and ends a value at # and ;


def _server_dsn(value: SecretStr) -> SecretStr:
    dsn = postgres_dsn(value).get_secret_value()
    parts = urlsplit(dsn)
    if not parts.password:
        raise ValueError("expected a password in the DSN: postgresql://user:password@host:port/database")
    for what, text in (("user", parts.username or ""), ("database", parts.path.strip("/"))):
        if not re.fullmatch(_PLAIN, unquote(text)):
            raise ValueError(f"expected the name of the {what} in the DSN with letters, digits, and . _ @ - only")
    other = sorted({name for name, _ in parse_qsl(parts.query, keep_blank_values=True)} - {"sslmode"})
    if other:
        raise ValueError(f"expected no parameter but sslmode in the DSN, got {', '.join(other)}; remove it")
    return value


def _database_size(value: str) -> str:
    if value.startswith(_BASIC_DROPLET):
        raise ValueError("expected the slug of a database's size, such as db-s-1vcpu-2gb; this one is a droplet's")
    return value


class Managed(Strict):
    """DigitalOcean's managed PostgreSQL, made by the program in the hub's private network. `nodes`: one that fails is
    made again by DigitalOcean, which takes minutes; with two or three another takes over."""

    size: Annotated[Slug, AfterValidator(_database_size)] = "db-s-1vcpu-2gb"
    nodes: Annotated[int, Field(ge=1, le=3)] = 1

    @model_validator(mode="after")
    def _standby(self) -> Managed:
        if self.nodes > 1 and self.size.endswith(_SMALLEST):
            raise ValueError(
                f"size: expected one with at least 2 GB beside `nodes: {self.nodes}`, such as db-s-1vcpu-2gb: one with "
                "1 GB has no standby nodes"
            )
        return self


class Connection(Strict):
    """A database on a server of yours, and the account that owns it. The DSN is a secret. It may have `sslmode`, by
    default `verify-full` with a `ca` and `require` without."""

    dsn: Annotated[Secret, AfterValidator(_server_dsn)]


class OwnServer(Strict):
    """One PostgreSQL server of yours, which all nodes reach: a database for Grafana and a different one for the
    assistant. It has the extension pgvector if `hub.ask.embeddings` is used. `ca`: the certificate in PEM form that has
    signed the server's."""

    grafana: Connection
    ask: Connection | None = None
    ca: Certificates | None = None

    @model_validator(mode="after")
    def _consistent(self) -> OwnServer:
        connections = {"grafana": self.grafana} | ({"ask": self.ask} if self.ask is not None else {})
        places = {name: urlsplit(one.dsn.get_secret_value()) for name, one in connections.items()}
        if re.search(r"[\\']", unquote(places["grafana"].password or "")):
            raise ValueError(
                "grafana.dsn: expected a password without \\ and ', Grafana does not escape them in its connection and "
                "could not sign in; give the account a different password"
            )
        for name, parts in places.items():
            mode = dict(parse_qsl(parts.query)).get("sslmode", "")
            if mode.startswith("verify") and self.ca is None:
                raise ValueError(
                    f"ca: missing, sslmode={mode} in `{name}.dsn` needs the server's certificate authority"
                )
            if mode == "disable" and self.ca is not None:
                raise ValueError(f"ca: expected none beside sslmode=disable in `{name}.dsn`; remove one of them")
        return self


class Database(Strict):
    """PostgreSQL for the three Grafanas and the assistant of a cluster: exactly one of `managed` and `postgres`."""

    managed: Managed | None = None
    postgres: OwnServer | None = None

    @model_validator(mode="after")
    def _one(self) -> Database:
        require_one(self, ("managed", "postgres"), "expected exactly one database: managed or postgres")
        return self


def check_database(database: Database | None, *, droplets: bool, ask: bool) -> None:
    """ValueError unless the nodes of a cluster can use it. `droplets`: the nodes are some; `ask`: there is one."""
    own = None if database is None else database.postgres
    if not droplets and database is None:
        raise ValueError(
            "storage.database: missing, the nodes of a cluster share a PostgreSQL; give `postgres` (docs/growing.md)"
        )
    if not droplets and own is None:
        raise ValueError(
            "storage.database.managed: expected `postgres` beside `server`, the managed one is in the private network "
            "of droplets"
        )
    if own is not None and ask and own.ask is None:
        raise ValueError("storage.database.postgres.ask: missing, the assistant (`ask`) needs a separate database")
    if own is not None and not ask and own.ask is not None:
        raise ValueError("storage.database.postgres.ask: expected none without the assistant (`ask`); remove it")
