"""One machine is one host: no Docker Engine and no address twice, and no other host beside a hub on this machine."""

from __future__ import annotations

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


def _docker_sockets(settings: Settings) -> Iterator[str]:
    first: dict[str, str] = {}
    for name, host in settings.hosts.items():
        if host.local is not None and (other := first.setdefault(host.local.docker, name)) != name:
            yield (
                f"hosts.{name}.local: duplicate Docker Engine {host.local.docker}, already used by hosts.{other}; put "
                f"the apps, databases and logs of {name} under hosts.{other}"
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
