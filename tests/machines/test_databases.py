"""A managed database of a rehearsal cloud: a real PostgreSQL by TLS, for its account alone, from its sources alone.

The assistant's own pool connects, as on a node: its schema is made, and vectors too.
"""

from __future__ import annotations

import contextlib
import ipaddress
import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from ask.service import config, database, migrate
from ask.service.database_store import InDatabase
from ask.service.problems import Problem
from localcloud.machines import networks
from localcloud.machines.databases import PORT, Databases
from localcloud.machines.docker import LABEL, docker, listed
from localcloud.machines.model import DatabaseSpec
from tests.fixtures.leftovers import claimed
from tests.machines.world import soon
from tools import images

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("machines")]


class Made:
    """A server on a separate network, reached from here, which is the network's gateway."""

    def __init__(self, name: str, folder: Path) -> None:
        self.range = ipaddress.ip_network(f"10.{secrets.randbelow(50) + 200}.{secrets.randbelow(250)}.0/24")
        self.folder, self.address = folder, str(self.range[9])
        self.password = secrets.token_urlsafe(14)
        self.databases = Databases(name, images.get(["pgvector"])[0].ref)
        networks.create(name, networks.vpc_name(name, "vpc"), str(self.range))
        spec = DatabaseSpec(uuid="one", vpc="vpc", address=self.address, user="doadmin", password=self.password)
        self.databases.create(spec)
        (folder / "ca.crt").write_text(self.databases.ca("one"))
        (folder / "password").write_text(self.password)

    def settings(self, name: str, sslmode: str = "verify-full") -> config.Database:
        """As ask.yaml has them."""
        return config.Database.model_validate(
            {"host": self.address, "port": PORT, "name": name, "user": "doadmin", "sslmode": sslmode}
            | {"password_file": self.folder / "password", "ca_file": self.folder / "ca.crt", "connections": 2}
        )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    home, name = tmp_path_factory.mktemp("database"), f"fwt{secrets.token_hex(3)}"
    with claimed(name, home):
        try:
            yield Made(name, home)
        finally:
            for container in listed("container", f"{LABEL}={name}"):
                docker("rm", "-f", "-v", container)
            docker("network", "rm", networks.vpc_name(name, "vpc"))


def _connect(
    made: Made, user: str = "doadmin", password: str = "", sslmode: str = "require"
) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host=made.address, port=PORT, user=user, password=password or made.password, dbname="defaultdb",
        sslmode=sslmode, connect_timeout=5,
    )  # fmt: skip


def test_only_its_account_comes_in_and_only_by_tls(made: Made) -> None:
    with _connect(made) as connection:
        row = connection.execute("SELECT rolsuper, version() FROM pg_roles WHERE rolname = current_user").fetchone()
        assert row is not None
        assert row[0] is False
        assert str(row[1]).startswith("PostgreSQL 17")
    for changed in ({"sslmode": "disable"}, {"user": "postgres"}, {"password": "wrong"}):
        with pytest.raises(psycopg.OperationalError):
            _connect(made, **changed)


def test_the_assistant_makes_its_schema_and_its_store_works(made: Made) -> None:
    made.databases.run("one", 'CREATE DATABASE "ask" OWNER doadmin;')
    pool = database.engine(made.settings("ask"))
    migrate.upgrade(pool)
    migrate.upgrade(pool, migrate.VECTORS)
    store = InDatabase(pool)
    assert store.put("session:x", {"user": "ada"}, 60)
    assert store.get("session:x") == {"user": "ada"}
    pool.dispose()
    docker("kill", made.databases.container("one"))
    docker("start", made.databases.container("one"))
    again = database.engine(made.settings("ask"))
    assert soon("the server after a kill", lambda: _document(again)) == {"user": "ada"}
    again.dispose()


def _document(pool: sa.Engine) -> object:
    with contextlib.suppress(Problem):
        return InDatabase(pool).get("session:x")
    return None


def test_sources_let_in_and_shut_out(made: Made) -> None:
    made.databases.sources("one", (str(made.range[77]),))
    with pytest.raises(psycopg.OperationalError, match="no pg_hba.conf entry"):
        _connect(made)
    made.databases.sources("one", (str(made.range[1]),))
    _connect(made).close()
