"""Accounts, keys, discovered services and metrics, history and audit."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

_STATEMENTS = """
CREATE TABLE users (
    id uuid CONSTRAINT users_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL CONSTRAINT users_name_key UNIQUE,
    password_hash text NOT NULL,
    role text NOT NULL DEFAULT 'user' CONSTRAINT users_role_check CHECK (role IN ('user', 'admin')),
    active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    signed_in_at timestamptz
);
CREATE TABLE api_keys (
    id uuid CONSTRAINT api_keys_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL CONSTRAINT api_keys_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    name text NOT NULL,
    prefix text NOT NULL,
    digest text NOT NULL CONSTRAINT api_keys_digest_key UNIQUE,
    per_hour integer CONSTRAINT api_keys_per_hour_check CHECK (per_hour > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    used_at timestamptz,
    revoked_at timestamptz
);
CREATE INDEX api_keys_user_id_idx ON api_keys (user_id);
CREATE TABLE services (
    id uuid CONSTRAINT services_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL,
    label text NOT NULL,
    first_seen timestamptz NOT NULL DEFAULT now(),
    last_seen timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX services_name_label_key ON services (name, label);
CREATE TABLE metrics (
    id uuid CONSTRAINT metrics_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL CONSTRAINT metrics_name_key UNIQUE,
    kind text NOT NULL,
    inferred boolean NOT NULL DEFAULT true,
    meaning text NOT NULL DEFAULT '',
    first_seen timestamptz NOT NULL DEFAULT now(),
    last_seen timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE metric_services (
    metric_id uuid NOT NULL CONSTRAINT metric_services_metric_id_fkey REFERENCES metrics (id) ON DELETE CASCADE,
    service_id uuid NOT NULL CONSTRAINT metric_services_service_id_fkey REFERENCES services (id) ON DELETE CASCADE,
    CONSTRAINT metric_services_pkey PRIMARY KEY (metric_id, service_id)
);
CREATE INDEX metric_services_service_id_idx ON metric_services (service_id);
CREATE TABLE query_history (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT query_history_pkey PRIMARY KEY,
    user_id uuid NOT NULL CONSTRAINT query_history_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    api_key_id uuid,
    asked_at timestamptz NOT NULL DEFAULT now(),
    question text NOT NULL,
    context jsonb NOT NULL DEFAULT '{}'::jsonb,
    status text NOT NULL,
    query text NOT NULL DEFAULT '',
    language text NOT NULL DEFAULT '',
    sentence text NOT NULL DEFAULT '',
    engine text NOT NULL DEFAULT '',
    confidence double precision NOT NULL DEFAULT 0,
    cached boolean NOT NULL DEFAULT false,
    seconds double precision NOT NULL DEFAULT 0
);
CREATE INDEX query_history_user_id_asked_at_idx ON query_history (user_id, asked_at);
CREATE INDEX query_history_asked_at_idx ON query_history (asked_at);
CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT audit_pkey PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    user_id uuid,
    name text NOT NULL,
    api_key_id uuid,
    address text NOT NULL DEFAULT '',
    action text NOT NULL,
    detail text NOT NULL DEFAULT ''
);
CREATE INDEX audit_at_idx ON audit (at);
"""


def upgrade() -> None:
    for statement in _STATEMENTS.split(";"):
        if statement.strip():
            op.execute(statement)
