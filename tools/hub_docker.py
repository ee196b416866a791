"""The Docker Engine of a stack's hub, or of one of its nodes, on this machine or over SSH."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence

from tools import agent_targets, remote_access
from tools.errors import ToolError
from tools.stack import Stack

IMAGE = "{{.Config.Image}}"
_NOTHING = re.compile("no such (object|container|volume)", re.IGNORECASE)
HINTS = ("Run 'docker ", "See 'docker ")  # Docker's last line, after the reason


def listing(folder: str) -> str:
    """A shell script that prints size in bytes and path of each file below a folder, and nothing without it."""
    return f"cd {folder} 2> /dev/null || exit 0; find . -type f -exec stat -c '%s %n' {{}} +"


def source(path: str) -> str:
    """The template of the host's folder that a container has at this path."""
    return f'{{{{range .Mounts}}}}{{{{if eq .Destination "{path}"}}}}{{{{.Source}}}}{{{{end}}}}{{{{end}}}}'


class HubDocker:
    """Docker on a host of the hub of a stack that is up. Every error is a ToolError with one sentence."""

    def __init__(self, stack: Stack, host: str = "hub") -> None:
        self.prefix, self.host = stack.prefix(), host
        self._docker = agent_targets.docker_on(stack, stack.outputs())(host)

    def docker(self, *words: str) -> str:
        """A docker command on this host; its output."""
        return self.sent(words).decode()

    def try_docker(self, *words: str) -> str | None:
        """The same; None if it fails."""
        try:
            return self.docker(*words)
        except ToolError:
            return None

    def inspected(self, *words: str) -> str | None:
        """What `docker inspect` or `docker volume inspect` prints; None if there is no such thing. ToolError if Docker
        does not answer: then nothing is known."""
        try:
            return self.docker(*words)
        except ToolError as problem:
            if _NOTHING.search(str(problem)):
                return None
            raise

    def sent(self, words: Sequence[str], stdin: bytes = b"") -> bytes:
        """The same with a standard input, in bytes."""
        argv = remote_access.with_arguments(self._docker, words)
        done = subprocess.run(argv, input=stdin, capture_output=True, check=False)
        if done.returncode:
            raise ToolError(self.reason(done.stderr.decode(errors="replace"), words))
        return done.stdout

    def reason(self, messages: str, words: Sequence[str]) -> str:
        """The sentence about a command that failed with these messages."""
        lines = [line for line in messages.splitlines() if line.strip() and not line.startswith(HINTS)]
        where = "the hub" if self.host == "hub" else self.host
        return f"docker {words[0]} failed on {where}: {lines[-1] if lines else 'without a message'}"

    def image_of(self, container: str) -> str:
        """The image that a container runs."""
        return self.docker("inspect", "--type", "container", "-f", IMAGE, container).strip()

    def mounted(self, container: str, path: str) -> str:
        """The folder of the host that a container has at this path."""
        return self.docker("inspect", "--type", "container", "-f", source(path), container).strip()
