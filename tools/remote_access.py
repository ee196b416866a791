"""Remote hosts: the hub's query pages through an SSH tunnel, and command lines that run on the fleet's hosts.

The stack's output `hosts.<name>.ssh` is the argument list of the ssh command for a host.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from configs import ssh
from tools.errors import ToolError
from tools.hubclient import HubClient
from tools.net import free_port
from tools.unknown_name import unknown

PATIENCE = 20  # seconds until a tunnel must accept connections


def hub_hosts(outputs: Mapping[str, Any]) -> tuple[str, ...]:
    """The hosts with the hub on them, `hub` first: one, or the nodes of a cluster."""
    return tuple(sorted(outputs.get("nodes") or ())) or ("hub",)


def is_remote(outputs: Mapping[str, Any], host: str = "hub") -> bool:
    """Whether this host is reached over SSH."""
    return "ssh" in outputs.get("hosts", {}).get(host, {})


def command_on(outputs: Mapping[str, Any], host: str, argv: Sequence[str]) -> list[str]:
    """The command line that runs `argv` on a host of the fleet, or here if it is this machine."""
    if host not in outputs.get("hosts", {}):
        raise unknown("HOST", host, "a host that is up", outputs.get("hosts", {}))
    if not is_remote(outputs, host):
        return list(argv)
    return [*outputs["hosts"][host]["ssh"], ssh.remote(argv)]


def with_arguments(command: Sequence[str], arguments: Sequence[str]) -> list[str]:
    """A result of `command_on` with further arguments: SSH takes the remote command as one text."""
    if command[0] == "ssh":
        return [*command[:-1], f"{command[-1]} {ssh.remote(arguments)}"]
    return [*command, *arguments]


@contextlib.contextmanager
def query_address(outputs: Mapping[str, Any], port: int = 0, host: str = "") -> Iterator[str]:
    """The address of the hub's query pages on this machine's loopback, while the block runs. `host`: of this node of a
    cluster; by default of the first that answers."""
    if not is_remote(outputs):
        yield outputs["query"]
        return
    with contextlib.ExitStack() as held:
        yield _first_answering(outputs, port, (host,) if host else hub_hosts(outputs), held)


def _first_answering(outputs: Mapping[str, Any], port: int, hosts: Sequence[str], held: contextlib.ExitStack) -> str:
    """The address of the first of these hosts that answers a query; its tunnel is open as long as `held` is."""
    reasons = []
    for host in hosts:
        with contextlib.ExitStack() as trying:
            try:
                address = trying.enter_context(_tunnel(outputs, port, host))
                if len(hosts) > 1:  # a tunnel leads to a host whose hub is away, too
                    HubClient(address).metrics("vector(1)")
            except ToolError as problem:
                reasons.append(f"{host}: {problem}" if len(hosts) > 1 else str(problem))
                continue
            held.push(trying.pop_all())
            return address
    raise ToolError(f"None of the hub's nodes answers. {' '.join(reasons)}" if len(hosts) > 1 else reasons[0])


@contextlib.contextmanager
def _tunnel(outputs: Mapping[str, Any], port: int, host: str) -> Iterator[str]:
    there = urlsplit(outputs["query"])
    here = port or free_port()
    reached = list(outputs["hosts"][host]["ssh"])
    # Not the shared connection: that would outlive this one with the port still open.
    forward = ["-o", "ControlPath=none", "-o", "ExitOnForwardFailure=yes"]
    argv = [reached[0], *forward, "-N", "-L", f"127.0.0.1:{here}:{there.hostname}:{there.port}", *reached[1:]]
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as tunnel:
        try:
            _wait_for(tunnel, here)
            yield f"http://127.0.0.1:{here}"
        finally:
            tunnel.terminate()


def _wait_for(tunnel: subprocess.Popen[str], port: int) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if tunnel.poll() is not None:
            reason = tunnel.stderr.read().strip() if tunnel.stderr else ""
            raise ToolError(f"No SSH tunnel to the hub: {reason or 'ssh ended'}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise ToolError(f"No SSH tunnel to the hub within {PATIENCE} s")
