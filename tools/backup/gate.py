"""What was noted at backup time, compared with what is there now."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from pathlib import Path

from configs import names
from tools.backup.repository import SCRIPT, Repository, Snapshot, counts, noted_at
from tools.errors import ToolError

STORES = {"metrics": ("prometheus", names.PROMETHEUS_PORT), "logs": ("loki", names.LOKI_PORT)}
PATIENCE = 240  # seconds; Prometheus looks for new blocks once a minute


def compare_counts(repository: Repository, part: str, note: str, address: str, container: str) -> str:
    """Wait until the store at `address` has at least what was noted. ToolError with the difference if it has not.
    `container`: from where it is counted."""
    wanted, at = counts(note), noted_at(note)
    end = time.monotonic() + PATIENCE
    while True:
        answer = repository.try_docker("exec", container, "sh", SCRIPT, "count", part, address, at) or ""
        found = counts(answer)
        lines = [f"{found.get(what, 0)} {what}, noted {count}" for what, count in wanted.items()]
        if wanted and all(found.get(what, 0) >= count for what, count in wanted.items()):
            return "; ".join(lines)
        if time.monotonic() > end:
            raise ToolError(f"{part}: less than at backup time: {'; '.join(lines) or 'nothing was noted'}.")
        time.sleep(2)


def verify_files(repository: Repository, snapshot: Snapshot, note: str, volume: str) -> str:
    """Compare the files of a volume with the noted hashes."""
    lines = [line for line in note.splitlines() if len(line.partition("  ")[0]) == 64]
    repository.script("verify", snapshot.part, volume=volume, stdin=note.encode())
    return f"{len(lines)} files with the hashes noted at backup time"


def integrity(repository: Repository, snapshot: Snapshot) -> str:
    """SQLite's own check of the backup of Grafana's database, in a private folder of this machine."""
    if "grafana.db" not in repository.noted(snapshot):
        return "no database was there at backup time"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "grafana.db"
        path.write_bytes(repository.script("dump", snapshot.id, "/grafana.db"))
        connection = sqlite3.connect(path)
        try:
            answer = connection.execute("PRAGMA integrity_check").fetchone()[0]
        except sqlite3.DatabaseError as error:
            answer = str(error)
        finally:
            connection.close()
    if answer != "ok":
        raise ToolError(f"grafana: integrity_check of the backup of {snapshot.at.isoformat()}: {answer}.")
    return "integrity_check ok"
