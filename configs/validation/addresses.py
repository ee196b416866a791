"""One machine is one host: no Docker Engine and no address twice, and no other host beside a hub on this machine."""

from __future__ import annotations

import ipaddress
import posixpath
from collections.abc import Iterator

from configs.settings import Settings
from configs.settings.model import host_path
from configs.settings.places import private


def problems(settings: Settings) -> Iterator[str]:
    """Each with its path."""
    if settings.hub.local is not None:
        yield from (
            f"hosts.{name}: expected no host besides `hub`, a hub on this machine accepts no pushes of other hosts; "
            "collect what runs here under hosts.hub, or make the hub a droplet or a server"
            for name in settings.others
        )
        return
    yield from _docker_sockets(settings)
    yield from _servers(settings)
    yield from _this_machine(settings)
    yield from _bastions(settings)


def _docker_sockets(settings: Settings) -> Iterator[str]:
    first: dict[str, str] = {}
    for name, host in settings.hosts.items():
        if host.local is not None and (other := first.setdefault(_socket(host.local.docker), name)) != name:
            yield (
                f"hosts.{name}.local: duplicate Docker Engine {host.local.docker}, already used by hosts.{other}; put "
                f"the apps, databases and logs of {name} under hosts.{other}"
            )


def _socket(address: str) -> str:
    """One form of the socket's address: /var/run is a link to /run on every Linux with systemd."""
    path = posixpath.normpath("/" + address.removeprefix("unix://").lstrip("/"))
    return f"/run/{path.removeprefix('/var/run/')}" if path.startswith("/var/run/") else path


def _this_machine(settings: Settings) -> Iterator[str]:
    """A server on the loopback address at SSH's own port; at another port it may be a virtual machine."""
    here = next((name for name, host in settings.hosts.items() if host.local is not None), None)
    for name, host in settings.hosts.items():
        server = host.server
        if here is None or server is None or server.bastion is not None or server.port != 22:
            continue
        if _is_loopback(server.address):
            yield (
                f"{host_path(name)}.server.address: {server.address} is this machine, expected the address of one that "
                f"is no host yet, already used by hosts.{here}.local; put the apps, databases and logs of {name} under "
                f"hosts.{here}"
            )


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _bastions(settings: Settings) -> Iterator[str]:
    """Two ports of one address may lead to two machines behind a router."""
    for name, host in settings.hosts.items():
        server = host.server
        if server is None or server.bastion is None:
            continue
        bastion, path = server.bastion, f"{host_path(name)}.server"
        if (bastion.address, bastion.port) in ((server.address, server.port), (server.private_address, server.port)):
            yield (
                f"{path}.bastion.address: duplicate address {bastion.address}, already used by {path}; expected the "
                "address of another machine, or remove the bastion"
            )


def _servers(settings: Settings) -> Iterator[str]:
    """Behind a router several machines share an address at different ports, and behind different bastions a private
    address means different machines."""
    first: dict[tuple[str, int, str | None], str] = {}
    for name in sorted(settings.hosts, key=lambda name: (name != "hub", name)):
        server, path = settings.hosts[name].server, f"{host_path(name)}.server"
        if server is None:
            continue
        bastion = server.bastion.address if server.bastion and private(server.address) else None
        for key, address in (("address", server.address), ("private_address", server.private_address)):
            other = first.setdefault((address, server.port, bastion), path) if address else path
            if other != path:
                yield f"{path}.{key}: duplicate address {address}, already used by {other}"
                break
