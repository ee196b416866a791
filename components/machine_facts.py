"""What the machine that runs the program has: Docker Engines, networks, disk, ports, folders and key files.

Reads only, and makes no resources; configs/validation compares the answers with the stack file.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Sequence

from components import key_files
from configs.settings import Settings
from configs.settings.edge import log_folders
from configs.validation import DockerFacts, MachineFacts

TIMEOUT = 20  # seconds after which a Docker Engine counts as absent


def probe(settings: Settings) -> MachineFacts:
    """Facts for every `local` host, and the public key that new droplets accept."""
    local = {name: host.local for name, host in settings.hosts.items() if host.local is not None}
    return MachineFacts(
        docker={one.docker: _docker_facts(one.docker, settings.prefix) for one in local.values()},
        taken=_taken_ports(settings),
        missing_folders=frozenset(
            folder for name in local for folder in log_folders(settings.edges[name]) if not os.path.isdir(folder)
        ),
        public_key=key_files.public_key(settings.ssh.key),
    )


def _docker_facts(host: str, stack: str) -> DockerFacts:
    try:
        info = json.loads(_docker(host, "info", "--format", "{{json .}}"))
        if info.get("ServerErrors"):
            return DockerFacts(None, f"docker reports: {'; '.join(info['ServerErrors'])}")
        listed = _docker(host, "network", "ls", "--format", "{{.Name}}").splitlines()
        # A network that vanishes in between is left out of the answer, and is no fault.
        found = json.loads(_docker(host, "network", "inspect", *listed, check=False) or "[]") if listed else []
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        return DockerFacts(None, _reason(error))
    root = info.get("DockerRootDir") or "/"
    disk = shutil.disk_usage(root if os.path.isdir(root) else "/")
    return DockerFacts(
        version=info.get("ServerVersion", ""),
        unsuited=_unsuited(info.get("SecurityOptions") or []),
        networks=frozenset(listed),
        subnets=tuple(
            pool["Subnet"]
            for network in found
            if (network.get("Labels") or {}).get("fleetwatch.stack") != stack
            for pool in (network.get("IPAM", {}).get("Config") or [])
            if pool.get("Subnet")
        ),
        disk_total=disk.total,
        disk_free=disk.free,
    )


def _unsuited(options: Sequence[str]) -> str | None:
    """From Docker's security options, each a list such as `name=seccomp,profile=default`."""
    found = {option.split(",")[0].removeprefix("name=") for option in options}
    return "rootless" if "rootless" in found else "with userns-remap" if "userns" in found else None


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "the program `docker` is not installed; `make up` as root installs it"
    lines = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
    return (
        f"docker reports: {lines[-1] if lines else 'nothing'}; `make up` starts it, or see "
        "https://docs.docker.com/engine/install/"
    )


def _docker(host: str, *arguments: str, check: bool = True) -> str:
    done = subprocess.run(
        ["docker", "-H", host, *arguments],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=check,
        stdin=subprocess.DEVNULL,
        # Pulumi hands the program its configuration in the environment, secrets in clear (PULUMI_CONFIG).
        env={name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")},
    )
    return done.stdout


def _taken_ports(settings: Settings) -> frozenset[int]:
    """Ports of a hub on this machine on which another program listens."""
    if settings.hub.local is None:
        return frozenset()
    taken = frozenset(port for _, port in settings.hub.ports if _is_taken(port))
    try:
        return taken - _published(settings.hub.local.docker, settings.prefix)
    except (OSError, subprocess.SubprocessError, ValueError):
        return taken


def _is_taken(port: int) -> bool:
    with socket.socket() as tried:
        # As Docker does: a port in TIME_WAIT is free.
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except PermissionError:  # a port below 1024 and a plain user: Docker, which is not one, may still take it
            return tried.connect_ex(("127.0.0.1", port)) == 0
        except OSError:
            return True
    return False


def _published(docker: str, stack: str) -> frozenset[int]:
    """Ports that this stack's own Caddy publishes already."""
    listed = _docker(docker, "ps", "--filter", f"label=fleetwatch.stack={stack}", "--format", "{{.Ports}}")
    mappings = [item.strip() for line in listed.splitlines() for item in line.split(",")]
    return frozenset(
        int(item.split("->")[0].rpartition(":")[2])
        for item in mappings
        if "->" in item and "-" not in item.split("->")[0]
    )
