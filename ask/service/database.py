"""Connections to PostgreSQL: a bounded pool, and one exception for a server that does not answer."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ask.service import config, problems

_STATEMENT = "15s"


def engine(settings: config.Database) -> sa.Engine:
    """A pool; nothing is connected yet. A connection that the server closed is replaced before its next use."""
    url = sa.URL.create(
        "postgresql+psycopg",
        username=settings.user,
        password=config.secret(settings.password_file),
        host=settings.host,
        port=settings.port,
        database=settings.name,
    )
    return sa.create_engine(
        url,
        pool_size=settings.connections,
        max_overflow=0,
        pool_timeout=5,
        pool_pre_ping=True,
        hide_parameters=True,  # neither questions nor digests in exceptions
        connect_args={
            "connect_timeout": 5,
            "application_name": "ask",
            "tcp_user_timeout": 10000,
            "keepalives_idle": 30,
            "options": f"-c statement_timeout={_STATEMENT} -c timezone=UTC",
        },
    )


@contextlib.contextmanager
def transaction(pool: sa.Engine) -> Iterator[sa.Connection]:
    """A connection with a transaction. Raises Problem 503 if the server does not answer."""
    try:
        with pool.begin() as connection:
            yield connection
    except (OperationalError, PoolTimeout):
        raise problems.database_down() from None
    except DBAPIError as problem:
        if problem.connection_invalidated:
            raise problems.database_down() from None
        raise
