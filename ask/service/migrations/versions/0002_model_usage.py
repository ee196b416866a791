"""The language model's budget of tokens by day."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

_STATEMENT = """
CREATE TABLE model_usage (
    day date CONSTRAINT model_usage_pkey PRIMARY KEY,
    tokens bigint NOT NULL,
    requests bigint NOT NULL
)
"""


def upgrade() -> None:
    op.execute(_STATEMENT)
