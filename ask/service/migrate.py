"""The schema brought to this version's state, by one replica at a time."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from ask.service import database

LOCK = 0x61736B01  # of pg_advisory_lock, for the schema
SCHEMA = "migrations"
VECTORS = "vectors"  # migrations that need the extension pgvector, applied only with a provider of embeddings
LONGEST = 600  # seconds that another replica's migration is waited for


class SchemaTooNew(RuntimeError):
    """The database was migrated by a newer version."""


def upgrade(pool: sa.Engine, folder: str = SCHEMA) -> None:
    """Apply what is missing, under an advisory lock. Raises SchemaTooNew."""
    with pool.connect() as connection:
        # Waits for another replica, which may create indexes: longer than any other statement may take.
        database.patient(connection, LONGEST + 10)
        connection.execute(sa.text(f"SET statement_timeout = '{LONGEST}s'"))
        connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": LOCK})
        connection.commit()
        try:
            _upgrade(connection, folder)
        finally:
            connection.rollback()
            connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": LOCK})
            connection.execute(sa.text("RESET statement_timeout"))
            connection.commit()


def version_table(folder: str) -> str:
    """Where the revision of the migrations of a folder is."""
    return "alembic_version" if folder == SCHEMA else f"alembic_version_{folder}"


def _upgrade(connection: sa.Connection, folder: str) -> None:
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent / folder))
    settings.attributes["connection"] = connection
    opts = {"version_table": version_table(folder)}
    current = MigrationContext.configure(connection, opts=opts).get_current_revision()
    known = {one.revision for one in ScriptDirectory.from_config(settings).walk_revisions()}
    connection.rollback()
    if current is not None and current not in known:
        raise SchemaTooNew(
            f"The database has schema {current}, which this version does not know. Start the newer version, or restore "
            "the database from before the upgrade."
        )
    command.upgrade(settings, "head")
