"""A Store in PostgreSQL: documents in one table, the members of windows, sets and lists in the other.

Times are the server's, so that replicas agree. What is over is not read, and deleted now and then.
"""

from __future__ import annotations

import json
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from ask.service import database
from ask.service.store import Window

TIDY_EVERY = 600.0  # seconds
LOOK_EVERY = 0.5  # seconds between two looks for a job
_NOW = "clock_timestamp()"
_SOON = f"{_NOW} + make_interval(secs => :seconds)"
_ALIVE = f"ends_at > {_NOW}"
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"  # of the group, until the end of the transaction
_OVER = f"""
DELETE FROM shared_members WHERE name = :name
AND (ends_at <= {_NOW} OR ends_at > {_NOW} + make_interval(secs => :seconds + 1))
"""  # the second: added before the clock was set back
_COUNT = f"""
SELECT count(*), ceil(extract(epoch FROM min(ends_at) - {_NOW}))::int FROM shared_members WHERE name = :name
"""
_ADD = f"""
INSERT INTO shared_members (name, member, ends_at) VALUES (:name, :member, {_SOON})
ON CONFLICT (name, member) DO UPDATE SET ends_at = excluded.ends_at
"""
_RENEW = f"UPDATE shared_members SET ends_at = {_SOON} WHERE name = :name AND member = ANY(:members)"
_LEAVE = "DELETE FROM shared_members WHERE name = :name AND member = :member"
_MEMBERS = f"SELECT member FROM shared_members WHERE name = :name AND {_ALIVE} ORDER BY added"
_PUSH = "INSERT INTO shared_members (name, member, ends_at) VALUES (:name, :member, 'infinity') ON CONFLICT DO NOTHING"
_TAKE = """
UPDATE shared_members SET name = :other WHERE (name, member) = (
    SELECT name, member FROM shared_members WHERE name = :name ORDER BY added LIMIT 1 FOR UPDATE SKIP LOCKED
) RETURNING member
"""
_GET = f"SELECT document FROM shared_documents WHERE name = :name AND {_ALIVE}"
_PUT = f"""
INSERT INTO shared_documents AS own (name, document, ends_at) VALUES (:name, :document, {_SOON})
ON CONFLICT (name) DO UPDATE SET document = excluded.document, ends_at = excluded.ends_at
WHERE NOT :only_new OR own.ends_at <= {_NOW}
RETURNING name
"""
_DELETE = "DELETE FROM shared_documents WHERE name = ANY(:names)"


@dataclass
class InDatabase:
    """A Store in the service's own database; the pool belongs to others. `open`: the transaction that it is within."""

    pool: sa.Engine
    open: sa.Connection | None = None
    _tidied: float = field(default_factory=time.monotonic)

    def _transaction(self) -> AbstractContextManager[sa.Connection]:
        return database.transaction(self.pool) if self.open is None else nullcontext(self.open)

    def _rows(self, statement: str, **values: str | int | bool | list[str]) -> list[sa.Row[Any]]:
        """What one statement finds."""
        with self._transaction() as connection:
            return list(connection.execute(sa.text(statement), values))

    def _change(self, statement: str, **values: str | int | bool | list[str]) -> int:
        """How many rows one statement changed."""
        with self._transaction() as connection:
            return int(connection.execute(sa.text(statement), values).rowcount)

    def close(self) -> None:
        """Nothing: the pool is closed by its owner."""

    def within(self, connection: sa.Connection) -> InDatabase:
        """The same in the transaction of this connection."""
        return InDatabase(self.pool, connection)

    def ping(self) -> None:
        """Raises Problem 503 if the server does not answer."""
        self._rows("SELECT 1")

    def _admit(self, name: str, member: str, places: int, seconds: int) -> tuple[bool, int, int]:
        """Add a member unless the group is full: whether it was added, the members, and seconds until one leaves."""
        with self._transaction() as connection:
            connection.execute(sa.text(_LOCK), {"name": name})
            connection.execute(sa.text(_OVER), {"name": name, "seconds": seconds})
            count, left = connection.execute(sa.text(_COUNT), {"name": name}).one()
            allowed = count < places
            if allowed:
                connection.execute(sa.text(_ADD), {"name": name, "member": member, "seconds": seconds})
        return allowed, count + allowed, seconds if left is None else left

    def window(self, name: str, seconds: int, limit: int, unique: str) -> Window:
        """Count a request in a sliding window."""
        allowed, count, reset = self._admit(f"limit:{name}", unique, limit, seconds)
        return Window(allowed, limit, max(0, limit - count), reset)

    def clear_window(self, name: str) -> None:
        """Forget what was counted."""
        self._change("DELETE FROM shared_members WHERE name = :name", name=f"limit:{name}")

    def enter(self, group: str, member: str, places: int, lease: int) -> bool:
        """Take one of the places of a group; without `renew` it is free again after `lease` seconds."""
        return self._admit(group, member, places, lease)[0]

    def renew(self, group: str, members: list[str], lease: int) -> None:
        """Keep places for another `lease` seconds; one that was lost meanwhile stays lost."""
        self._change(_RENEW, name=group, members=members, seconds=lease)

    def leave(self, group: str, member: str) -> None:
        """Give a place back."""
        self._change(_LEAVE, name=group, member=member)

    def get(self, name: str) -> dict[str, Any] | None:
        """A JSON document."""
        found = self._rows(_GET, name=name)
        document = json.loads(found[0][0]) if found else None
        return document if isinstance(document, dict) else None

    def put(
        self, name: str, document: dict[str, Any], seconds: int, only_new: bool = False, largest: int | None = None
    ) -> bool:
        """Keep a JSON document for a time; False if `only_new` and there is one, or if it is too large."""
        if time.monotonic() - self._tidied > TIDY_EVERY:
            self._tidied = time.monotonic()
            self.tidy()
        text = json.dumps(document, separators=(",", ":"))
        if largest is not None and len(text) > largest:
            return False
        return bool(self._rows(_PUT, name=name, document=text, seconds=max(1, seconds), only_new=only_new))

    def delete(self, *names: str) -> None:
        """Remove documents."""
        self._change(_DELETE, names=list(names))

    def tidy(self) -> None:
        """Delete what is over."""
        for table in ("shared_documents", "shared_members"):
            self._change(f"DELETE FROM {table} WHERE ends_at <= {_NOW}")

    def remember(self, group: str, member: str, seconds: int) -> None:
        """Add to a set for a time."""
        self._change(_ADD, name=group, member=member, seconds=seconds)

    def members(self, group: str) -> list[str]:
        """The members of a set."""
        return sorted(self.listed(group))

    def length(self, name: str) -> int:
        """Of a list."""
        return len(self.listed(name))

    def listed(self, name: str) -> list[str]:
        """The members of a list."""
        return [str(member) for (member,) in self._rows(_MEMBERS, name=name)]

    def push(self, name: str, member: str) -> None:
        """Add at the end of a list, which has each member once."""
        self._change(_PUSH, name=name, member=member)

    def remove(self, name: str, member: str) -> bool:
        """Take out of a list; False if it is not in it."""
        return self._change(_LEAVE, name=name, member=member) > 0

    def take(self, name: str, other: str, seconds: int) -> str | None:
        """Move the first member to another list; waits for one, None if there is none."""
        deadline = time.monotonic() + seconds
        while True:
            if found := self._rows(_TAKE, name=name, other=other):
                return str(found[0][0])
            if time.monotonic() >= deadline:
                return None
            time.sleep(LOOK_EVERY)
