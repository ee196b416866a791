"""Where sessions are: in memory, or in the PostgreSQL of grafana.ini, so that every node knows each session.

Of the real Grafana's database the stand-in has sessions alone: users, preferences and dashboards made by hand are not
covered.
"""

from __future__ import annotations

import hashlib
import importlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from .config import Database

MOST = 1000
_LOCK = 0x67726166  # of pg_advisory_xact_lock: two nodes may start at once
_TABLE = "CREATE TABLE IF NOT EXISTS stand_in_session (digest text PRIMARY KEY, ends_at timestamptz NOT NULL)"
_ADD = "INSERT INTO stand_in_session VALUES (%s, now() + make_interval(secs => %s))"
_ALIVE = "SELECT 1 FROM stand_in_session WHERE digest = %s AND ends_at > now()"
_OVER = "DELETE FROM stand_in_session WHERE digest = %s OR ends_at <= now()"


class DatabaseAway(Exception):
    """The database does not answer; the text has the driver's first line."""


class Sessions(Protocol):
    """Tokens of people who are signed in."""

    def ping(self) -> None: ...
    def add(self, token: str, seconds: int) -> None: ...
    def alive(self, token: str) -> bool: ...
    def remove(self, token: str) -> None: ...


class InMemory:
    """The newest MOST of this process."""

    def __init__(self) -> None:
        self._ends: dict[str, float] = {}
        self._lock = threading.Lock()

    def ping(self) -> None:
        """Always there."""

    def add(self, token: str, seconds: int) -> None:
        now = time.monotonic()
        with self._lock:
            alive = [(t, end) for t, end in self._ends.items() if end > now][-MOST + 1 :]
            self._ends = {**dict(alive), token: now + seconds}

    def alive(self, token: str) -> bool:
        with self._lock:
            return self._ends.get(token, 0.0) > time.monotonic()

    def remove(self, token: str) -> None:
        with self._lock:
            self._ends.pop(token, None)


def psycopg2(database: Database) -> Any:
    """A connection by Debian's psycopg2. Only the image needs the package, so it is imported here."""
    host, _, port = database.host.rpartition(":")
    return importlib.import_module("psycopg2").connect(
        host=host.strip("[]"), port=int(port), dbname=database.name, user=database.user, password=database.password,
        sslmode=database.ssl_mode, sslrootcert=database.ca_cert_path or None, connect_timeout=3,
    )  # fmt: skip


@dataclass
class InDatabase:
    """By the digest of each token, as in Grafana. One connection, replaced when it breaks."""

    database: Database
    connect: Callable[[Database], Any] = psycopg2
    _connection: Any = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def prepare(self) -> None:
        """Make the table. Raises DatabaseAway."""
        self._run(f"SELECT pg_advisory_xact_lock({_LOCK}); {_TABLE}", ())

    def ping(self) -> None:
        """Raises DatabaseAway if it does not answer."""
        self._rows("SELECT 1", ())

    def add(self, token: str, seconds: int) -> None:
        self._run(_ADD, (_digest(token), seconds))

    def alive(self, token: str) -> bool:
        return bool(token) and bool(self._rows(_ALIVE, (_digest(token),)))

    def remove(self, token: str) -> None:
        self._run(_OVER, (_digest(token),))

    def _rows(self, statement: str, values: Sequence[Any]) -> list[Any]:
        def work(cursor: Any) -> Any:
            cursor.execute(statement, values)
            return cursor.fetchall()

        return list(self._once(work))

    def _run(self, statement: str, values: Sequence[Any]) -> None:
        self._once(lambda cursor: cursor.execute(statement, values))

    def _once(self, work: Callable[[Any], Any]) -> Any:
        """In a transaction; a connection that has broken since its last use is replaced once."""
        with self._lock:
            for again in (self._connection is not None, False):
                try:
                    if self._connection is None:
                        self._connection = self.connect(self.database)
                    with self._connection.cursor() as cursor:
                        found = work(cursor)
                    self._connection.commit()
                    return found
                except Exception as error:  # the driver's own is not known by name here
                    self._connection = None
                    if not again:
                        line = (str(error).strip().splitlines() or [type(error).__name__])[0]
                        raise DatabaseAway(f"the database does not answer: {line}") from None
        raise AssertionError("the last attempt either returns or raises")


def of(database: Database | None) -> Sessions:
    """Those of a configuration. Raises DatabaseAway."""
    if database is None:
        return InMemory()
    made = InDatabase(database)
    made.prepare()
    return made


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
