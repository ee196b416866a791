"""The tables in PostgreSQL. migrations/ creates them; a test compares both."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_name)s_key",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "ix": "%(table_name)s_%(column_0_name)s_idx",
    }
)
_NOW = func.now()


def _when(name: str, nullable: bool = True) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=None if nullable else _NOW)


users = Table(
    "users",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("gen_random_uuid()")),
    Column("name", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("role", Text, nullable=False, server_default="user"),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    _when("created_at", nullable=False),
    _when("signed_in_at"),
    CheckConstraint("role IN ('user', 'admin')", name="role"),
)
api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("gen_random_uuid()")),
    Column("user_id", Uuid, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("digest", Text, nullable=False, unique=True),
    Column("per_hour", Integer),
    _when("created_at", nullable=False),
    _when("expires_at"),
    _when("used_at"),
    _when("revoked_at"),
    CheckConstraint("per_hour > 0", name="per_hour"),
)
services = Table(
    "services",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("gen_random_uuid()")),
    Column("name", Text, nullable=False),
    Column("label", Text, nullable=False),
    _when("first_seen", nullable=False),
    _when("last_seen", nullable=False),
    Index("services_name_label_key", "name", "label", unique=True),
)
metrics = Table(
    "metrics",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("gen_random_uuid()")),
    Column("name", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("inferred", Boolean, nullable=False, server_default=text("true")),
    Column("meaning", Text, nullable=False, server_default=""),
    _when("first_seen", nullable=False),
    _when("last_seen", nullable=False),
)
metric_services = Table(
    "metric_services",
    metadata,
    Column("metric_id", Uuid, ForeignKey("metrics.id", ondelete="CASCADE"), primary_key=True),
    Column("service_id", Uuid, ForeignKey("services.id", ondelete="CASCADE"), primary_key=True, index=True),
)
query_history = Table(
    "query_history",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("user_id", Uuid, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("api_key_id", Uuid),
    _when("asked_at", nullable=False),
    Column("question", Text, nullable=False),
    Column("context", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("status", Text, nullable=False),
    Column("query", Text, nullable=False, server_default=""),
    Column("language", Text, nullable=False, server_default=""),
    Column("sentence", Text, nullable=False, server_default=""),
    Column("engine", Text, nullable=False, server_default=""),
    Column("confidence", Double, nullable=False, server_default="0"),
    Column("cached", Boolean, nullable=False, server_default=text("false")),
    Column("seconds", Double, nullable=False, server_default="0"),
    Index("query_history_user_id_asked_at_idx", "user_id", "asked_at"),
    Index("query_history_asked_at_idx", "asked_at"),
)
# Who did what. Without foreign keys: it outlives the account and what its user deletes of the history.
audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    _when("at", nullable=False),
    Column("user_id", Uuid),
    Column("name", Text, nullable=False),
    Column("api_key_id", Uuid),
    Column("address", Text, nullable=False, server_default=""),
    Column("action", Text, nullable=False),
    Column("detail", Text, nullable=False, server_default=""),
    Index("audit_at_idx", "at"),
)
# Tokens of the language model by day in UTC: what was used, and what requests that are under way may use.
model_usage = Table(
    "model_usage",
    metadata,
    Column("day", Date, primary_key=True),
    Column("tokens", BigInteger, nullable=False),
    Column("requests", BigInteger, nullable=False),
)
# What replicas share where there is no Valkey (database_store.py).
shared_documents = Table(
    "shared_documents",
    metadata,
    Column("name", Text, primary_key=True),
    Column("document", Text, nullable=False),
    Column("ends_at", DateTime(timezone=True), nullable=False, index=True),
)
shared_members = Table(
    "shared_members",
    metadata,
    Column("name", Text, primary_key=True),
    Column("member", Text, primary_key=True),
    Column("added", BigInteger, Identity(always=True), nullable=False),
    Column("ends_at", DateTime(timezone=True), nullable=False, index=True),
)
