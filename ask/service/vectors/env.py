"""Run by alembic: the migrations of the vectors, on the connection that `ask.service.migrate` gives."""

from __future__ import annotations

from alembic import context

from ask.service import migrate

context.configure(
    connection=context.config.attributes["connection"], version_table=migrate.version_table(migrate.VECTORS)
)
with context.begin_transaction():
    context.run_migrations()
