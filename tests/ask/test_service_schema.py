"""The schema upgraded with data in it, from each older revision; and the names of the service's own metrics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from prometheus_client import generate_latest

from ask.service import migrate, secrets, tables
from ask.service.metrics import Metrics
from tests.ask import stage
from tests.ask.servers import Server
from tests.ask.stage import Stage

MIGRATIONS = Path(migrate.__file__).parent / "migrations"
SNAPSHOT = Path(__file__).with_name("own_metrics.txt")
USER, KEY = "3f0d6a5e-0000-4000-8000-000000000001", "3f0d6a5e-0000-4000-8000-000000000002"
FIRST = ("users", "api_keys", "services", "metrics", "metric_services", "query_history", "audit")  # its tables
# Rows of the first revision, in columns that it has. Later revisions have to keep them.
ROWS = (
    f"INSERT INTO users (id, name, password_hash, role) VALUES ('{USER}', 'ada', '{{hash}}', 'admin')",
    "INSERT INTO api_keys (id, user_id, name, prefix, digest, per_hour) VALUES "
    f"('{KEY}', '{USER}', 'ci', 'obs_ai_abcde', '{{digest}}', 7)",
    "INSERT INTO services (name, label) VALUES ('node', 'job'), ('shop', 'job')",
    "INSERT INTO metrics (name, kind) VALUES ('up', 'gauge'), ('requests_total', 'counter')",
    "INSERT INTO metric_services SELECT m.id, s.id FROM metrics m, services s WHERE s.name = 'node'",
    "INSERT INTO query_history (user_id, api_key_id, question, context, status, query, confidence) VALUES "
    f"('{USER}', '{KEY}', 'cpu of web-1', '{{{{\"host\": \"web-1\"}}}}', 'answered', 'up', 0.9), "
    f"('{USER}', NULL, 'größe \"x\"', '{{{{}}}}', 'abstained', '', 0)",
    f"INSERT INTO audit (user_id, name, action, detail) VALUES ('{USER}', 'ada', 'question', 'cpu of web-1')",
)


def _script(connection: sa.Connection | None = None) -> Config:
    found = Config()
    found.set_main_option("script_location", str(MIGRATIONS))
    found.attributes["connection"] = connection
    return found


def revisions() -> list[str]:
    """From the first to the newest."""
    return [one.revision for one in ScriptDirectory.from_config(_script()).walk_revisions()][::-1]


def _pool(postgres: Server, database: str) -> sa.Engine:
    url = sa.URL.create("postgresql+psycopg", "ask", postgres.password, "127.0.0.1", postgres.port, database)
    return sa.create_engine(url)


def _contents(pool: sa.Engine, names: dict[str, list[str]]) -> dict[str, list[tuple[Any, ...]]]:
    """Each table's rows, in these columns."""
    with pool.connect() as connection:
        return {
            table: sorted(map(tuple, connection.exec_driver_sql(f"SELECT {', '.join(columns)} FROM {table}")), key=str)
            for table, columns in names.items()
        }


@pytest.mark.parametrize("revision", revisions())
def test_rows_of_an_older_schema_survive_the_upgrade(postgres: Server, valkey: Server, revision: str) -> None:
    database, key = stage.fresh_database(postgres), secrets.new_key()
    pool = _pool(postgres, database)
    with pool.begin() as connection:
        command.upgrade(_script(connection), revision)
    with pool.begin() as connection:
        for row in ROWS:
            text = row.format(hash=secrets.hashed(stage.ADMIN), digest=secrets.digest(key))
            connection.exec_driver_sql(text)
    columns = {
        name: [str(one["name"]) for one in sa.inspect(pool).get_columns(name)]
        for name in sa.inspect(pool).get_table_names()
        if name != "alembic_version"
    }
    before = _contents(pool, columns)
    assert all(before[name] for name in FIRST), "every table of the first revision has rows"
    for _ in range(2):  # the second time there is nothing to do
        migrate.upgrade(pool)
    assert _contents(pool, columns) == before
    with pool.connect() as connection:
        context = MigrationContext.configure(connection)
        assert context.get_current_revision() == revisions()[-1]
        differences = compare_metadata(context, tables.metadata)
    assert [one for one in differences if "alembic_version" not in str(one)] == []
    pool.dispose()
    with stage.replica(postgres, valkey, database) as made:
        _still_works(made, key)


def _still_works(made: Stage, key: str) -> None:
    """Accounts, keys and history of before the upgrade, through the service."""
    headers = made.token("ada")
    assert made.ask("cpu of web-1", {"X-API-Key": key}).headers["X-RateLimit-Limit"] == "7"
    found = made.client.get("/ask/api/v1/history", headers=headers).json()["history"]
    assert {"cpu of web-1", 'größe "x"'} <= {one["question"] for one in found}


def test_names_types_and_help_of_its_metrics() -> None:
    """Boards, alerts and other people's queries use these: a change here is a change for them."""
    text = generate_latest(Metrics().registry).decode()
    found = "".join(f"{line}\n" for line in text.splitlines() if line.startswith("# "))
    assert found == SNAPSHOT.read_text(), f"write the new text to {SNAPSHOT.name}, and change who uses the old names"
