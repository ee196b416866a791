"""Connections to PostgreSQL: a bounded pool, and one exception for a server that does not answer in time."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any, cast
from weakref import WeakKeyDictionary

import psycopg
import sqlalchemy as sa
from psycopg.abc import RV, PQGen
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ask.service import config, problems
from ask.service.breaker import Breaker

CONNECT, WAIT = 3, 3  # seconds to connect, and to wait for a connection of the pool
PING = 2.0  # seconds to check a connection before its use
STATEMENT = 5.0  # seconds that one statement may take
LONG = 60.0  # of a statement in the background, such as the retention
_BREAKERS: WeakKeyDictionary[sa.Engine, Breaker] = WeakKeyDictionary()


class Connection(psycopg.Connection[Any]):
    """A connection that waits for an answer for `patience` seconds, also if the server hangs: neither the timeout of
    statements, which the server counts, nor that of TCP ends this wait."""

    patience = STATEMENT

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Raises OperationalError after `patience` and closes the connection: its state is not known."""
        began = time.monotonic()
        try:
            return super().wait(gen, interval, self.patience if timeout is None else timeout)
        except psycopg.OperationalError:
            if time.monotonic() - began >= self.patience:
                self.pgconn.finish()
            raise


def engine(settings: config.Database) -> sa.Engine:
    """A pool; nothing is connected yet. A connection that the server closed is replaced before its next use."""
    password = config.secret(settings.password_file)

    def connected() -> psycopg.Connection[Any]:
        return Connection.connect(
            host=settings.host,
            port=settings.port,
            dbname=settings.name,
            user=settings.user,
            password=password,
            sslmode=settings.sslmode,
            sslrootcert=None if settings.ca_file is None else str(settings.ca_file),
            connect_timeout=CONNECT,
            application_name="ask",
            tcp_user_timeout=10000,
            keepalives_idle=30,
            options=f"-c statement_timeout={LONG:.0f}s -c timezone=UTC",
        )

    made = sa.create_engine(
        "postgresql+psycopg://",
        creator=connected,
        pool_size=settings.connections,
        max_overflow=0,
        pool_timeout=WAIT,
        pool_pre_ping=True,
        hide_parameters=True,  # neither questions nor digests in exceptions
    )

    @sa.event.listens_for(made, "checkin")
    def checkin(connection: Connection | None, _record: object) -> None:
        if connection is not None:
            connection.patience = PING  # of the check before its next use

    return made


def patient(connection: sa.Connection, seconds: float) -> None:
    """Let each statement of a connection take longer than a request may wait."""
    cast(Connection, connection.connection.driver_connection).patience = seconds


@contextlib.contextmanager
def transaction(pool: sa.Engine, seconds: float = STATEMENT) -> Iterator[sa.Connection]:
    """A connection with a transaction, each statement of which may take `seconds`. Raises Problem 503 if the server
    does not answer, and 422 for values that its columns cannot have."""
    breaker = _BREAKERS.setdefault(pool, Breaker())
    try:
        with (
            breaker.guard((OperationalError, PoolTimeout), problems.database_down),
            pool.connect() as connection,
            connection.begin(),
        ):
            patient(connection, seconds)
            yield connection
    except (DataError, UnicodeEncodeError):
        raise problems.unstorable() from None
    except DBAPIError as problem:
        if problem.connection_invalidated:
            raise problems.database_down() from None
        raise
