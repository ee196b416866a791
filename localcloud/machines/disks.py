"""Block-storage volumes: a sparse ext4 image in one Docker volume each, attached to a machine by a loop device.

`losetup` runs in a short-lived container, so no path of this machine is needed; the device is the kernel's, and a
machine only has to make a node for it. It ends with its last user (inside/platform, attach).
"""

from __future__ import annotations

from dataclasses import dataclass

from localcloud.machines.docker import LABEL, docker, inspect, listed
from localcloud.machines.image import MachineImage
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


@dataclass(frozen=True)
class Disks:
    """The block-storage volumes of one cloud. `image` runs the tools that make and attach them."""

    cloud: str
    image: MachineImage

    def name_of(self, uuid: str) -> str:
        """The volume's name. MachineError if there is no such volume."""
        found = inspect("volume", self._docker_name(uuid))
        if found is None:
            raise MachineError(f"There is no volume {uuid} in the cloud {self.cloud}.")
        return str(found["Labels"][NAME])

    def create(self, uuid: str, name: str, gigabytes: int, filesystem: str) -> None:
        """Make a volume; `filesystem` is ext4, or empty for none. MachineError where there are no loop devices."""
        if filesystem not in ("", "ext4"):
            raise MachineError(f"volume {name}: expected the file system ext4, got {filesystem!r}")
        labels = {LABEL: self.cloud, VOLUME: uuid, NAME: name}
        options = [option for key, value in labels.items() for option in ("--label", f"{key}={value}")]
        docker("volume", "create", *options, self._docker_name(uuid))
        try:
            self._run(uuid, _MAKE, f"{gigabytes}G", filesystem, loop=False)
            self._run(uuid, f"dev=$({_ATTACH}); losetup -d $dev")
        except MachineError as problem:
            self.delete(uuid)
            raise MachineError(
                f"volume {name}: volumes of the rehearsal need loop devices, which this machine's Docker does not give "
                f"(as root: `modprobe loop`). {problem}"
            ) from None

    def attach(self, uuid: str) -> int:
        """Attach a loop device to the volume; its number. The machine that opens it, or `release`, detaches it."""
        device = self._run(uuid, _ATTACH)
        return int(device.removeprefix("/dev/loop"))

    def devices(self, uuid: str) -> list[str]:
        """The volume's loop devices: one while it is attached, and those that another process still has open."""
        return self._run(uuid, _DEVICES).split()

    def release(self, uuid: str) -> None:
        """Detach the volume's loop devices; one that is open goes when its last user closes it."""
        self._run(uuid, _RELEASE)

    def grow(self, uuid: str, gigabytes: int) -> None:
        """Make it larger, also while it is attached. The file system in it does not grow by this."""
        self.name_of(uuid)
        self._run(uuid, _GROW, f"{gigabytes}G")

    def delete(self, uuid: str) -> None:
        """Remove it and what is on it; nothing happens if there is none."""
        if inspect("volume", self._docker_name(uuid)) is not None:
            if self.image.exists():  # without it no machine has the volume attached
                self.release(uuid)
            docker("volume", "rm", self._docker_name(uuid))

    def uuids(self) -> list[str]:
        """Every volume of the cloud."""
        found = [inspect("volume", name) for name in listed("volume", f"{LABEL}={self.cloud}", VOLUME)]
        return [str(volume["Labels"][VOLUME]) for volume in found if volume]

    def _docker_name(self, uuid: str) -> str:
        return f"fleetwatch-cloud-{self.cloud}-disk-{uuid}"

    def _run(self, uuid: str, script: str, *arguments: str, loop: bool = True) -> str:
        options = [*(_LOOP if loop else ()), "-v", f"{self._docker_name(uuid)}:/disk"]
        return self.image.run_script(self.cloud, script, options, arguments).strip()
