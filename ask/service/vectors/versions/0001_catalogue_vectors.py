"""The vectors of the catalogue's texts, by model: vectors of different models, or lengths, cannot be compared.

There is no index: of fewer than 10,000 vectors an exact scan takes milliseconds and misses none.
"""

from __future__ import annotations

from alembic import op

revision = "vectors_0001"
down_revision = None

_STATEMENTS = (
    "CREATE EXTENSION IF NOT EXISTS vector",
    """
CREATE TABLE catalogue_vectors (
    model text NOT NULL,
    dimensions integer NOT NULL,
    digest text NOT NULL,
    embedding vector NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT catalogue_vectors_pkey PRIMARY KEY (model, dimensions, digest),
    CONSTRAINT catalogue_vectors_dimensions_check CHECK (vector_dims(embedding) = dimensions)
)
""",
)


def upgrade() -> None:
    for one in _STATEMENTS:
        op.execute(one)
