"""One database: a connection by the same URL as sql_exporter's, kept open, and replaced if it breaks."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

# Parameters of libpq. Any other parameter of a URL is a setting of the session, which lib/pq sends unchanged.
_LIBPQ = {"sslmode", "connect_timeout", "application_name", "sslrootcert", "sslcert", "sslkey", "options"}
Connect = Callable[[str], Any]


class DatabaseProblem(Exception):
    """An error of the database or its driver, in one line."""


def conninfo(url: str) -> str:
    """The key=value string of a URL, built like sql_exporter's.

    $NAME is replaced from the environment, then the parts are decoded and joined without quoting. A URL that the real
    exporter misreads is therefore misread here as well.
    """
    parts = urlsplit(re.sub(r"\$\{?(\w+)\}?", lambda found: os.environ.get(found[1], "$" + found[1]), url))
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    settings = {key: value for key, value in given.items() if key not in _LIBPQ}
    values = {key: value for key, value in given.items() if key in _LIBPQ}
    values |= {"host": parts.hostname or "", "port": str(parts.port or ""), "dbname": parts.path.lstrip("/")}
    values |= {"user": parts.username or "", "password": parts.password or ""}
    for key in ("dbname", "user", "password"):
        values[key] = unquote(values[key])
    if settings:
        # The space between two options is escaped, because they become one value of the unquoted key=value string.
        own = [values["options"]] if "options" in values else []
        values["options"] = r"\ ".join([*own, *(f"-c{key}={value}" for key, value in sorted(settings.items()))])
    return " ".join(f"{key}={value}" for key, value in sorted(values.items()) if value)


def psycopg2(dsn: str) -> Any:
    """A connection by Debian's psycopg2. Only the image needs the package, so it is imported here."""
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
    """One database. Not safe for concurrent use by two threads."""

    def __init__(self, url: str, connect: Connect = psycopg2) -> None:
        self._url, self._connect = url, connect
        self._connection: Any = None

    def ping(self) -> None:
        """Raises DatabaseProblem unless the database answers. A broken connection is replaced once."""
        if self._connection is not None:
            try:
                self.rows("SELECT 1")
                return
            except DatabaseProblem:
                self.close()
        self._connection = self._connect(conninfo(self._url))
        self.rows("SELECT 1")

    def rows(self, query: str) -> tuple[list[str], Sequence[Sequence[Any]]]:
        """Names of the columns, and the rows. Raises DatabaseProblem if the query fails or times out."""
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(query)
                return [column[0] for column in cursor.description], cursor.fetchall()
        except Exception as error:  # psycopg2.Error is not known by name here
            raise DatabaseProblem(_line(error)) from None

    def close(self) -> None:
        """Closes the connection in any state; the next ping opens a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
