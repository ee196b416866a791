"""What the tests of the machines share: a cloud of their own, and how to look at its machines from here."""

from __future__ import annotations

import secrets
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from localcloud.machines import DropletSpec, Machines
from tools.rehearsal import machine_image

NET = "198.18.33"  # RFC 2544: nobody's, and no other cloud's of this machine
PURPOSE = "tests"
USER_DATA = """#cloud-config
write_files:
  - path: /var/lib/cloud/scripts/per-boot/count.sh
    permissions: "0755"
    content: "#!/bin/sh\\necho boot >> /srv/boots\\n"
runcmd:
  - [sh, -c, "timeout 120 sh -c 'until [ -e /srv/go ]; do sleep 0.1; done'; echo first >> /srv/firsts"]
"""


class World:
    """The cloud, and how to look at it from here."""

    def __init__(self, home: Path, ref: str) -> None:
        self.name = f"fwt{secrets.token_hex(3)}"
        self.machines = Machines(self.name, machine_image(), f"{NET}.0/24", PURPOSE)
        self.range = f"10.{secrets.randbelow(50) + 150}.{secrets.randbelow(250)}"
        self.ref = ref
        self.key = home / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key)], check=True)
        self.public = self.key.with_name("key.pub").read_text().strip()

    def droplet(self, id: int, public: str, user_data: str = "") -> None:
        private = f"{self.range}.{id + 4}"
        self.machines.create_droplet(
            DropletSpec(f"web-{id}", id, public, private, "vpc", 1, 1024, user_data, (self.public,), "fra1")
        )

    def ssh(self, address: str, command: str, user: str = "root", through: str = "") -> str:
        """What a command says; raises with its words. `through`: a jump host."""
        words = ["ssh", "-i", str(self.key), "-o", "BatchMode=yes", "-o", "ConnectTimeout=2", "-o", "LogLevel=ERROR"]
        words += ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
        if through:
            words += ["-o", f"ProxyCommand={' '.join(words)} -W %h:%p root@{through}"]
        done = subprocess.run([*words, f"{user}@{address}", command], capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise OSError(f"{command}: {done.stdout}{done.stderr}")
        return done.stdout.strip()


def answers(address: str, port: int) -> bool:
    """Whether HTTP answers there, from here."""
    words = ["curl", "-s", "-o", "/dev/null", "-m", "2", "--noproxy", "*", f"http://{address}:{port}/"]
    return subprocess.run(words, check=False).returncode == 0


def soon(what: str, ask: Callable[[], object], patience: float = 30) -> object:
    """The first true answer."""
    end, last = time.monotonic() + patience, None
    while time.monotonic() < end:
        try:
            if last := ask():
                return last
        except OSError as error:
            last = str(error)
        time.sleep(0.2)
    raise AssertionError(f"within {patience:.0f} s did not come: {what}; last: {last}")
