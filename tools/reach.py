"""A hub that is somewhere else, from here: its query side through an SSH tunnel, and commands on the fleet's hosts.

How to get there is an output of the stack (`hosts.<name>.ssh`, the words of an ssh command line).
"""

from __future__ import annotations

import contextlib
import shlex
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from tools.errors import ToolError
from tools.progress import say

PATIENCE = 20  # seconds until a tunnel stands


def is_remote(outputs: Mapping[str, Any], host: str = "hub") -> bool:
    """Whether this host is reached over SSH."""
    return "ssh" in outputs.get("hosts", {}).get(host, {})


def on(outputs: Mapping[str, Any], host: str, words: Sequence[str]) -> list[str]:
    """The command line that runs `words` on a host of the fleet, or here if it is this machine."""
    if host not in outputs.get("hosts", {}):
        raise ToolError(f"HOST={host}: expected a host that is up: {', '.join(sorted(outputs.get('hosts', {})))}")
    if not is_remote(outputs, host):
        return list(words)
    return [*outputs["hosts"][host]["ssh"], shlex.join(words)]


@contextlib.contextmanager
def query_side(outputs: Mapping[str, Any], port: int = 0) -> Iterator[str]:
    """The address of the hub's query side on this machine's loopback, for as long as it is needed."""
    if not is_remote(outputs):
        yield outputs["query"]
        return
    there = urlsplit(outputs["query"])
    here = port or _free_port()
    ssh = list(outputs["hosts"]["hub"]["ssh"])
    # A connection of its own: one that others share would outlive this one with the port still open.
    forward = ["-o", "ControlPath=none", "-o", "ExitOnForwardFailure=yes"]
    argv = [ssh[0], *forward, "-N", "-L", f"127.0.0.1:{here}:{there.hostname}:{there.port}", *ssh[1:]]
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as tunnel:
        try:
            _wait_for(tunnel, here)
            yield f"http://127.0.0.1:{here}"
        finally:
            tunnel.terminate()


def tunnel(outputs: Mapping[str, Any], host: str, port: int) -> None:
    """Keep a tunnel open until Ctrl-C and say what is at its end."""
    if host != "hub":
        raise ToolError(f"HOST={host}: expected hub, the one host with pages to look at (edges only push)")
    with query_side(outputs, port) as base:
        say(f"Prometheus    {base}\nAlertmanager  {base}/alertmanager/\nLoki          {base}/loki/api/v1/labels")
        say("Open until Ctrl-C.")
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                time.sleep(3600)


def _wait_for(tunnel: subprocess.Popen[str], port: int) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if tunnel.poll() is not None:
            said = tunnel.stderr.read().strip() if tunnel.stderr else ""
            raise ToolError(f"No SSH tunnel to the hub: {said or 'ssh ended'}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise ToolError(f"No SSH tunnel to the hub within {PATIENCE} s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
