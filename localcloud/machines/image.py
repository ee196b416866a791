"""The image that machines are made from. Whoever builds it gives its reference; nothing here builds or pulls it."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from localcloud.machines.docker import LABEL, docker, inspect

# A machine runs a Docker Engine, sshd, iptables and mounts. --privileged, which is more, is refused in many places.
_RIGHTS = (
    "--cap-add=ALL", "--security-opt=seccomp=unconfined", "--security-opt=apparmor=unconfined",
    "--device-cgroup-rule=a *:* rwm", "--tmpfs=/run:exec",
    # A private cgroup namespace: the containers in it count against its memory, and it does not see the others'.
    "--cgroupns=private",
)  # fmt: skip


@dataclass(frozen=True)
class MachineImage:
    """A reference such as `fleetwatch.local/droplet:debian-12-1a2b3c4d`."""

    ref: str

    def exists(self) -> bool:
        """Whether Docker has the image."""
        return inspect("image", self.ref) is not None

    def rights(self) -> list[str]:
        """Options for a container that is a machine. Some engines lack CAP_SYS_RESOURCE themselves."""
        return [*_RIGHTS] if _grants_all(self.ref) else [*_RIGHTS, "--cap-drop=SYS_RESOURCE"]

    def run_script(self, cloud: str, script: str, options: Sequence[str] = (), arguments: Sequence[str] = ()) -> str:
        """The output of a shell script in a short-lived container of this image."""
        base = ["--rm", "--network", "none", "--label", f"{LABEL}={cloud}", "--entrypoint", "/bin/sh"]
        return docker("run", *base, *options, self.ref, "-euc", script, "sh", *arguments)


@cache
def _grants_all(ref: str) -> bool:
    argv = ["docker", "run", "--rm", "--network=none", "--cap-add=ALL", "--entrypoint=/bin/true", ref]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0
