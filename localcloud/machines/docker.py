"""Runs the `docker` program for the machines: blocking, with the error output of a failed command in the exception.

Every object of a cloud has the label LABEL with the cloud's name. Removal finds objects by this label only.
"""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from collections.abc import Mapping
from typing import Any

from localcloud.machines.model import MachineError

LABEL = "fleetwatch.cloud"
# Seconds. A command that hangs on a machine would block the whole cloud.
PATIENCE = 300


def docker(*arguments: str, stdin: bytes | None = None, patience: float = PATIENCE) -> str:
    """The output of a docker command. Raises MachineError with its error output if it fails."""
    shown = f"docker {' '.join(arguments[:2])}"
    try:
        done = subprocess.run(["docker", *arguments], input=stdin, capture_output=True, timeout=patience, check=False)
    except FileNotFoundError:
        raise MachineError("The program `docker` is missing: the rehearsal's machines are containers.") from None
    except subprocess.TimeoutExpired:
        raise MachineError(f"`{shown}` did not end within {patience:.0f} s") from None
    if done.returncode:
        reason = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise MachineError(f"`{shown}` failed ({done.returncode}): {reason}")
    return done.stdout.decode(errors="replace")


def inspect(kind: str, name: str) -> dict[str, Any] | None:
    """`docker inspect` of a container, network, volume or image; None if it does not exist. Raises MachineError."""
    done = subprocess.run(["docker", kind, "inspect", name], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        found: dict[str, Any] = json.loads(done.stdout)[0]
        return found
    if "no such" in done.stderr.lower() or "not found" in done.stderr.lower():
        return None
    raise MachineError(f"`docker {kind} inspect {name}` failed: {done.stderr.strip()}")


def listed(kind: str, *filters: str) -> list[str]:
    """Names or ids of the objects of this kind that have all the labels."""
    options = [option for label in filters for option in ("--filter", f"label={label}")]
    stopped = ["-a"] if kind == "container" else []
    return docker(kind, "ls", "-q", *stopped, *options).split()


def put(container: str, files: Mapping[str, str], mode: int = 0o644) -> None:
    """Writes files into a container, running or not, over stdin: no process list shows their content."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for path, text in files.items():
            data = text.encode()
            info = tarfile.TarInfo(path.lstrip("/"))
            info.size, info.mode = len(data), mode
            tar.addfile(info, io.BytesIO(data))
    docker("cp", "-", f"{container}:/", stdin=out.getvalue())


def take(container: str, path: str) -> str:
    """The text of a file in a container, running or not."""
    done = subprocess.run(["docker", "cp", f"{container}:{path}", "-"], capture_output=True, check=False)
    if done.returncode:
        raise MachineError(f"`docker cp` of {path} failed: {done.stderr.decode(errors='replace').strip()}")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
        content = tar.extractfile(tar.getmembers()[0])
        return content.read().decode() if content else ""
