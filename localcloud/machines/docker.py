"""Docker as the machines use it: its program, blocking, with the error output of a failed command in the exception.

Every object of a cloud carries the label LABEL with the cloud's name; whatever is removed is found by it.
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
# A command on a machine that neither answers nor ends would stop the whole cloud.
PATIENCE = 300


def docker(*arguments: str, stdin: bytes | None = None, patience: float = PATIENCE) -> str:
    """The output of a docker command. MachineError with its error output if it fails."""
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
    """What Docker knows of a container, network, volume or image; None if there is no such thing."""
    done = subprocess.run(["docker", kind, "inspect", name], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        found: dict[str, Any] = json.loads(done.stdout)[0]
        return found
    if "no such" in done.stderr.lower() or "not found" in done.stderr.lower():
        return None
    raise MachineError(f"`docker {kind} inspect {name}` failed: {done.stderr.strip()}")


def listed(kind: str, *filters: str) -> list[str]:
    """Names or ids of the objects of this kind that carry all the labels."""
    options = [option for label in filters for option in ("--filter", f"label={label}")]
    stopped = ["-a"] if kind == "container" else []
    return docker(kind, "ls", "-q", *stopped, *options).split()


def put(container: str, files: Mapping[str, str], mode: int = 0o644) -> None:
    """Write files into a container, running or not. They travel over stdin, so no process list shows their content."""
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
