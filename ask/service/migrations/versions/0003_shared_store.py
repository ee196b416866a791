"""What replicas share where there is no Valkey: documents, and members of windows, sets and lists."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

_STATEMENTS = """
CREATE TABLE shared_documents (
    name text CONSTRAINT shared_documents_pkey PRIMARY KEY,
    document text NOT NULL,
    ends_at timestamptz NOT NULL
);
CREATE INDEX shared_documents_ends_at_idx ON shared_documents (ends_at);
CREATE TABLE shared_members (
    name text NOT NULL,
    member text NOT NULL,
    added bigint GENERATED ALWAYS AS IDENTITY,
    ends_at timestamptz NOT NULL,
    CONSTRAINT shared_members_pkey PRIMARY KEY (name, member)
);
CREATE INDEX shared_members_ends_at_idx ON shared_members (ends_at);
"""


def upgrade() -> None:
    for statement in _STATEMENTS.split(";"):
        if statement.strip():
            op.execute(statement)
