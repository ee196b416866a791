"""The repository of a hub's backups, read by a container beside the one that backs up, on the hub's own Docker Engine.

Secrets stay on the hub: that container mounts the files of the backup's container.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from configs import names
from configs.services.backup import CONFIG, PARTS, parts
from tools.errors import ToolError
from tools.hub_docker import IMAGE, HubDocker, source
from tools.stack import Stack
from tools.stack_factory import open_stack
from tools.times import check_past, moment

SCRIPT = f"{CONFIG}/restore.sh"
ADDED_LATER = ("ask",)  # parts of which a hub may have no backup yet
READS_REPOSITORY = frozenset({"snapshots", "stage", "note", "dump", "id"})  # of restore.sh's commands
REMOVED = 30  # seconds until Docker has removed a container that ended
_SENTENCE = "sentence: "
# Files of other users are read, written and given back to them.
RIGHTS = (
    "--cap-drop", "ALL", "--cap-add", "CHOWN", "--cap-add", "DAC_OVERRIDE", "--cap-add", "FOWNER",
    "--security-opt", "no-new-privileges", "--memory", "1g",
)  # fmt: skip


@dataclass(frozen=True)
class Snapshot:
    """One backup of one part."""

    id: str
    part: str
    at: datetime


class Repository(HubDocker):
    """Backups of a stack that is up. Every error is a ToolError with one sentence."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack)
        settings = stack.settings()
        self.parts = parts(settings) if settings is not None else tuple(PARTS)
        self.backup = names.container(self.prefix, "backup")
        try:
            found = self.inspected("inspect", "--type", "container", "-f", f"{IMAGE} {source(CONFIG)}", self.backup)
        except ToolError as problem:
            if settings is None or not settings.hub.nodes:
                raise
            raise ToolError(
                f"{str(problem).rstrip('.')}. Backups of a cluster are made and read on its first node, {self.host}: "
                f"start it, or make it again with `make rebuild HOST={self.host}`, then run this command again."
            ) from problem
        if found is None:
            raise ToolError("The hub has no backup: set hub.backup in the stack file, then run `make up`.")
        self.image, folder = found.split()
        self.scripts = ("-v", f"{folder}:{CONFIG}:ro")
        self._notes: dict[str, str] = {}

    def reason(self, messages: str, words: Sequence[str]) -> str:
        """Of restore.sh its own sentence."""
        for line in messages.strip().splitlines():
            if line.startswith(_SENTENCE):
                return f"The backup cannot be read: {line.removeprefix(_SENTENCE)}."
        return super().reason(messages, words)

    def keep_state(self, state: str) -> None:
        """Hand the stack's exported state to the backup, which stores it at once."""
        command = (
            "cat > /state/state/.next && mv /state/state/.next /state/state/stack.json && touch /state/state-changed"
        )
        self.shell(command, state)

    def script(self, *words: str, volume: str = "", stdin: bytes = b"") -> bytes:
        """What restore.sh prints, run in a new container; `volume` is what it writes into. One at a time writes into a
        volume: its container outlives a connection that breaks. Only one that reads the repository has its secrets and
        a network."""
        options = ["-v", f"{volume}:/into", "--name", self._restoring(volume)] if volume else []
        reads = words[0] in READS_REPOSITORY
        network = names.hub_network(self.prefix) if reads else "none"
        run = ("run", "--rm", "-i", "--pull", "never", "--network", network)
        # With the stack's own label too, so that `make down` finds one that a killed run left.
        label = ("--label", f"fleetwatch.stack={self.prefix}", "--label", f"fleetwatch.restore={self.prefix}")
        mounts = (*(("--volumes-from", f"{self.backup}:ro") if reads else self.scripts), *options)
        if volume:
            self.wait_for(volume)
        return self.sent((*run, *RIGHTS, *label, *mounts, "--entrypoint", "/bin/sh", self.image, SCRIPT, *words), stdin)

    def wait_for(self, volume: str) -> None:
        """Until nothing of an interrupted run writes into the volume any more."""
        name = self._restoring(volume)
        end = 0.0
        while self.try_docker("wait", name) is not None:
            end = end or time.monotonic() + REMOVED  # once it has ended: that may have taken long
            if time.monotonic() > end:
                # It was made and never started: Docker removes by itself only what ended. A running one stays.
                self.try_docker("rm", name)
                return
            time.sleep(0.2)  # it has ended, and Docker removes it

    def abandon(self, volume: str) -> None:
        """End what an interrupted run does with the volume."""
        self.try_docker("rm", "-f", self._restoring(volume))

    @staticmethod
    def _restoring(volume: str) -> str:
        return f"{volume}-restoring"

    def snapshots(self) -> list[Snapshot]:
        """All backups, the oldest first."""
        found = json.loads(self.script("snapshots") or b"[]")
        made = [Snapshot(one["id"], one["tags"][0], moment(one["time"])) for one in found if one.get("tags")]
        return sorted(made, key=lambda one: one.at)

    def noted(self, snapshot: Snapshot) -> str:
        """What was noted about the part when it was backed up."""
        if snapshot.id not in self._notes:
            self._notes[snapshot.id] = self.script("note", snapshot.part, snapshot.id).decode()
        return self._notes[snapshot.id]

    def shell(self, command: str, stdin: str = "") -> str:
        """A line of shell in the backup's own container; its output."""
        interactive = ("-i",) if stdin else ()
        return self.sent(("exec", *interactive, self.backup, "sh", "-c", command), stdin.encode()).decode()

    def start(self, mark: str = "") -> None:
        """Begin a backup. `mark`: `adopt` to continue the repository of another hub, `restored` after a restore."""
        self.shell(f"touch {f'/state/{mark} ' if mark else ''}/state/now")

    def owned(self) -> bool:
        """Whether this hub writes into the repository: it made it, or it has taken it over."""
        known = self.shell("cat /state/repository 2> /dev/null || true").partition(" ")[0]
        return bool(known) and known == self.script("id").decode().strip()


def opened(options: argparse.Namespace) -> Stack:
    """The stack of a command, with its whole configuration: secrets may be in a file beside the stack file."""
    stack = open_stack(options)
    stack.prepare()
    return stack


def chosen(
    snapshots: Sequence[Snapshot], parts: Sequence[str], at: datetime | None, optional: Collection[str] = ()
) -> dict[str, Snapshot]:
    """The newest backup of each part at or before `at`. `optional`: parts that may have none."""
    found: dict[str, Snapshot] = {}
    for one in snapshots:
        if at is None or one.at <= at:
            found[one.part] = one
    missing = [part for part in parts if part not in found and part not in optional]
    if missing:
        when = f" at or before {at.isoformat()}" if at else ""
        oldest = f"; the oldest backup is of {snapshots[0].at.isoformat()}" if snapshots and at else ""
        raise ToolError(f"There is no backup of {', '.join(missing)}{when}{oldest}.")
    return {part: found[part] for part in parts if part in found}


def without(parts: Sequence[str], snapshots: Mapping[str, Snapshot]) -> list[str]:
    """A line for each part that has no backup."""
    return [f"  {part}: there is no backup of it yet" for part in parts if part not in snapshots]


def parsed_time(text: str) -> datetime | None:
    """AT=: a time in ISO 8601, UTC unless it has an offset; empty for the newest."""
    text = text.strip()
    if not text or text == "latest":
        return None
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
        at = (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        raise ToolError(
            f"AT={text[:40]}: expected a time such as 2026-11-28T12:00 (UTC), or nothing for the newest"
        ) from None
    check_past(text, at.timestamp(), "the newest backup is taken")
    return at


def counts(note: str) -> Mapping[str, int]:
    """The counts of a note: `samples of up in 1h: 240`."""
    pairs = (line.rpartition(": ") for line in note.splitlines() if ": " in line)
    return {what: int(value) for what, _, value in pairs if value.isdecimal()}


def noted_at(note: str) -> str:
    """The time of a note in seconds, as text."""
    return note.partition("\n")[0].removeprefix("at ")
