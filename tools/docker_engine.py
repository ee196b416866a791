"""Finds a Docker Engine, or as root on Debian and Ubuntu installs and starts one, and prints that.

An engine that this starts by hand (no systemd: containers, CI) is remembered by a pid file in the state directory,
so that `make clean` can stop exactly that one. Where that is impossible, one sentence describes what the user can do.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

from configs import engines
from tools import apt, paths
from tools.errors import ToolError
from tools.processes import run, try_output
from tools.progress import say, step

MINIMUM = (20, 10)
WAIT_SECONDS = 60
_SOCKET = Path("/var/run/docker.sock")


def _server() -> str | None:
    """The engine's version, or None when no engine answers."""
    answer = try_output(["docker", "version", "--format", "{{json .Server}}"], timeout=15)
    if not answer or answer.strip() == "null":
        return None
    return str(json.loads(answer).get("Version", ""))


def _old(version: str) -> bool:
    numbers = re.match(r"(\d+)\.(\d+)", version)
    return numbers is not None and (int(numbers[1]), int(numbers[2])) < MINIMUM


def _may_install() -> bool:
    return apt.usable() and not os.environ.get("DOCKER_HOST")


def _refuse_plain_user() -> None:
    """ToolError with what a user can do who cannot install or start an engine."""
    if host := os.environ.get("DOCKER_HOST"):
        raise ToolError(f"The Docker Engine at DOCKER_HOST={host} does not answer: correct or unset DOCKER_HOST.")
    if os.geteuid() == 0:
        raise ToolError(
            "There is no Docker Engine and no apt to install one with: see https://docs.docker.com/engine/install/."
        )
    if _SOCKET.exists() and not os.access(_SOCKET, os.W_OK):
        raise ToolError("This user may not use Docker: run `sudo usermod -aG docker $USER`, log in again, then retry.")
    raise ToolError(
        "No Docker Engine answers. Install and start one (https://docs.docker.com/engine/install/), or run this once "
        "as root on Debian or Ubuntu, which installs it."
    )


def _vendor_source() -> bool:
    """Whether apt offers Docker's own packages."""
    policy = try_output(["apt-cache", "policy", "docker-ce"]) or ""
    return "Candidate:" in policy and "Candidate: (none)" not in policy


def _install() -> None:
    packages = ["docker-ce", "docker-ce-cli", "containerd.io"] if _vendor_source() else ["docker.io"]
    if shutil.which("dockerd"):
        packages = ["docker-ce-cli" if _vendor_source() else "docker.io"]  # the engine is there, its client is not
    say(f"No Docker Engine here; installing {', '.join(packages)} with apt (you are root).")
    with step("Docker Engine: installing"):
        apt.update()
        # iptables: only recommended by docker.io, but without it the engine cannot publish a port
        apt.install([*packages, "iptables"], "docker")


def _pid_file() -> Path:
    return paths.state_dir() / "dockerd.pid"


def _start() -> None:
    if Path("/run/systemd/system").is_dir():
        say("The Docker Engine is not running; starting its systemd service (you are root).")
        run(["systemctl", "start", "docker"], what="systemctl start docker")
        return
    log = paths.state_dir() / "dockerd.log"
    say(f"The Docker Engine is not running and there is no systemd; starting dockerd (log: {log}).")
    with log.open("ab") as out:
        process = subprocess.Popen(
            ["dockerd"], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    _pid_file().write_text(f"{process.pid}\n")


def _wait() -> str:
    with step("Docker Engine: waiting for an answer"):
        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end:
            if version := _server():
                return version
            time.sleep(0.5)
    raise ToolError(
        f"The Docker Engine was started but does not answer after {WAIT_SECONDS} s. "
        f"Its log: {paths.state_dir() / 'dockerd.log'}, or `journalctl -u docker` where systemd runs it."
    )


def answers() -> bool:
    """Whether there is a Docker Engine to talk to; starts none."""
    return shutil.which("docker") is not None and _server() is not None


def find() -> str:
    """A Docker Engine that answers; returns its version."""
    version = _server() if shutil.which("docker") else None
    if version is None:
        if not _may_install():
            _refuse_plain_user()
        if not shutil.which("docker") or not shutil.which("dockerd"):
            _install()
        version = _server()
        if version is None:
            _start()
            version = _wait()
    if _old(version):
        raise ToolError(f"The Docker Engine {version} is too old: {'.'.join(map(str, MINIMUM))} or newer is needed.")
    for sentence in engines.warnings(version):
        say(f"warning: Docker Engine {version}: {sentence}")
    return version


def stop_own() -> bool:
    """End the dockerd that `find` started, if it is still that one. For `make clean`."""
    with contextlib.suppress(OSError, ValueError):
        pid = int(_pid_file().read_text())
        if Path(f"/proc/{pid}/comm").read_text().strip() == "dockerd":
            os.kill(pid, signal.SIGTERM)
            _pid_file().unlink()
            return True
    _pid_file().unlink(missing_ok=True)
    return False
