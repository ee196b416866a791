"""One database: a connection made from the same URL as sql_exporter's, kept open, replaced when it broke."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

# What libpq knows by itself; all else in a URL is a setting of the session, which lib/pq sends as it is.
_LIBPQ = {"sslmode", "connect_timeout", "application_name", "sslrootcert", "sslcert", "sslkey", "options"}
Connect = Callable[[str], Any]


class DatabaseProblem(Exception):
    """What the database or its driver says, in one line."""


def conninfo(url: str) -> str:
    """The key=value string of a URL, as sql_exporter makes it: $NAME from the environment, then decoded and
    joined without quoting. So a URL that the real one would misread is misread here as well."""
    parts = urlsplit(re.sub(r"\$\{?(\w+)\}?", lambda found: os.environ.get(found[1], "$" + found[1]), url))
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    settings = {key: value for key, value in given.items() if key not in _LIBPQ}
    values = {key: value for key, value in given.items() if key in _LIBPQ}
    values |= {"host": parts.hostname or "", "port": str(parts.port or ""), "dbname": parts.path.lstrip("/")}
    values |= {"user": parts.username or "", "password": parts.password or ""}
    for key in ("dbname", "user", "password"):
        values[key] = unquote(values[key])
    if settings:
        # The space between two of them has to be escaped: once for the string that this becomes part of.
        own = [values["options"]] if "options" in values else []
        values["options"] = r"\ ".join([*own, *(f"-c{key}={value}" for key, value in sorted(settings.items()))])
    return " ".join(f"{key}={value}" for key, value in sorted(values.items()) if value)


def psycopg2(dsn: str) -> Any:
    """A connection of Debian's psycopg2, which the image has and a developer's machine need not."""
    driver = importlib.import_module("psycopg2")
    try:
        connection = driver.connect(dsn)
    except driver.Error as error:
        raise DatabaseProblem(_line(error)) from None
    connection.set_session(autocommit=True)
    return connection


def _line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


class Database:
    """Not for two threads at once."""

    def __init__(self, url: str, connect: Connect = psycopg2) -> None:
        self._url, self._connect = url, connect
        self._connection: Any = None

    def ping(self) -> None:
        """Raises DatabaseProblem unless it answers; a broken connection is replaced once."""
        if self._connection is not None:
            try:
                self.rows("SELECT 1")
                return
            except DatabaseProblem:
                self.close()
        self._connection = self._connect(conninfo(self._url))
        self.rows("SELECT 1")

    def rows(self, query: str) -> tuple[list[str], Sequence[Sequence[Any]]]:
        """Names of the columns, and the rows; DatabaseProblem if the database refuses or its time is over."""
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(query)
                return [column[0] for column in cursor.description], cursor.fetchall()
        except Exception as error:  # psycopg2.Error is not known by name here
            raise DatabaseProblem(_line(error)) from None

    def close(self) -> None:
        """Forget the connection, whatever its state."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
