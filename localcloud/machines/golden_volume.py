"""The golden volume: a Docker data folder with images in it, of which each machine's Docker gets a copy.

A stand-in for pulls from a registry, which the rehearsal does not have. Kept as a cache: made again only when an image
or the droplets' image has changed, and labelled as what it is, so that it belongs to no cloud.
"""

from __future__ import annotations

import contextlib
import hashlib
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from localcloud.machines.docker import docker, inspect
from localcloud.machines.image import MachineImage
from localcloud.machines.model import MachineError

LABEL = "fleetwatch.golden"
DATA = "docker"  # folder in the volume
DONE = "complete"  # file beside it
_START = 30  # seconds that a Docker Engine may take


Announce = Callable[[str], AbstractContextManager[None]]  # shows the progress of the work in its block


def golden(image: MachineImage, refs: Sequence[str], purpose: str, announce: Announce) -> str:
    """Make the golden volume with these images, or find that it is there; its name. The caller holds a lock.

    The newest of a purpose is what machines of that purpose get; older ones are removed. MachineError names an image
    that this machine's Docker does not have.
    """
    ids = {ref: _id(ref) for ref in sorted(set(refs))}
    key = hashlib.sha256(repr((image.ref, ids)).encode()).hexdigest()[:12]
    name = f"fleetwatch-golden-{purpose}-{key}"
    if not complete(image, name):
        with announce(f"Golden volume {name}: {len(ids)} images preloaded into droplets, a stand-in for pulls"):
            _load(image, name, purpose, list(ids))
    for old in docker("volume", "ls", "-q", "--filter", f"label={LABEL}={purpose}").split():
        if old != name:
            with contextlib.suppress(MachineError):  # being copied at this moment
                docker("volume", "rm", old)
    return name


def complete(image: MachineImage, name: str) -> bool:
    """Whether this golden volume exists and was finished."""
    if inspect("volume", name) is None:
        return False
    argv = ["docker", "run", "--rm", "--network=none", "-v", f"{name}:/golden:ro", "--entrypoint=/usr/bin/test"]
    done = subprocess.run([*argv, image.ref, "-e", f"/golden/{DONE}"], capture_output=True, check=False)
    return done.returncode == 0


def current(image: MachineImage, purpose: str) -> str | None:
    """The golden volume that machines of this purpose get, if there is one."""
    names = docker("volume", "ls", "-q", "--filter", f"label={LABEL}={purpose}").split()
    return next((name for name in names if complete(image, name)), None)


def _id(ref: str) -> str:
    found = inspect("image", ref)
    if found is None:
        raise MachineError(f"The image {ref} is not in this machine's Docker: `make up` or `make rehearse` gets it.")
    return str(found["Id"])


def _load(image: MachineImage, volume: str, purpose: str, refs: list[str]) -> None:
    loader = f"{volume}-loader"
    start = ["run", "-d", "--name", loader, "-v", f"{volume}:/golden", *image.rights()]
    start += ["--network=none", "--entrypoint=/usr/sbin/dockerd", image.ref]
    remove = ["docker", "rm", "-f", "-v", loader]
    for left in (remove, ["docker", "volume", "rm", volume]):  # of a run that was killed
        subprocess.run(left, capture_output=True, check=False)
    docker("volume", "create", "--label", f"{LABEL}={purpose}", volume)
    try:
        docker(*start, f"--data-root=/golden/{DATA}", "--iptables=false", "--bridge=none")
        _wait(loader)
        if refs:
            _pipe(["docker", "save", *refs], ["docker", "exec", "-i", loader, "docker", "load", "-q"])
        docker("stop", "-t", "30", loader)  # in order: what it has written must be whole
        touch = ["run", "--rm", "--network=none", "-v", f"{volume}:/golden", "--entrypoint=/usr/bin/touch"]
        docker(*touch, image.ref, f"/golden/{DONE}")
    finally:
        subprocess.run(remove, capture_output=True, check=False)


def _wait(loader: str) -> None:
    end = time.monotonic() + _START
    while time.monotonic() < end:
        with contextlib.suppress(MachineError):
            docker("exec", loader, "docker", "version")
            return
        time.sleep(0.2)
    raise MachineError(f"The Docker Engine in {loader} does not answer: {docker('logs', '--tail', '5', loader)}")


def _pipe(source: list[str], target: list[str]) -> None:
    with subprocess.Popen(source, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as save:
        load = subprocess.run(target, stdin=save.stdout, capture_output=True, check=False)
        errors = save.stderr.read() if save.stderr else b""
    if save.returncode or load.returncode:
        raise MachineError(f"loading images failed: {(errors + load.stderr).decode(errors='replace').strip()}")
