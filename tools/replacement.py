"""`make rebuild` and `make accept-key`: replace one resource of a host, and with it what depends on it; or go on with
another server, which the program cannot make."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from configs.settings.places import Server
from tools import another_machine, nodes, pulumi_state, storage_change
from tools.cli import Commands
from tools.down import PROTECTED
from tools.errors import ToolError
from tools.hub_node import Node
from tools.progress import say, step
from tools.stack import Stack
from tools.stack_factory import open_stack
from tools.status import report_status
from tools.unknown_name import unknown
from tools.up import FAILED

DROPLET, CONTACT = "digitalocean:index/droplet:Droplet", "command:local:Command"
# By type and by the end of the name, which begins with the host's. Only a host of the hub has a volume.
MACHINE = ((DROPLET, "droplet"), ("digitalocean:index/volume:Volume", "volume"))
# What ties these and the address together: of a machine that is gone it cannot be taken apart, only made again.
TIES = (
    ("digitalocean:index/volumeAttachment:VolumeAttachment", "volume"),
    ("digitalocean:index/reservedIpAssignment:ReservedIpAssignment", "address"),
)


def register(commands: Commands) -> None:
    commands.add("accept-key", _accept_key, "accept the SSH host key that a host presents now").add_argument("host")
    rebuild = commands.add("rebuild", _rebuild, "replace a droplet; go on with another server in a lost one's place")
    rebuild.add_argument("host")


def _accept_key(options: argparse.Namespace) -> int:
    title = f"Accepting the SSH host key that {options.host} presents now"
    stack = _selected(options)
    _require(stack, options.host, CONTACT, "contact", "a host that is reached over SSH and is up")
    return replace(stack, CONTACT, f"{options.host}-contact", title)


def _rebuild(options: argparse.Namespace) -> int:
    stack, droplet = _selected(options), f"{options.host}-droplet"
    server = _server(stack, options.host)
    if server is not None:
        return _on_another(stack, options.host, server)
    title = f"Replacing the droplet of {options.host}; volume, address and data stay"
    _require(stack, options.host, DROPLET, "droplet", "a host with a droplet that is up")
    _ring(stack, options.host)
    gone = lost(stack, _urns(stack, options.host, MACHINE), _urns(stack, options.host, TIES))
    if gone:
        say(f"At the cloud there is no {' and no '.join(gone)} any more; they are made again.")
    return max(replace(stack, DROPLET, droplet, title, there=droplet not in gone), _lines(stack, options.host))


def _server(stack: Stack, host: str) -> Server | None:
    settings = stack.settings()
    found = settings.hosts.get(host) if settings is not None else None
    return found.server if found is not None else None


def _on_another(stack: Stack, host: str, server: Server) -> int:
    another_machine.require_gone(stack, host, server)
    _ring(stack, host)
    if another_machine.address(stack.state, host) is not None:
        another_machine.drop(stack, host)
    say(f"\nBringing {host} up on the machine at {server.address} (pulumi up)")
    return max(_up(stack, FAILED), _lines(stack, host))


def _lines(stack: Stack, host: str) -> int:
    """After a node of a cluster was made again, every node writes the log lines that it has in memory into the
    bucket: the new one has none of before, and a query waits for two nodes. So another node may be replaced next."""
    outputs, settings = stack.outputs(), stack.settings()
    if settings is None or host not in nodes.of(outputs):
        return 0
    for other in nodes.of(outputs):
        try:
            with step(f"Writing the log lines of {other} into the bucket"):
                Node(stack, settings, other).flush_lines()
        except ToolError as problem:
            say(
                f"{problem}\nLoki writes them within two hours. Until then replace no other node: lines of before, "
                f"which {host} does not have, may be lost with it."
            )
            return 1
    return 0


def _require(stack: Stack, host: str, kind: str, end: str, what: str) -> None:
    """ToolError unless the state has a resource of this kind for the host; its name ends with `end`."""
    known = [one["urn"].rpartition("::")[2] for one in pulumi_state.resources(stack.state) if one["type"] == kind]
    if f"{host}-{end}" not in known:
        hosts = [name.removesuffix(f"-{end}") for name in known if name.endswith(f"-{end}")]
        raise unknown("HOST", host, what, hosts)


def _ring(stack: Stack, host: str) -> None:
    """Of a node of a cluster: ToolError while another one is broken, and the program begins with it."""
    outputs, settings = pulumi_state.outputs(stack.state), stack.settings()
    if settings is not None and host in nodes.of(outputs):
        nodes.require_others(settings, outputs, host)
        nodes.begin_with(stack, host)


def _selected(options: argparse.Namespace) -> Stack:
    stack = open_stack(options)
    stack.prepare()
    stack.select()
    storage_change.require(stack)
    return stack


def _urns(stack: Stack, host: str, kinds: Sequence[tuple[str, str]]) -> list[str]:
    """Those of these kinds that the state has for a host."""
    known = {(one["type"], one["urn"].rpartition("::")[2]): one["urn"] for one in pulumi_state.resources(stack.state)}
    places = [(kind, f"{host}-{what}") for kind, what in kinds]
    return [known[place] for place in places if place in known]


def lost(stack: Stack, urns: Sequence[str], ties: Sequence[str] = ()) -> list[str]:
    """Names of the resources `urns` that the cloud no longer has.

    They and such `ties` leave the state, so that an update makes them again: it would fail at what it takes to be
    there. Nothing else is looked at, least of all a host that is down.
    """
    with step("Looking for the machine at the cloud"):
        stack.quiet(
            "refresh", "--yes", "--skip-preview", *(word for urn in (*urns, *ties) for word in ("--target", urn))
        )
    left = {resource["urn"] for resource in pulumi_state.resources(stack.read_state())}
    return [urn.rpartition("::")[2] for urn in urns if urn not in left]


def replace(stack: Stack, kind: str, name: str, title: str, there: bool = True) -> int:
    """Replace the resource of this type and name; or make it again, if it is not `there`."""
    say(f"\n{title} (pulumi up{' --replace' if there else ''})")
    chosen = ("--replace", stack.urn(kind, name)) if there else ()
    return _up(stack, f"{FAILED} {PROTECTED}" if kind == DROPLET else FAILED, *chosen)


def _up(stack: Stack, failed: str, *chosen: str) -> int:
    if stack.run("up", "--yes", "--skip-preview", "--suppress-outputs", *chosen):
        raise ToolError(failed)
    return 0 if report_status(stack) else 1
