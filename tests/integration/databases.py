"""The story's databases: a PostgreSQL with the stand-in for TimescaleDB, and a physical standby of it.

The account is made with the very lines of docs/databases.md. The database `bare` has no extension: a plain PostgreSQL.
"""

from __future__ import annotations

import re
import subprocess

from tests.fixtures import timescale
from tests.integration.rig import docker, eventually
from tests.integration.story import Story
from tools.paths import CHECKOUT

EXTENSIONS = "/usr/share/postgresql/15/extension"
SETUP = """
CREATE EXTENSION timescaledb;
CREATE TABLE public.orders WITH (autovacuum_enabled = off) AS SELECT n FROM generate_series(1, 1000) n;
DELETE FROM public.orders WHERE n > 750;
SELECT pg_create_physical_replication_slot('kept', true);
"""
# `-R` writes how the standby finds its primary.
COPY = 'pg_basebackup -c fast -h shop-db -U postgres -D "$PGDATA" -R'
STANDBY = f'{COPY} && exec postgres -D "$PGDATA" -c listen_addresses="*"'


def account(password: str) -> str:
    """The lines of docs/databases.md that make it, with this password."""
    page = (CHECKOUT / "docs" / "databases.md").read_text()
    block: str
    (block,) = re.findall(r"^```sql parse\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert block.count("'...'") == 1, "the page has one place for the password"
    return block.replace("'...'", "'" + password.replace("'", "''") + "'")


def psql(story: Story, query: str, database: str = "shop", role: str = "db") -> str:
    """The answer to some SQL, on stdin, by the administrator."""
    words = ("psql", "-qAt", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database)
    return docker("exec", "-i", story.rig.container(role), *words, stdin=query)


def start(story: Story, network: str, password: str) -> None:
    """Both servers, answering, with the account."""
    rig = story.rig
    files = {
        "database-password": ("/pw", password),
        "timescaledb.control": (f"{EXTENSIONS}/timescaledb.control", timescale.CONTROL),
        "timescaledb.sql": (f"{EXTENSIONS}/timescaledb--{timescale.VERSION}.sql", timescale.STAND_IN.read_text()),
    }
    options = ["-e", "POSTGRES_PASSWORD_FILE=/pw", "-e", "POSTGRES_DB=shop"]
    for name, (there, text) in files.items():
        here = rig.home / name
        here.write_text(text)
        here.chmod(0o644)  # the image's user is not ours
        options += ["-v", f"{here}:{there}:ro"]
    _run(story, "db", network, options)
    # Over the network: while the image sets itself up, the server answers on its socket alone.
    _answers(story, "db")
    psql(story, SETUP + account(password))
    psql(story, "ANALYZE public.orders")  # in a session of its own: the one before counts its rows at its end
    psql(story, "CREATE DATABASE bare")
    allow = 'echo "host replication postgres samenet trust" >> "$PGDATA/pg_hba.conf"'
    docker("exec", rig.container("db"), "sh", "-c", allow)
    psql(story, "SELECT pg_reload_conf()")
    _run(story, "db-2", network, ["--entrypoint", "sh"], "-c", STANDBY)
    _answers(story, "db-2")


def _run(story: Story, role: str, network: str, options: list[str], *words: str) -> None:
    names = ("--name", story.rig.container(role), "--network", network, "--network-alias", f"shop-{role}")
    story.rig.run(story.images["postgres"], *words, options=(*names, *options))


def _answers(story: Story, role: str) -> None:
    def ready() -> bool:
        words = ["docker", "exec", story.rig.container(role), "pg_isready", "-q", "-h", "127.0.0.1"]
        return subprocess.run(words, check=False).returncode == 0

    eventually(f"an answer of the database {role}", ready, 60)
