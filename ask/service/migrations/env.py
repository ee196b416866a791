"""Run by alembic: migrations on the connection that `ask.service.migrate` gives."""

from __future__ import annotations

from alembic import context

from ask.service import tables

context.configure(connection=context.config.attributes["connection"], target_metadata=tables.metadata)
with context.begin_transaction():
    context.run_migrations()
