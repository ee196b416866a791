"""DSNs as people copy them from their apps: what the exporters cannot read is named, and no password is shown."""

from __future__ import annotations

import pytest

from configs.validation import check_file
from tests.fixtures.full import SOURCE, small

PLACE = "postgresql://watch:hunter2@db.example.com:5432/shop"


def _problems(dsn: str) -> list[str]:
    return check_file(small(hosts={"hub": {"postgres": {"main": {"dsn": dsn}}}}), SOURCE)[1]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("schema=public", "schema (of Prisma)"),
        ("pgbouncer=true", "pgbouncer (of Prisma)"),
        ("schema=public&connection_limit=5", "schema (of Prisma) and connection_limit (of Prisma)"),
        ("sslmode=require&channel_binding=require", "channel_binding (of libpq)"),
        ("target_session_attrs=read-write", "target_session_attrs (of libpq)"),
        ("pool_max_conns=10", "pool_max_conns (of pgx)"),
        ("currentSchema=public", "currentSchema (of JDBC)"),
        ("pool=5", "pool (of Rails or Node.js)"),
        ("conn_max_age=60", "conn_max_age (of SQLAlchemy, asyncpg or Django)"),
    ],
)
def test_a_parameter_of_another_program_is_named_with_its_owner(query: str, named: str) -> None:
    (found,) = _problems(f"{PLACE}?{query}")
    assert found.startswith(f"hosts.hub.postgres.main.dsn: expected a DSN without the parameter {named}: the exporters")
    assert "remove it" in found
    assert "hunter2" not in found


@pytest.mark.parametrize("mode", ["prefer", "allow", "", "REQUIRE", "hunter2"])
def test_an_sslmode_that_the_exporters_do_not_know_is_explained(mode: str) -> None:
    (found,) = _problems(f"{PLACE}?sslmode={mode}")
    assert "expected sslmode=disable, require, verify-ca or verify-full in the DSN" in found
    assert "leave it out: it is then disable for a container's name and require for any other server" in found
    assert "hunter2" not in found


@pytest.mark.parametrize("name", ["sslrootcert", "sslcert", "sslkey", "passfile"])
def test_a_file_that_the_container_does_not_have_is_named(name: str) -> None:
    (found,) = _problems(f"{PLACE}?{name}=/etc/ssl/x.pem")
    assert f"expected a DSN without {name}, that file is not in the exporter's container" in found


@pytest.mark.parametrize(
    ("password", "encoded"),
    [
        ("a@hunter2", "%40 for @"),
        ("hunter2:b", "%3A for :"),
        ("hunter2/b", "%2F for /"),
        ("hunter2?b", "%3F for ?"),
        ("a@hunter2:b/c", "%40 for @, %3A for :, %2F for /"),
        ("/hunter2@", "%40 for @, %2F for /"),
        ("[hunter2]", "%5B for [, %5D for ]"),
    ],
)
def test_a_raw_letter_in_a_password_is_named_and_the_password_is_not_shown(password: str, encoded: str) -> None:
    (found,) = _problems(f"postgresql://watch:{password}@db/shop")
    assert found.startswith("hosts.hub.postgres.main.dsn: expected the password in the DSN with its special letters")
    assert f"write {encoded}" in found
    assert "hunter2" not in found


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://watch:a%40b%3Ac%2Fd@db/shop",
        "postgresql://watch@db/shop",
        "postgres://watch:x@db.example.com/shop?sslmode=verify-full&application_name=fleetwatch&connect_timeout=3",
        "postgresql://watch:x@db/shop?statement_timeout=60000&search_path=public&TimeZone=UTC",
        "postgresql://watch:x@db/shop?application_name=a@b",
        "postgresql://watch:!$&'()*+,;=~-._@[fd00::1]:5433/shop",
    ],
)
def test_what_the_exporters_read_is_accepted(dsn: str) -> None:
    assert _problems(dsn) == []
