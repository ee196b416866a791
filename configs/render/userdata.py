"""What a new droplet does at its first boot: Docker and Compose, a stricter sshd, no metadata for containers, `setup`.

cloud-init runs it once, so a change of it means something to new droplets only. Anything on the droplet can ask the
metadata service for this text: no secret goes in.

Exercised on Debian 12 with `service` scripts in systemd's place (the rehearsal) and on Debian 13 with systemd (a
virtual machine); never on Ubuntu or at DigitalOcean.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from configs import deploy
from configs.render.dump import to_yaml

LIMIT = 64 * 1024  # bytes, of the platform
FOLDER = "/usr/local/lib/fleetwatch"
PER_BOOT = "/var/lib/cloud/scripts/per-boot/fleetwatch-metadata.sh"

# Without live-restore: with it a droplet that goes down does not stop its containers in order (a hub's stores would
# lose their file system while they write), and swarm mode is refused. Docker is held instead: it restarts rarely.
_DAEMON = {"log-driver": "json-file", "log-opts": {"max-size": "10m", "max-file": "5"}}

_HERE = Path(__file__).parent

_SSHD = """# Written by fleetwatch. The first value that sshd reads is the one that counts.
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
X11Forwarding no
# One connection carries a session per command and per Docker request; a hub is also the jump host to private hosts.
MaxSessions 50
MaxStartups 50:30:100
"""


def render(*, major: int, setup: str | None = None) -> str:
    """The user data of a droplet with this major version of Docker Engine. `setup`, a script that begins with #!, runs
    last, as root.

    A setup that fails makes the first boot a failed one, which the host's readiness step reports. Raises ValueError if
    the text is longer than the platform takes.
    """
    text = "#cloud-config\n" + to_yaml(
        {"write_files": _files(major, setup), "runcmd": [[f"{FOLDER}/first-boot"]]},
        "Rendered by fleetwatch. Readable by anything on the droplet.",
    )
    size = len(text.encode())
    if size > LIMIT:
        raise ValueError(f"expected user data of at most {LIMIT} bytes, got {size}; make `setup` fetch what is long")
    return text


def _files(major: int, setup: str | None) -> list[dict[str, Any]]:
    return [
        _file("/etc/docker/daemon.json", json.dumps(_DAEMON, indent=2) + "\n"),
        _file("/etc/ssh/sshd_config.d/10-fleetwatch.conf", _SSHD),
        _file(PER_BOOT, _script("metadata"), "0755"),
        _file(f"{FOLDER}/docker-packages", deploy.docker_packages(major)),
        _file(f"{FOLDER}/first-boot", _script("first_boot"), "0755"),
        *([_file(f"{FOLDER}/setup", setup, "0700")] if setup else []),
    ]


def _file(path: str, content: str, mode: str = "0644") -> dict[str, str]:
    return {"path": path, "permissions": mode, "content": content}


def _script(name: str) -> str:
    return (_HERE / f"{name}.sh").read_text()
