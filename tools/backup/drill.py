"""`make drill`: restores the newest backup into throw-away containers on the hub's host and compares. Changes nothing.

The containers run the hub's own images on a network without a way out, and are removed in the end.
"""

from __future__ import annotations

import argparse
import contextlib
import time
from collections.abc import Iterator

from configs import names
from configs.services.backup import PARTS
from tools.backup import database, gate
from tools.backup.repository import ADDED_LATER, Repository, Snapshot, chosen, opened, parsed_time, without
from tools.cli import Commands
from tools.progress import say, step

MARK = "date +%s > /state/values/all.drill_timestamp_seconds"
LIMITS = ("--memory", "1g", "--cpus", "1", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")


def register(commands: Commands) -> None:
    found = commands.add("drill", _drill, "restore the backup into throw-away containers and compare")
    found.add_argument("--if-backed-up", action="store_true", help="succeed for a stack without hub.backup")
    found.add_argument("--at", default="", help="the newest backup at or before this time")


def _drill(options: argparse.Namespace) -> int:
    at = parsed_time(options.at)
    stack = opened(options)
    settings = stack.settings()
    if options.if_backed_up and (settings is None or settings.hub.backup is None):
        say(f"The stack {stack.name} has no backup: hub.backup is not set.")
        return 0
    repository = Repository(stack)
    begin = time.monotonic()
    with step("Reading the repository"):
        snapshots = chosen(repository.snapshots(), repository.parts, at, ADDED_LATER)
    lines = [*drill(repository, snapshots), *without(repository.parts, snapshots)]
    repository.shell(MARK)
    say("\n".join([f"\nThe backup can be restored ({time.monotonic() - begin:.0f} s):", *lines]))
    return 0


def drill(repository: Repository, snapshots: dict[str, Snapshot]) -> list[str]:
    """What was compared, one line for each part."""
    lines = []
    with _throw_away(repository) as prefix:
        for part, one in snapshots.items():
            begin = time.monotonic()
            with step(f"{part}: restoring the backup of {one.at:%Y-%m-%d %H:%M:%S} UTC into a throw-away volume"):
                volume = _volume(repository, part)
                repository.docker("volume", "create", *_label(repository), volume)
                repository.script("stage", part, one.id, volume=volume)
                repository.script("merge", part, volume=volume)
            with step(f"{part}: comparing"):
                found = _compared(repository, one, prefix, volume)
            lines.append(f"  {part}: {found} ({time.monotonic() - begin:.0f} s)")
    return lines


@contextlib.contextmanager
def _throw_away(repository: Repository) -> Iterator[str]:
    prefix = f"{repository.prefix}-drill"
    _remove(repository)  # what an interrupted drill left
    repository.docker("network", "create", "--internal", *_label(repository), prefix)
    try:
        yield prefix
    finally:
        _remove(repository)


def _label(repository: Repository) -> tuple[str, ...]:
    return (
        "--label", f"fleetwatch.drill={repository.prefix}",
        "--label", f"fleetwatch.stack={repository.prefix}",
    )  # fmt: skip


def _volume(repository: Repository, part: str) -> str:
    """A name that no stack has for one of its volumes: a prefix has no underscore."""
    return f"{repository.prefix}_drill_{part}"


def _remove(repository: Repository) -> None:
    for part in PARTS:
        repository.abandon(_volume(repository, part))
    mark = f"label=fleetwatch.drill={repository.prefix}"
    for kind, remove in (("ps", ("rm", "-f", "-v")), ("volume", ("volume", "rm")), ("network", ("network", "rm"))):
        listing = ("ps", "-aq") if kind == "ps" else (kind, "ls", "-q")
        for found in repository.docker(*listing, "--filter", mark).split():
            repository.try_docker(*remove, found)


def _compared(repository: Repository, snapshot: Snapshot, prefix: str, volume: str) -> str:
    part, note = snapshot.part, repository.noted(snapshot)
    if part == "ask":
        files = gate.verify_files(repository, snapshot, note, volume)
        run = ("--network", prefix, *LIMITS, *_label(repository))
        name = database.start(repository, f"{prefix}-ask-database", volume, run)
        return f"{files}; {database.load(repository, name, note)}"
    if part not in gate.STORES:
        found = gate.verify_files(repository, snapshot, note, volume)
        return f"{found}, {gate.integrity(repository, snapshot)}" if part == "grafana" else found
    role, port = gate.STORES[part]
    live = names.container(repository.prefix, role)
    image = repository.image_of(live)
    name = f"{prefix}-{role}"
    run = ("run", "-d", "--pull", "never", "--name", name, "--network", prefix, *LIMITS, *_label(repository))
    if part == "metrics":
        arguments = ["--config.file=/dev/null", "--storage.tsdb.path=/prometheus", "--storage.tsdb.retention.time=100y"]
        repository.docker(*run, "-v", f"{volume}:/prometheus", image, *arguments)
    else:
        folder = repository.mounted(live, "/etc/loki")
        mounts = ("-v", f"{volume}:/loki", "-v", f"{folder}:/etc/loki:ro")
        repository.docker(*run, *mounts, image, "-config.file=/etc/loki/loki.yml", "-target=all")
    counter = f"{prefix}-counter"
    idle = (*repository.scripts, "--entrypoint", "/bin/sh", repository.image, "-c", "sleep 3600")
    repository.try_docker("rm", "-f", counter)
    repository.docker("run", "-d", "--name", counter, "--network", prefix, *LIMITS, *_label(repository), *idle)
    return gate.compare_counts(repository, part, note, f"{name}:{port}", counter)
