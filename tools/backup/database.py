"""The assistant's database in a restore and a drill: its server loads the dump, and its rows are counted."""

from __future__ import annotations

import time
from collections.abc import Sequence

from configs import names
from configs.services import ask, ask_database
from tools.backup import gate
from tools.backup.repository import Repository, Snapshot, counts
from tools.errors import ToolError

PATIENCE = 120  # seconds until the server answers
_READY = ("pg_isready", "-q", "-h", "127.0.0.1", "-U", ask.USER, "-d", ask.DATABASE)


def restore(repository: Repository, snapshot: Snapshot, note: str, volume: str) -> str:
    """Replace the live database; what was compared. The assistant is stopped meanwhile, and the cache is emptied:
    its sessions may be of accounts that are gone."""
    server, cache, app = (names.container(repository.prefix, role) for role in ("ask-database", "ask-cache", "ask"))
    try:
        repository.docker("stop", app)
        repository.script("merge", snapshot.part, volume=volume)
        files = gate.verify_files(repository, snapshot, note, volume)
        _wait(repository, server)
        return f"{files}; {load(repository, server, note)}"
    finally:
        repository.wait_for(volume)
        for name in (cache, app):
            repository.try_docker("restart", name)


def start(repository: Repository, name: str, volume: str, options: Sequence[str]) -> str:
    """A throw-away server on a volume, with the files of the live one; its name once it answers."""
    live = names.container(repository.prefix, "ask-database")
    mounts = [f"{volume}:{ask_database.DATA}"]
    mounts += [f"{repository.mounted(live, path)}:{path}:ro" for path in (ask_database.CONFIG, names.SECRETS)]
    repository.docker(
        "run", "-d", "--pull", "never", "--name", name, *options, "--user", ask_database.OWNER, "--read-only",
        "--tmpfs", "/tmp", *(word for mount in mounts for word in ("-v", mount)), "--entrypoint", "/bin/sh",
        repository.image_of(live), f"{ask_database.CONFIG}/start.sh",
    )  # fmt: skip
    _wait(repository, name)
    return name


def load(repository: Repository, server: str, note: str) -> str:
    """Let a server load the dump in its volume, and compare the rows with the noted ones."""
    script = ("exec", server, "sh", ask_database.DATA_SCRIPT)
    repository.docker(*script, "restore")
    wanted, found = counts(note), counts(repository.docker(*script, "count"))
    if not wanted or found != wanted:
        differences = [
            f"{found.get(what, 0)} {what}, noted {wanted.get(what, 0)}"
            for what in sorted({*wanted, *found})
            if found.get(what) != wanted.get(what)
        ]
        raise ToolError(f"ask: not what was there at backup time: {'; '.join(differences) or 'nothing was noted'}.")
    return f"{sum(wanted.values())} rows in {len(wanted)} tables, as noted"


def _wait(repository: Repository, server: str) -> None:
    end = time.monotonic() + PATIENCE
    while repository.try_docker("exec", server, *_READY) is None:
        if time.monotonic() > end:
            raise ToolError(f"ask: the database does not answer; `docker logs {server}` on the hub has the reason.")
        time.sleep(1)
