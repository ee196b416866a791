"""Docker as the machines use it: its program, blocking, with the words of a failure in the exception.

Every object of a cloud carries the label LABEL with the cloud's name; whatever is removed is found by it.
"""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from functools import cache
from threading import Lock
from typing import Any

from localcloud.machines.model import MachineError
from tools import images
from tools.recipe_droplet import DROPLET_RECIPES

LABEL = "fleetwatch.cloud"
# A command on a machine that neither answers nor ends would stop the whole cloud.
PATIENCE = 300
# A machine runs a Docker Engine, sshd, iptables and mounts. --privileged, which is more, is refused in many places.
_RIGHTS = (
    "--cap-add=ALL", "--security-opt=seccomp=unconfined", "--security-opt=apparmor=unconfined",
    "--device-cgroup-rule=a *:* rwm", "--tmpfs=/run:exec",
    # Groups of its own: the containers in it count against its memory, and it does not see the others'.
    "--cgroupns=private",
)  # fmt: skip
_once = Lock()


def docker(*words: str, stdin: bytes | None = None, patience: float = PATIENCE) -> str:
    """The output of a docker command. MachineError with its words if it fails."""
    shown = f"docker {' '.join(words[:2])}"
    try:
        done = subprocess.run(["docker", *words], input=stdin, capture_output=True, timeout=patience, check=False)
    except FileNotFoundError:
        raise MachineError("The program `docker` is missing: the rehearsal's machines are containers.") from None
    except subprocess.TimeoutExpired:
        raise MachineError(f"`{shown}` did not end within {patience:.0f} s") from None
    if done.returncode:
        said = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise MachineError(f"`{shown}` failed ({done.returncode}): {said}")
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
    """Names or ids of what has all the labels."""
    words = [word for one in filters for word in ("--filter", f"label={one}")]
    every = ["-a"] if kind == "container" else []
    return docker(kind, "ls", "-q", *every, *words).split()


def put(container: str, files: Mapping[str, str], mode: int = 0o644) -> None:
    """Write files in a container, running or not. Through stdin: what is in them is in nobody's process list."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for path, text in files.items():
            data = text.encode()
            info = tarfile.TarInfo(path.lstrip("/"))
            info.size, info.mode = len(data), mode
            tar.addfile(info, io.BytesIO(data))
    docker("cp", "-", f"{container}:/", stdin=out.getvalue())


def take(container: str, path: str) -> str:
    """A file of a container, running or not."""
    done = subprocess.run(["docker", "cp", f"{container}:{path}", "-"], capture_output=True, check=False)
    if done.returncode:
        raise MachineError(f"`docker cp` of {path} failed: {done.stderr.decode(errors='replace').strip()}")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
        content = tar.extractfile(tar.getmembers()[0])
        return content.read().decode() if content else ""


@cache
def _image() -> str:
    return images.get(["droplet"])[0].ref


def image() -> str:
    """The droplets' image; made now if there is none yet, which takes a minute and shows it."""
    with _once:
        return _image()


def has_image() -> bool:
    """Whether the droplets' image is there; makes none."""
    return inspect("image", DROPLET_RECIPES["droplet"]().ref) is not None


@cache
def _has_all() -> bool:
    words = ["docker", "run", "--rm", "--network=none", "--cap-add=ALL", "--entrypoint=/bin/true", _image()]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def rights() -> list[str]:
    """Options for a container that is a machine. Some engines are themselves without CAP_SYS_RESOURCE."""
    with _once:
        return [*_RIGHTS] if _has_all() else [*_RIGHTS, "--cap-drop=SYS_RESOURCE"]


def helper(cloud: str, script: str, options: Sequence[str] = (), words: Sequence[str] = ()) -> str:
    """Run a shell script in a short-lived container of the droplets' image; `words` are its arguments."""
    own = ["--rm", "--network", "none", "--label", f"{LABEL}={cloud}", "--entrypoint", "/bin/sh"]
    return docker("run", *own, *options, image(), "-euc", script, "sh", *words)
