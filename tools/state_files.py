"""The files of a state in a folder: the lock of a run, and what a kill left half-written.

A lock whose process is gone is removed. Pulumi keeps one JSON file per stack, and a copy of the previous one.
"""

from __future__ import annotations

import gzip
import json
import os
import socket
import zlib
from pathlib import Path
from typing import Any

from tools.errors import ToolError
from tools.progress import say


def free(backend: Path, stack: str) -> None:
    """Make the state of a stopped run usable again. ToolError if another run has it, or if it cannot be read."""
    clear_dead_lock(backend, stack)
    mend(backend, stack)


def in_use(by: str, stack: str) -> str:
    """The message about a lock that a running process, or one of another machine, holds."""
    return (
        f"The state of stack {stack} is in use by another run: {by}. Wait for it. If it no longer exists, "
        f"`make pulumi STACK={stack} ARGS=cancel` removes its lock, and the next `make up` resumes."
    )


def clear_dead_lock(backend: Path, stack: str) -> None:
    """Remove a lock whose process is gone. ToolError with owner and time if its process may still run."""
    for lock in sorted((backend / ".pulumi" / "locks").rglob(f"fleetwatch/{stack}/*.json")):
        try:
            owner = json.loads(lock.read_text())
        except FileNotFoundError:
            continue
        except (OSError, ValueError):
            raise ToolError(in_use(f"its lock cannot be read ({lock})", stack)) from None
        here = owner.get("hostname") == socket.gethostname()
        if not here or _alive(int(owner.get("pid", 0))):
            who = f"{owner.get('username')} on {owner.get('hostname')}"
            raise ToolError(in_use(f"{who}, process {owner.get('pid')}, since {owner.get('timestamp')}", stack))
        say(f"An earlier run (process {owner.get('pid')}, {owner.get('timestamp')}) was stopped; removing its lock.")
        lock.unlink(missing_ok=True)


def mend(backend: Path, stack: str) -> None:
    """Make the files of a state in a folder readable again after a kill or a power cut. Call it without a lock there.

    Pulumi writes each file with a `.attrs` beside it (gocloud.dev/blob/fileblob: content type and checksum), and that
    one not atomically: where it is cut short, Pulumi ends with "failed to load checkpoint: EOF". Without it Pulumi
    reads the file as it is. A state that itself is cut short is replaced by Pulumi's own copy of the previous one.
    """
    folder = backend / ".pulumi"
    for sidecar in folder.rglob("*.attrs"):
        ours = sidecar.parent == folder or sidecar.name.startswith(f"{stack}.") or sidecar.parent.name == stack
        if ours and not _whole(sidecar):
            sidecar.unlink(missing_ok=True)
    for suffix in (".json", ".json.gz"):
        place = folder / "stacks" / "fleetwatch" / f"{stack}{suffix}"
        if not place.exists() or _whole(place):
            continue
        before, broken = place.with_name(f"{place.name}.bak"), place.with_name(f"{place.name}.broken")
        if not _whole(before):
            raise ToolError(
                f"The state of stack {stack} cannot be read ({place}), nor can its copy ({before.name}). Put back a "
                "backup of that file, or of the folder (docs/state.md)."
            )
        place.replace(broken)
        place.write_bytes(before.read_bytes())
        say(f"The state of stack {stack} was cut short ({broken}); continuing with Pulumi's copy of the previous one.")


def content(place: Path) -> Any:
    """The JSON of a file of a state, packed or not. OSError or ValueError if it is not whole."""
    try:
        kept = place.read_bytes()
        return json.loads(gzip.decompress(kept) if kept.startswith(b"\x1f\x8b") else kept)
    except (EOFError, zlib.error) as error:
        raise ValueError(str(error)) from None


def _whole(place: Path) -> bool:
    try:
        content(place)
    except (OSError, ValueError):
        return False
    return True


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        # A zombie has ended; its parent (in a container often a process 1 that is no init) did not wait for it.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return True
