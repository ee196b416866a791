"""The program `ssh`, with which hosts elsewhere are reached: found, or as root on Debian and Ubuntu installed."""

from __future__ import annotations

import os
import re
import shutil

from tools.errors import ToolError
from tools.processes import run, try_output
from tools.progress import say, step

OLDEST = (8, 5)  # KnownHostsCommand: the pinned host key is part of the options


def get() -> None:
    """Make sure that OpenSSH's client is there and new enough."""
    if not (shutil.which("ssh") and shutil.which("ssh-keygen")):
        _install()
    options = try_output(["ssh", "-G", "-F", "/dev/null", "-o", "KnownHostsCommand=/bin/echo", "host"])
    if options is None or not re.search(r"^knownhostscommand ", options, re.MULTILINE):
        raise ToolError(f"The program `ssh` is too old: OpenSSH {OLDEST[0]}.{OLDEST[1]} or newer is needed (`ssh -V`).")


def _install() -> None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise ToolError("The program `ssh` is missing: install OpenSSH's client (Debian, Ubuntu: openssh-client).")
    say("No `ssh` here; installing openssh-client with apt (you are root).")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with step("OpenSSH client: installing"):
        run(["apt-get", "-q", "update"], what="apt-get update", env=env)
        argv = ["apt-get", "-q", "-y", "--no-install-recommends", "install", "openssh-client"]
        run(argv, what="apt-get install openssh-client", env=env)
