"""The connection of a PostgreSQL exporter, as people copy it from an app: what the exporters cannot read is named.

Both exporters connect with github.com/lib/pq (postgres_exporter 0.20.1 with its version 1.10.9). It has the settings of
its conn.go (`isDriverSetting`) and sends every other parameter of a DSN to the server, which refuses the connection for
one that is no setting of PostgreSQL. A message never shows a value: the password may be in the wrong place.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote, unquote_plus, urlsplit

from pydantic import SecretStr

from configs import names
from configs.settings.addresses import is_host, refuse_bad_escape, refuse_loopback

_FORM = (
    "expected postgresql://user:password@host:port/database with one host; the password and the port may be left out"
)
SSL_MODES = ("disable", "require", "verify-ca", "verify-full")  # lib/pq 1.10.9, ssl.go
# Parameters by whose they are. Not complete: the list names what is in the documentation of each.
FOREIGN: dict[str, frozenset[str]] = {
    "Prisma": frozenset(  # "PostgreSQL database connector", connection URL arguments
        {
            "schema", "connection_limit", "pool_timeout", "pgbouncer", "socket_timeout", "sslaccept", "sslidentity",
            "statement_cache_size", "single_use_connections",
        }
    ),
    "pgx": frozenset(  # github.com/jackc/pgx/v5: pgxpool.ParseConfig and ParseConfig
        {
            "pool_max_conns", "pool_min_conns", "pool_min_idle_conns", "pool_max_conn_lifetime",
            "pool_max_conn_lifetime_jitter", "pool_max_conn_idle_time", "pool_health_check_period",
            "default_query_exec_mode", "statement_cache_capacity", "description_cache_capacity",
        }
    ),
    "SQLAlchemy, asyncpg or Django": frozenset(
        {
            "prepared_statement_cache_size", "prepared_statement_name_func", "command_timeout", "async_fallback",
            "pool_size", "max_overflow", "pool_recycle", "conn_max_age", "conn_health_checks", "ssl_require",
        }
    ),
    "Rails or Node.js": frozenset(
        {
            "pool", "encoding", "adapter", "reconnect", "prepared_statements", "statement_limit", "checkout_timeout",
            "max", "min", "ssl", "uselibpqcompat", "connection_timeout", "keepalive",
        }
    ),
    "libpq": frozenset(  # "Parameter Key Words" of PostgreSQL 17, without those of lib/pq
        {
            "channel_binding", "require_auth", "target_session_attrs", "load_balance_hosts", "gssencmode", "gsslib",
            "gssdelegation", "sslnegotiation", "sslcompression", "sslcertmode", "ssl_min_protocol_version",
            "ssl_max_protocol_version", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count",
            "tcp_user_timeout", "hostaddr", "service", "requirepeer", "replication", "requiressl", "sslpassword",
        }
    ),
}  # fmt: skip
_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl", "sslcrldir", "passfile")
_MIXED_CASE = ("datestyle", "intervalstyle", "timezone")  # the settings of PostgreSQL that have upper-case letters
_LOGIN = r"[A-Za-z0-9._~!$&'()*+,;=:%-]*"  # what Go reads before the @ of a URL (net/url, validUserinfo)
_PLACE = ("host", "port", "user", "password", "dbname")


def postgres_dsn(value: SecretStr) -> SecretStr:
    """A password may be left out: the server may trust the exporter's address."""
    dsn = value.get_secret_value()
    if "#" in dsn:
        raise ValueError("expected a DSN without #, the rest behind it would be ignored; write %23 for it")
    _raw_password(dsn)
    try:
        parts = urlsplit(dsn)
        port, host = parts.port, re.sub(r":[0-9]*$", "", parts.netloc.rpartition("@")[2])
        ok = parts.scheme in ("postgres", "postgresql") and parts.username and parts.path.strip("/") and is_host(host)
    except ValueError:
        port, host, ok = None, "", False
    if not ok:
        raise ValueError(_FORM)
    if not dsn.startswith(("postgres://", "postgresql://")):
        raise ValueError("expected postgresql:// in lower-case letters at the beginning of the DSN")
    refuse_bad_escape(dsn)
    if not re.fullmatch(_LOGIN, parts.netloc.rpartition("@")[0]):
        raise ValueError(
            "expected user and password in the DSN of letters, digits and - . _ ~ ! $ & ' ( ) * + , ; = alone; write "
            "any other letter percent-encoded, such as %7B for {"
        )
    refuse_loopback(host, f"{names.DOCKER_HOST}:{port or 5432} in the DSN")
    if port == 0:
        raise ValueError("expected a port between 1 and 65535 in the DSN; without one it is 5432")
    # postgres_exporter splits its connection at every space, fails, and writes all of it to its log.
    if re.search(r"\s", unquote(dsn) + unquote_plus(parts.query)):
        raise ValueError("expected a DSN without spaces, also encoded ones: postgres_exporter cannot read them")
    _parameters(parts.query)
    return value


def _raw_password(dsn: str) -> None:
    """A letter of the password that divides a URL, as it is known from where the last @ stands."""
    scheme, _, rest = dsn.partition("://")
    login, at, place = rest.rpartition("@")
    if scheme not in ("postgres", "postgresql") or not at or "?" in place.partition("/")[0]:
        return
    if "=" in login.rpartition("?")[2] and re.match(r"[^@]*@[^/?@]+/[^?@]*\?", rest):
        return  # the @ stands in a parameter
    password = login.partition(":")[2]
    found = [letter for letter in "@:/?[]" if letter in password]
    if found:
        encoded = ", ".join(f"%{ord(letter):02X} for {letter}" for letter in found)
        raise ValueError(f"expected the password in the DSN with its special letters percent-encoded: write {encoded}")


def _parameters(query: str) -> None:
    given = parse_qsl(query, keep_blank_values=True)
    for name, value in given:
        if name == "sslmode" and value not in SSL_MODES:
            raise ValueError(
                f"expected sslmode={', '.join(SSL_MODES[:-1])} or {SSL_MODES[-1]} in the DSN, the exporters know no "
                "other, such as prefer or allow; leave it out: it is then disable for a container's name and require "
                "for any other server; a server without TLS at an address needs sslmode=disable"
            )
        if name == "connect_timeout" and not re.fullmatch(r"[0-9]{1,6}", value):
            raise ValueError("expected connect_timeout as a number of seconds without a unit in the DSN")
        if name in _FILES:
            raise ValueError(
                f"expected a DSN without {name}, that file is not in the exporter's container; sslmode=require "
                "encrypts without it, verify-full checks a certificate of a public authority"
            )
        if name in _PLACE:
            raise ValueError(f"expected a DSN without the parameter {name}, write it before the ?; {_FORM}")
    foreign = [(name, owner) for name, _ in given if (owner := _owner(name))]
    if foreign:
        named = " and ".join(f"{name} (of {owner})" for name, owner in dict(foreign).items())
        raise ValueError(
            f"expected a DSN without the parameter {named}: the exporters do not know it, and the server would refuse "
            "the connection; remove it"
        )


def _owner(name: str) -> str:
    """Whose parameter it is; nothing for one of lib/pq or of the server."""
    if name != name.lower() and name.lower() not in _MIXED_CASE:
        return "JDBC" if re.fullmatch("[A-Za-z]+", name) else "another program"
    return next((owner for owner, known in FOREIGN.items() if name in known), "")
