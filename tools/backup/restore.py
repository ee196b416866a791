"""`make restore`: the hub's data from its backup, onto a fresh hub too.

Each part is first restored beside the live data, which stays in use; then it is moved in. Metrics and logs are added to
what is there, so that what edges have sent to a fresh hub stays. Of the other parts the files are replaced. A run that
is interrupted leaves the live data as it was, or is completed by the next run.

A hub that did not write the repository may read it. It writes there only with TAKE=1: the other hub may still run, and
two hubs in one repository remove each other's backups.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from configs import names
from configs.services.backup import PARTS
from tools.backup import database, gate
from tools.backup.repository import ADDED_LATER, Repository, Snapshot, chosen, opened, parsed_time, without
from tools.cli import Commands
from tools.errors import ToolError
from tools.progress import say, step
from tools.unknown_name import unknown

# Not by default: `caddy` would bring an own CA that the edges do not trust yet, `state` is a file of this machine.
DEFAULT = ("metrics", "logs", "grafana", "alertmanager", "ask")
NOT_TAKEN = (
    "This hub makes no backups yet: the repository is the one of another hub. If that hub still runs, two hubs would "
    "write there and remove each other's backups: give this one another hub.backup.to. If it is gone permanently: "
    "`make backup TAKE=1`."
)
STATE_FILE = "restored-state.json"


def register(commands: Commands) -> None:
    found = commands.add("restore", _restore, "restore the hub's data from its backup")
    found.add_argument("--at", default="", help="the newest backup at or before this time")
    found.add_argument("--take", action="store_true", help="take over the repository: the hub that wrote it is gone")
    found.add_argument("--only", default="", help=f"parts: {', '.join(PARTS)}")


def _restore(options: argparse.Namespace) -> int:
    parts, at = selected(options.only), parsed_time(options.at)
    stack = opened(options)
    repository = Repository(stack)
    if options.only.strip() and (missing := [part for part in parts if part not in repository.parts]):
        raise ToolError(f"ONLY={missing[0]}: this stack has only {', '.join(repository.parts)}")
    parts = [part for part in parts if part in repository.parts]
    with step("Reading the repository"):
        snapshots = chosen(repository.snapshots(), parts, at, () if options.only else ADDED_LATER)
    if "state" in parts:
        path = stack.home / STATE_FILE
        path.touch(mode=0o600)
        path.write_bytes(repository.script("dump", snapshots["state"].id, "/stack.json"))
        say(f'state: written to {path}; `make pulumi ARGS="stack import --file {path}"` makes it the stack\'s.')
    lines = restore(repository, {part: one for part, one in snapshots.items() if part != "state"})
    say("\n".join(["\nRestored and compared with what was noted at backup time:", *lines, *without(parts, snapshots)]))
    if options.take or repository.owned():
        repository.start("adopt" if options.take else "")
    else:
        repository.start("restored")
        say(NOT_TAKEN)
    if "caddy" in parts:
        say("The hub's own CA is the one of the backup: run `make up`, so that the edges trust it.")
    return 0


def selected(only: str) -> Sequence[str]:
    """The parts that `ONLY=` names, in the order of a restore."""
    wanted = [word for word in only.replace(",", " ").split() if word]
    if misspelt := [word for word in wanted if word not in PARTS]:
        raise unknown("ONLY", misspelt[0], "some of the parts", PARTS)
    return [part for part in PARTS if part in (wanted or DEFAULT)]


def restore(repository: Repository, snapshots: dict[str, Snapshot]) -> list[str]:
    """Restore these parts; what was compared, one line each. Nothing is changed before all of them are on the disk."""
    volumes = {part: f"{repository.prefix}-{PARTS[part]}" for part in snapshots}
    notes = {part: repository.noted(one) for part, one in snapshots.items()}
    for part, one in snapshots.items():
        with step(f"{part}: restoring the backup of {one.at:%Y-%m-%d %H:%M:%S} UTC beside the live data"):
            repository.script("stage", part, one.id, volume=volumes[part])
    lines = []
    found: dict[str, str] = {}
    for part, one in snapshots.items():
        with step(f"{part}: moving it in"):
            found[part] = _move_in(repository, one, notes[part], volumes[part])
    for part, one in reversed(snapshots.items()):  # Prometheus takes longest to have its data
        with step(f"{part}: comparing"):
            lines.append(f"  {part}: {_compared(repository, one, notes[part], found[part])}")
    return lines[::-1]


def _move_in(repository: Repository, snapshot: Snapshot, note: str, volume: str) -> str:
    """What of the part's files was compared while its service was stopped; empty for metrics and logs."""
    part = snapshot.part
    if part == "ask":
        return database.restore(repository, snapshot, note, volume)
    role = names.container(repository.prefix, PARTS[part].removesuffix("-data"))
    caddy = names.container(repository.prefix, "caddy")
    if part == "metrics":  # Prometheus takes in new blocks within a minute, while it runs
        repository.script("merge", part, volume=volume)
        return ""
    stopped = [caddy, role] if part == "logs" else [role]
    try:
        if part == "logs":
            # No edge sends from here on, and what Loki holds in memory goes into its chunks.
            repository.docker("stop", caddy)
            address = names.address(repository.prefix, "loki", names.LOKI_PORT)
            flush = f"http://{address}/ingester/shutdown?flush=true&delete_ring_tokens=false&terminate=false"
            try:
                repository.shell(f"timeout 900 wget -q -O /dev/null --post-data '' '{flush}'")
            except ToolError:
                raise ToolError(
                    "logs: Loki did not write what it holds in memory, so nothing was moved in. Run `make up` until it "
                    "is healthy, then `make restore` again."
                ) from None
        repository.docker("stop", "-t", "60", role)
        repository.script("merge", part, volume=volume)
        return gate.verify_files(repository, snapshot, note, volume) if part != "logs" else ""
    finally:
        repository.wait_for(volume)  # a connection that broke, or Ctrl-C, did not end it
        for name in reversed(stopped):
            repository.try_docker("restart", name)  # starts one that was stopped


def _compared(repository: Repository, snapshot: Snapshot, note: str, files: str) -> str:
    part = snapshot.part
    if part in gate.STORES:
        role, port = gate.STORES[part]
        address = names.address(repository.prefix, role, port)
        return gate.compare_counts(repository, part, note, address, repository.backup)
    return f"{files}, {gate.integrity(repository, snapshot)}" if part == "grafana" else files
