"""What all replicas share and may lose: sessions, limits, cached answers, places of questions, and jobs.

It is in Valkey (valkey_store.py) or, without one, in PostgreSQL (database_store.py): where every replica is on another
machine, one server less has to outlive each of them. Names are without a prefix. Every call either works or raises
Problem 503 within seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa


@dataclass(frozen=True)
class Window:
    """The state of a sliding window after a request."""

    allowed: bool
    limit: int
    remaining: int
    reset: int  # seconds until the oldest request leaves the window


class Store(Protocol):
    """Documents with an end, sliding windows, places, sets and lists."""

    def close(self) -> None:
        """Close the connections."""

    def within(self, connection: sa.Connection) -> Store:
        """The same for a caller whose transaction is open. A Store in this database becomes a part of that transaction:
        a second connection for it may never be free while others wait for a lock of the first."""

    def ping(self) -> None:
        """Raises Problem 503 if the server does not answer."""

    def window(self, name: str, seconds: int, limit: int, unique: str) -> Window:
        """Count a request in a sliding window; `leave` of `limit:<name>` takes it back by its unique text."""

    def clear_window(self, name: str) -> None:
        """Forget what was counted."""

    def enter(self, group: str, member: str, places: int, lease: int) -> bool:
        """Take one of the places of a group; without `renew` it is free again after `lease` seconds."""

    def renew(self, group: str, members: list[str], lease: int) -> None:
        """Keep places for another `lease` seconds; one that was lost meanwhile stays lost."""

    def leave(self, group: str, member: str) -> None:
        """Give a place back."""

    def get(self, name: str) -> dict[str, Any] | None:
        """A JSON document."""

    def put(
        self, name: str, document: dict[str, Any], seconds: int, only_new: bool = False, largest: int | None = None
    ) -> bool:
        """Keep a JSON document for a time; False if `only_new` and there is one, or if its text has more than `largest`
        characters."""

    def delete(self, *names: str) -> None:
        """Remove documents."""

    def remember(self, group: str, member: str, seconds: int) -> None:
        """Add to a set for a time. A member whose time is over is taken out when the next one is added, or earlier."""

    def members(self, group: str) -> list[str]:
        """The members of a set."""

    def length(self, name: str) -> int:
        """Of a list."""

    def listed(self, name: str) -> list[str]:
        """The members of a list."""

    def push(self, name: str, member: str) -> None:
        """Add at the end of a list."""

    def remove(self, name: str, member: str) -> bool:
        """Take out of a list; False if it is not in it."""

    def take(self, name: str, other: str, seconds: int) -> str | None:
        """Move the first member to another list; waits for one, None if there is none."""
