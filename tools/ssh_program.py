"""The program `ssh`, with which hosts elsewhere are reached: found, or as root on Debian and Ubuntu installed."""

from __future__ import annotations

import re
import shutil

from tools import apt
from tools.errors import ToolError
from tools.processes import try_output
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
    if not apt.usable():
        raise ToolError("The program `ssh` is missing: install OpenSSH's client (Debian, Ubuntu: openssh-client).")
    say("No `ssh` here; installing openssh-client with apt (you are root).")
    with step("OpenSSH client: installing"):
        apt.update()
        apt.install(["openssh-client"], "openssh-client")
