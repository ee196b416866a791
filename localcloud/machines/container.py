"""One machine as a container: what it may do, what it is connected to, how it is switched on and off.

The container's file system is the machine's disk and outlives a power cycle. Docker inside keeps its data in a volume
(overlayfs on overlayfs does not work), which begins as a copy of the golden volume.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from localcloud.machines import networks
from localcloud.machines.docker import LABEL, docker, inspect
from localcloud.machines.golden_volume import DATA
from localcloud.machines.image import MachineImage

STATE = "/var/lib/rehearsal"  # the platform's files in a machine; inside/platform reads them
KIND = "fleetwatch.cloud.machine"  # label: droplet or server
GRACE = 30  # seconds that a machine has to go down in order, before the plug is pulled


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What a container is made from. Addresses: empty where it has none; `vpc` is the network's name."""

    cloud: str
    key: str  # droplet-17, server-vps-1: unique in the cloud
    kind: str
    hostname: str
    public_ip: str = ""
    private_ip: str = ""
    vpc: str = ""
    vcpus: int = 2
    memory_mb: int = 2048
    files: Mapping[str, str] = field(default_factory=dict)  # path -> text, there before the first boot


def name(cloud: str, key: str) -> str:
    """The container's name."""
    return f"fleetwatch-cloud-{cloud}-{key}"


def _data(cloud: str, key: str) -> str:
    return f"{name(cloud, key)}-docker"


def limits(vcpus: int, memory_mb: int) -> list[str]:
    """Options of `docker create` and `docker update`. Memory is the size's, without swap; processors are not.

    A real droplet boots on its one processor. Here a dozen machines and their first boots share what there is, and a
    limit would only make rehearsals slow; below two it is not set, nor above what this machine has.
    """
    here = os.cpu_count() or 1
    memory = f"{memory_mb}m"
    return [f"--cpus={min(max(vcpus, 2), here)}", f"--memory={memory}", f"--memory-swap={memory}"]


def _fill(machine: Machine, image: MachineImage, golden: str | None) -> None:
    volume = _data(machine.cloud, machine.key)
    docker("volume", "create", "--label", f"{LABEL}={machine.cloud}", volume)
    if golden:
        options = ["-v", f"{golden}:/golden:ro", "-v", f"{volume}:/new"]
        image.run_script(machine.cloud, f"cp -a /golden/{DATA}/. /new/", options)


def create(machine: Machine, image: MachineImage, golden: str | None) -> str:
    """Make the container and its Docker's data, switched off; the container's id. Leaves nothing when it fails."""
    try:
        _fill(machine, image, golden)
        own = name(machine.cloud, machine.key)
        labels = ["--label", f"{LABEL}={machine.cloud}", "--label", f"{KIND}={machine.kind}"]
        first = networks.internet_name(machine.cloud) if machine.public_ip else machine.vpc
        options = ["--name", own, "--hostname", machine.hostname, "--network", first, *labels, *image.rights()]
        options += ["--ip", machine.public_ip or machine.private_ip, *limits(machine.vcpus, machine.memory_mb)]
        options += ["-v", f"{_data(machine.cloud, machine.key)}:/var/lib/docker"]
        made = docker("create", *options, image.ref).strip()
        if machine.public_ip and machine.private_ip:
            # Before the start: Docker gives the names in the order of the networks, eth0 to the one it was made with.
            docker("network", "connect", "--ip", machine.private_ip, machine.vpc, own)
    except BaseException:
        delete(machine.cloud, machine.key)
        raise
    return made


def exists(cloud: str, key: str) -> bool:
    """Whether there is such a machine, on or off."""
    return inspect("container", name(cloud, key)) is not None


def running(cloud: str, key: str) -> bool:
    """Whether it is switched on; False if there is none."""
    found = inspect("container", name(cloud, key))
    return bool(found and found["State"]["Running"])


def start(cloud: str, key: str) -> None:
    """Switch it on; the boot goes on inside."""
    docker("start", name(cloud, key))


def stop(cloud: str, key: str) -> None:
    """Switch it off: first in order, after the grace at once."""
    docker("stop", "-t", str(GRACE), name(cloud, key), patience=GRACE + 60)


def platform(cloud: str, key: str, *arguments: str) -> None:
    """Run a command of the platform's script inside a running machine."""
    docker("exec", name(cloud, key), "/usr/lib/rehearsal/platform", *arguments)


def delete(cloud: str, key: str) -> None:
    """Remove it with its disk; nothing happens if there is none."""
    if inspect("container", name(cloud, key)) is not None:
        docker("rm", "-f", "-v", name(cloud, key))
    if inspect("volume", _data(cloud, key)) is not None:
        docker("volume", "rm", _data(cloud, key))
