"""What this machine says: its Docker Engine, networks, disk and ports. Reads only; the answers go to configs."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess

from configs.settings import Settings
from configs.settings.edge import log_folders
from configs.settings.facts import Facts


def probe(settings: Settings) -> Facts:
    """Facts for a hub on this machine. A Docker Engine that does not answer within 20 s counts as absent."""
    assert settings.hub.local is not None
    docker = settings.hub.local.docker
    try:
        info = json.loads(_docker(docker, "info", "--format", "{{json .}}"))
        if info.get("ServerErrors"):
            return _absent("; ".join(info["ServerErrors"]))
        listed = _docker(docker, "network", "ls", "--format", "{{.Name}}").split()
        # One that vanishes in between is left out by the answer, and is no fault.
        found = json.loads(_docker(docker, "network", "inspect", *listed, check=False) or "[]") if listed else []
        ours = _ours(docker, settings.prefix)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        return _absent(_reason(error))
    root = info.get("DockerRootDir") or "/"
    disk = shutil.disk_usage(root if os.path.isdir(root) else "/")
    return Facts(
        docker=info.get("ServerVersion", ""),
        problem=None,
        networks=frozenset(listed),
        disk_total=disk.total,
        disk_free=disk.free,
        taken=frozenset(port for _, port in settings.hub.ports if _taken(port)) - ours,
        subnets=tuple(
            pool["Subnet"]
            for network in found
            if (network.get("Labels") or {}).get("fleetwatch.stack") != settings.prefix
            for pool in (network.get("IPAM", {}).get("Config") or [])
            if pool.get("Subnet")
        ),
        missing_folders=frozenset(
            folder for edge in settings.edges.values() for folder in log_folders(edge) if not os.path.isdir(folder)
        ),
    )


def folder_for_sockets() -> None:
    """Where ssh keeps the sockets of shared connections; ssh itself makes no folder for them."""
    os.makedirs(os.path.expanduser("~/.ssh"), mode=0o700, exist_ok=True)


def _absent(problem: str) -> Facts:
    return Facts(None, problem, frozenset(), None, None, frozenset())


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "the program `docker` is not installed; `make up` as root installs it"
    said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
    return f"it says: {said[-1] if said else 'nothing'}; `make up` starts it, or see https://docs.docker.com/engine/install/"


def _docker(host: str, *words: str, check: bool = True) -> str:
    done = subprocess.run(
        ["docker", "-H", host, *words],
        capture_output=True,
        text=True,
        timeout=20,
        check=check,
        stdin=subprocess.DEVNULL,
    )
    return done.stdout


def _taken(port: int) -> bool:
    with socket.socket() as probe_socket:
        # As Docker does: a port in TIME_WAIT is free.
        probe_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe_socket.bind(("127.0.0.1", port))
        except PermissionError:  # a port below 1024 and a plain user: Docker, which is not one, may still take it
            return probe_socket.connect_ex(("127.0.0.1", port)) == 0
        except OSError:
            return True
    return False


def _ours(docker: str, stack: str) -> frozenset[int]:
    """Ports that this stack's own Caddy publishes already."""
    said = _docker(docker, "ps", "--filter", f"label=fleetwatch.stack={stack}", "--format", "{{.Ports}}")
    mappings = [item.strip() for line in said.splitlines() for item in line.split(",")]
    return frozenset(
        int(item.split("->")[0].rpartition(":")[2])
        for item in mappings
        if "->" in item and "-" not in item.split("->")[0]
    )
