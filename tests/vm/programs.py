"""What making and running the virtual machine needs on this machine, installed by apt where that is possible."""

from __future__ import annotations

import os
import platform
import shutil

from tools import apt
from tools.errors import ToolError
from tools.progress import say

# The programs by the Debian package that has them.
PACKAGES = {
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "debootstrap": "debootstrap",
    "mke2fs": "e2fsprogs",
    "xorrisofs": "xorriso",
    "ssh": "openssh-client",
}


def missing() -> dict[str, str]:
    """Programs that are not there, with their packages. Those of root are looked for too."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    return {program: package for program, package in PACKAGES.items() if not shutil.which(program, path=path)}


def find() -> str:
    """All of them, installed as root on Debian and Ubuntu; what was done. ToolError if one cannot be had."""
    if platform.machine() != "x86_64":
        raise ToolError(f"The virtual machine runs x86-64 images; this machine is {platform.machine()} and has none.")
    lacking = missing()
    if not lacking:
        return "all there"
    packages = sorted(set(lacking.values()))
    if not apt.usable():
        raise ToolError(
            f"The virtual machine needs {', '.join(sorted(lacking))}, not found on this machine: install "
            f"{' '.join(packages)}, or run this once as root on Debian or Ubuntu, which installs them."
        )
    say(f"Installing {', '.join(packages)} with apt (you are root).")
    apt.update()
    apt.install(packages, "emulator")
    if lacking := missing():
        raise ToolError(f"After the installation of {', '.join(packages)}, {', '.join(sorted(lacking))} is missing.")
    return f"installed {', '.join(packages)}"
