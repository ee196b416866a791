"""The state of one cloud: plain data in one file, written whole at each change.

Everything that reads or changes the data holds the store's lock; nothing that waits (Docker) is done under it.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

Json = dict[str, Any]

# Where counting begins; the real numbers are as long.
FIRST = {"droplets": 470_000_001, "actions": 1_900_000_001, "keys": 47_000_001, "records": 1_700_000_001}
COLLECTIONS = (
    "keys",
    "tags",
    "vpcs",
    "droplets",
    "actions",
    "volumes",
    "reserved_ips",
    "firewalls",
    "balancers",
    "domains",
    "records",
    "projects",
    "assigned",
    "checks",
    "alerts",
    "spaces_keys",
    "databases",
)
# Finished actions that are remembered; the real API keeps them for longer than any rehearsal lasts.
KEPT_ACTIONS = 1000


class InUse(Exception):
    """Another process serves this state."""


class Store:
    """`changing()` gives the data and writes it when the block ends without an error; `reading()` does not write."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = folder / "state.json"
        self._lock = threading.RLock()
        self._held = (folder / "lock").open("w")
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._held.close()
            raise InUse(f"{folder}: another rehearsal cloud is running on this state; stop it first") from None
        self.data: Json = json.loads(self.path.read_text()) if self.path.exists() else {}
        for name in COLLECTIONS:
            self.data.setdefault(name, {})
        self.data.setdefault("next", {})

    @contextmanager
    def reading(self) -> Iterator[Json]:
        with self._lock:
            yield self.data

    @contextmanager
    def changing(self) -> Iterator[Json]:
        """Refuse (raise) before the first change: a block that ends with an error is not undone, only not written."""
        with self._lock:
            yield self.data
            self._forget_old_actions()
            self._write()

    def close(self) -> None:
        """Let another process have the state."""
        self._held.close()

    def _forget_old_actions(self) -> None:
        done = [key for key, action in self.data["actions"].items() if action["status"] != "in-progress"]
        for key in done[:-KEPT_ACTIONS]:
            del self.data["actions"][key]

    def _write(self) -> None:
        beside = self.path.with_suffix(".new")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(self.data, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)


def new_number(data: Json, family: str) -> int:
    """The next id of a family that is numbered; never given twice."""
    number: int = data["next"].get(family, FIRST[family])
    data["next"][family] = number + 1
    return number


def new_uuid() -> str:
    """An id of a family that is not numbered."""
    return str(uuid.uuid4())


def now() -> str:
    """The time as the API writes it: UTC, whole seconds."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
