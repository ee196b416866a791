"""Settings of a server whose metrics need a separate program: where it is, and the account that reads them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, field_validator, model_validator
from pydantic_core.core_schema import ValidationInfo

from configs import names
from configs.settings.addresses import http_url_without_user, is_host_port, refuse_loopback
from configs.settings.base import Secret, Strict, require_one


@dataclass(frozen=True, kw_only=True)
class Program:
    """What the entry of one kind of server may contain. `port`: the usual one, 0 for a URL. `account`: whether it has
    users ("required", "optional" or ""). `alone`: a password may stand without a user. `tls`: whether its exporter can
    encrypt the connection."""

    job: str
    port: int
    account: str = ""
    password: bool = False
    alone: bool = False
    tls: bool = False


# By the key in the stack file. The port of RabbitMQ is that of its plugin rabbitmq_prometheus.
PROGRAMS: dict[str, Program] = {
    "redis": Program(job="redis", port=6379, account="optional", password=True, alone=True, tls=True),
    "valkey": Program(job="redis", port=6379, account="optional", password=True, alone=True, tls=True),
    "mysql": Program(job="mysql", port=3306, account="required", password=True, tls=True),
    "mariadb": Program(job="mysql", port=3306, account="required", password=True, tls=True),
    "mongodb": Program(job="mongodb", port=27017, account="optional", password=True, tls=True),
    "nginx": Program(job="nginx", port=0),
    "rabbitmq": Program(job="rabbitmq", port=15692),
    "memcached": Program(job="memcached", port=11211),
}
KINDS = tuple(PROGRAMS)
_OTHER_PORTS = {5671: "for AMQP", 5672: "for AMQP", 15671: "the management page", 15672: "the management page"}
_REPLACED = re.compile(r"%\([^)]+\)s")  # by the value of that key; its ini reader has no escape for it


def _address(value: str, kind: str) -> str:
    port = PROGRAMS[kind].port
    example = f"expected host or host:port, such as cache or cache:{port}"
    if "://" in value or "@" in value:
        secret = "; the account has separate keys, `user` and `password`" if PROGRAMS[kind].password else ""
        raise ValueError(f"{example}, without a scheme and an account{secret}")
    address = value if ":" in value.rpartition("]")[2] else f"{value}:{port}"
    if not is_host_port(address):
        raise ValueError(f"{example} (the name as seen from the edge's Docker networks)")
    host, _, digits = address.rpartition(":")
    number = int(digits)
    if kind == "rabbitmq" and number in _OTHER_PORTS:
        raise ValueError(
            f"expected the port of the plugin rabbitmq_prometheus, usually {port}; {number} is {_OTHER_PORTS[number]}"
        )
    refuse_loopback(host, f"{names.DOCKER_HOST}:{number}")
    return f"{host}:{number}"


def _status_page(value: str) -> str:
    if "://" not in value:
        raise ValueError("expected the URL of its stub_status page, such as http://web:8080/stub_status")
    host = urlsplit(http_url_without_user(value)).hostname or ""
    if re.search(r"[?#]", value):  # a query may hold a secret, and the exporter has its URL as an argument
        raise ValueError("expected a URL without ? and #, stub_status reads no query")
    refuse_loopback(host, f"http://{names.DOCKER_HOST}:PORT/...")
    return value


def _user(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.@-]{1,64}", value):
        raise ValueError("expected the name of a user: letters, digits, and . _ @ -")
    return value


class Exporter(Strict):
    """A server of the user, read by a separate exporter; exactly one of `redis`, `valkey`, `mysql`, `mariadb`,
    `mongodb`, `nginx`, `rabbitmq` and `memcached`.

    Each is host or host:port as seen from the edge's Docker networks, nginx the URL of its `stub_status` page, RabbitMQ
    the address of its plugin `rabbitmq_prometheus`. `user` and `password`: an account that may read statistics
    (docs/tasks/add-an-exporter.md has the commands that make it). `tls: true` encrypts the connection and verifies the
    server's certificate, as an https URL of nginx does; `insecure: true` accepts any.
    """

    redis: str | None = None
    valkey: str | None = None
    mysql: str | None = None
    mariadb: str | None = None
    mongodb: str | None = None
    nginx: str | None = None
    rabbitmq: str | None = None
    memcached: str | None = None
    user: Annotated[str, AfterValidator(_user)] | None = None
    password: Secret | None = None
    tls: bool = False
    insecure: bool = False

    @field_validator(*KINDS)
    @classmethod
    def _target(cls, value: str | None, info: ValidationInfo) -> Any:
        if value is None:
            return None
        kind = str(info.field_name)
        return _address(value, kind) if PROGRAMS[kind].port else _status_page(value)

    @model_validator(mode="after")
    def _consistent(self) -> Exporter:
        require_one(self, KINDS, f"expected exactly one of {', '.join(KINDS)}")
        program = PROGRAMS[self.kind]
        if self.password is not None and not program.password:
            raise ValueError(f"password: expected none beside `{self.kind}`, its exporter has no account")
        if self.user is not None and not program.account:
            raise ValueError(f"user: expected none beside `{self.kind}`, its exporter has no account")
        if self.user is None and program.account == "required":
            raise ValueError(f"user: missing, the exporter of `{self.kind}` needs an account")
        if self.user is not None and self.password is None:
            raise ValueError("password: missing, this key is required beside `user`")
        if self.password is not None and self.user is None and not program.alone:
            raise ValueError("user: missing, this key is required beside `password`")
        if self.password is not None and program.job == "mysql" and _REPLACED.search(self.password.get_secret_value()):
            raise ValueError("password: expected one without %(...)s, which the exporter of MySQL replaces")
        if self.tls and not program.tls:
            hint = "write an https:// URL instead" if self.nginx else "it is read without TLS"
            raise ValueError(f"tls: expected false beside `{self.kind}`; {hint}")
        if self.insecure and not self.tls and not self.target.startswith("https://"):
            need = "an https:// URL" if self.nginx else "`tls: true`"
            raise ValueError(f"insecure: expected false without {need}, there is no certificate to accept")
        return self

    @property
    def kind(self) -> str:
        """Which of KINDS it is, as it is written in the stack file."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def job(self) -> str:
        """The scrape job of its kind, which MySQL and MariaDB share, and Redis and Valkey."""
        return PROGRAMS[self.kind].job

    @property
    def target(self) -> str:
        """host:port, or nginx's URL."""
        return str(getattr(self, self.kind))

    @property
    def host(self) -> str:
        """The name or address of the server."""
        return (urlsplit(self.target).hostname or "") if "://" in self.target else self.target.rpartition(":")[0]
