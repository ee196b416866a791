"""The machine's disk: Debian with systemd, made by debootstrap and kept in the cache; a run writes to an overlay."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tools.errors import ToolError
from tools.paths import cache_dir, only_one
from tools.processes import run

RELEASE = "trixie"
_ARCHIVE = "http://deb.debian.org/debian"
_SIZE = "12G"
_PACKAGES = (
    "systemd-sysv", "dbus", "systemd-resolved", "systemd-timesyncd", "udev", "kmod", "linux-image-cloud-amd64",
    "initramfs-tools", "zstd", "cloud-init", "cloud-guest-utils", "fdisk", "openssh-server", "ca-certificates", "curl",
    "iproute2", "iputils-ping", "netbase", "procps", "sudo", "e2fsprogs", "locales",
)  # fmt: skip
_SCRIPT = Path(__file__).with_name("build_root.sh")


@dataclass(frozen=True)
class Disk:
    """A root file system without partitions, and the kernel and initial file system that are in it."""

    image: Path
    kernel: Path
    initrd: Path


def key() -> str:
    """Changes with everything that the disk is made of, but the archive's own state."""
    recipe = "\n".join((_SCRIPT.read_text(), RELEASE, _ARCHIVE, _SIZE, *_PACKAGES))
    return hashlib.sha256(recipe.encode()).hexdigest()[:12]


def get() -> tuple[Disk, str]:
    """The disk, made if the cache has none of this recipe; and which of both."""
    with only_one("disk of the virtual machine"):
        store = cache_dir("vm")
        place = store / f"disk-{key()}"
        found = Disk(place / "disk.img", place / "vmlinuz", place / "initrd.img")
        if place.is_dir():
            return found, "from the cache"
        _make(place)
        for old in store.glob("disk-*"):
            if old != place:
                shutil.rmtree(old)
        return found, f"made: Debian {RELEASE} by debootstrap"


def _make(place: Path) -> None:
    if os.geteuid():
        raise ToolError("Only root can make the disk of the virtual machine: run `make test-vm` once as root.")
    with tempfile.TemporaryDirectory(dir=place.parent, prefix="making-") as work:
        root, made = Path(work) / "root", Path(work) / "made"
        made.mkdir()
        # Mounts of the script end with it. debootstrap's programs are in folders that not every PATH has.
        argv = ["unshare", "--mount", "--propagation", "private", "sh", str(_SCRIPT), str(root), RELEASE, _ARCHIVE]
        env = {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}
        run([*argv, *_PACKAGES], what="root file system of the virtual machine", env=env)
        for name, pattern in (("vmlinuz", "vmlinuz-*"), ("initrd.img", "initrd.img-*")):
            (newest,) = (root / "boot").glob(pattern)
            shutil.copyfile(newest, made / name)
        argv = ["mke2fs", "-q", "-t", "ext4", "-L", "root", "-d", str(root), str(made / "disk.img"), _SIZE]
        run(argv, what="disk of the virtual machine", env=env)
        made.rename(place)
