"""Block-storage volumes: a sparse ext4 image in a Docker volume of its own, brought to a machine by a loop device.

`losetup` runs in a short-lived container, so no path of this machine is needed; the device is the kernel's, and a
machine only has to make a node for it. It ends with its last user (inside/platform, attach).
"""

from __future__ import annotations

from localcloud.machines.docker import LABEL, docker, has_image, helper, inspect, listed
from localcloud.machines.model import MachineError

VOLUME = "fleetwatch.cloud.volume"  # label: the uuid
NAME = "fleetwatch.cloud.volume.name"
_IMAGE = "/disk/disk.img"
# A file system is made without its journal's zeros and inode tables written: a 100 GB volume costs some megabytes.
_MAKE = f'truncate -s "$1" {_IMAGE}; [ -z "$2" ] || mkfs.ext4 -q -F -E lazy_itable_init=1,lazy_journal_init=1 {_IMAGE}'
_ATTACH = (
    '[ -e /dev/loop-control ] || { echo "there is no /dev/loop-control" >&2; exit 1; }; '
    f"losetup --find --show {_IMAGE}"
)
_DEVICES = f"losetup -j {_IMAGE} -n -O NAME"
_GROW = f'truncate -s "$1" {_IMAGE}; {_DEVICES} | xargs -rn1 losetup -c'
_RELEASE = f"{_DEVICES} | xargs -rn1 losetup -d"
# The machine's own /dev: the kernel makes the nodes of new loop devices there.
_LOOP = (
    "--cap-add=SYS_ADMIN", "--security-opt=apparmor=unconfined", "--security-opt=seccomp=unconfined",
    "--device-cgroup-rule=b 7:* rwm", "--device-cgroup-rule=c 10:237 rwm", "-v", "/dev:/dev",
)  # fmt: skip


def _docker_name(cloud: str, uuid: str) -> str:
    return f"fleetwatch-cloud-{cloud}-disk-{uuid}"


def _run(cloud: str, uuid: str, script: str, *words: str, loop: bool = True) -> str:
    options = [*(_LOOP if loop else ()), "-v", f"{_docker_name(cloud, uuid)}:/disk"]
    return helper(cloud, script, options, words).strip()


def name_of(cloud: str, uuid: str) -> str:
    """The volume's name. MachineError if there is no such volume."""
    found = inspect("volume", _docker_name(cloud, uuid))
    if found is None:
        raise MachineError(f"There is no volume {uuid} in the cloud {cloud}.")
    return str(found["Labels"][NAME])


def create(cloud: str, uuid: str, name: str, gigabytes: int, filesystem: str) -> None:
    """Make a volume; `filesystem` is ext4, or empty for none. MachineError where loop devices cannot be had."""
    if filesystem not in ("", "ext4"):
        raise MachineError(f"volume {name}: expected the file system ext4, got {filesystem!r}")
    labels = {LABEL: cloud, VOLUME: uuid, NAME: name}
    words = [word for key, value in labels.items() for word in ("--label", f"{key}={value}")]
    docker("volume", "create", *words, _docker_name(cloud, uuid))
    try:
        _run(cloud, uuid, _MAKE, f"{gigabytes}G", filesystem, loop=False)
        _run(cloud, uuid, f"dev=$({_ATTACH}); losetup -d $dev")
    except MachineError as problem:
        delete(cloud, uuid)
        raise MachineError(
            f"volume {name}: volumes of the rehearsal need loop devices, which this machine's Docker does not give "
            f"(as root: `modprobe loop`). {problem}"
        ) from None


def attach(cloud: str, uuid: str) -> int:
    """Give the volume a loop device; its number. Whoever opens it has to release it (or `release`)."""
    device = _run(cloud, uuid, _ATTACH)
    return int(device.removeprefix("/dev/loop"))


def devices(cloud: str, uuid: str) -> list[str]:
    """The loop devices that there are for the volume: one while it is attached, and those still in use elsewhere."""
    return _run(cloud, uuid, _DEVICES).split()


def release(cloud: str, uuid: str) -> None:
    """Give up the volume's loop devices; those in use go with their last user."""
    _run(cloud, uuid, _RELEASE)


def grow(cloud: str, uuid: str, gigabytes: int) -> None:
    """Make it larger, also while it is attached; the file system in it is its user's business."""
    name_of(cloud, uuid)
    _run(cloud, uuid, _GROW, f"{gigabytes}G")


def delete(cloud: str, uuid: str) -> None:
    """Remove it and what is on it; nothing happens if there is none."""
    if inspect("volume", _docker_name(cloud, uuid)) is not None:
        if has_image():  # else no machine can have it; removing must not begin by making an image
            release(cloud, uuid)
        docker("volume", "rm", _docker_name(cloud, uuid))


def every(cloud: str) -> list[str]:
    """The uuids of the cloud's volumes."""
    found = [inspect("volume", name) for name in listed("volume", f"{LABEL}={cloud}", VOLUME)]
    return [str(volume["Labels"][VOLUME]) for volume in found if volume]
