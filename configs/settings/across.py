"""Mistakes that only several sections of a stack file together show."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path

from configs import names
from configs.render import userdata
from configs.settings.host import Host
from configs.settings.load import Settings
from configs.settings.places import Server, key_kind, private

NAME_LIMIT = 63  # characters of a droplet's name, which becomes its host name


def across(settings: Settings) -> list[str]:
    """Problems, each with its path."""
    return [
        *_engines(settings),
        *_domain(settings),
        *_at_the_cloud(settings),
        *_budget(settings),
        *_addresses(settings),
        *_ways_to_the_hub(settings),
        *_other_networks(settings),
        *_names(settings),
        *(_droplets(settings) if settings.droplets else ()),
    ]


def _places(settings: Settings) -> Iterator[tuple[str, Host]]:
    yield from settings.others.items()


def _engines(settings: Settings) -> Iterator[str]:
    engines = {settings.hub.local.docker: "hub"} if settings.hub.local is not None else {}
    for name, host in _places(settings):
        if host.local is not None:
            other = engines.setdefault(host.local.docker, name)
            if other != name:
                yield (
                    f"hosts.{name}.local: expected a Docker Engine of its own, but host {other} watches this one; "
                    f"put its apps, databases and logs under hosts.{other}"
                )


def _domain(settings: Settings) -> Iterator[str]:
    hub = settings.hub
    if hub.local is not None and not hub.domain.endswith(".localhost"):
        yield "hub.domain: expected a name that ends in .localhost, a hub on this machine has no other"
    resolves = not hub.domain.endswith((".localhost", ".internal")) or hub.domain == names.NO_DOMAIN
    if hub.local is None and not resolves:
        yield (
            "hub.domain: expected a name that others can resolve, such as monitor.example.com; "
            "leave it out to go by the hub's address"
        )
    if "acme" in hub.model_fields_set and not hub.public:
        yield "hub.acme: expected hub.domain beside it, without a public name the certificate is from the hub's own CA"


def _at_the_cloud(settings: Settings) -> Iterator[str]:
    """What DigitalOcean does for the hub beside running it."""
    hub = settings.hub
    if hub.dns_zone is not None and hub.droplet is None:
        yield "hub.dns_zone: expected a hub that is a droplet; make the record of any other yourself"
    elif hub.dns_zone is not None and not f".{hub.domain}".endswith(f".{hub.dns_zone}"):
        given = hub.domain if hub.public else "no hub.domain"
        yield f"hub.dns_zone: expected the end of hub.domain ({given}), got {hub.dns_zone!r}"
    if hub.uptime is not None and hub.droplet is None:
        yield "hub.uptime: expected a hub that is a droplet; the check is one of DigitalOcean's"


def _budget(settings: Settings) -> Iterator[str]:
    if settings.hub.outage_budget > settings.hub.retention.logs:
        yield "hub.outage_budget: expected no more than hub.retention.logs, or logs expire before they arrive"


def _addresses(settings: Settings) -> Iterator[str]:
    """One machine is one host. Behind a router several share an address at different ports, and behind different
    bastions private addresses mean different machines."""
    servers: list[tuple[str, Server]] = [("hub.server", settings.hub.server)] if settings.hub.server else []
    servers += [(f"hosts.{name}.server", host.server) for name, host in _places(settings) if host.server]
    seen: dict[tuple[str, int, str | None], str] = {}
    for path, server in servers:
        behind = server.bastion.address if server.bastion and private(server.address) else None
        for key, address in (("address", server.address), ("private_address", server.private_address)):
            other = seen.setdefault((address, server.port, behind), path) if address else path
            if other != path:
                yield f"{path}.{key}: expected a machine of its own, but {other} has the address {address} too"
                break


def _ways_to_the_hub(settings: Settings) -> Iterator[str]:
    hub = settings.hub
    for name, host in _places(settings):
        if hub.local is not None and host.local is None:
            yield (
                f"hosts.{name}: expected no host besides `hub`, the hub is on this machine and takes no pushes of "
                "others; put what is to be collected here under hosts.hub, or make the hub a droplet or a server"
            )
        elif host.via == "vpc" and hub.server is not None and hub.server.private_address is None:
            yield (
                f"hosts.{name}.via: expected internet, the hub has no private address to push to; "
                "hub.server.private_address names one"
            )
        elif host.via == "vpc" and host.server and host.server.private_address is None:
            yield (
                f"hosts.{name}.via: expected internet, nothing says that the server is in the hub's private network; "
                f"hosts.{name}.server.private_address does"
            )
        elif host.via == "vpc" and host.droplet and host.droplet.region not in (None, settings.region):
            yield (
                f"hosts.{name}.via: expected internet for a droplet in {host.droplet.region}, "
                f"the private network is in {settings.region}"
            )


def _other_networks(settings: Settings) -> Iterator[str]:
    """The firewall of a hub droplet lets it reach its own private network, and no other."""
    if settings.hub.droplet is None or settings.cloud.range is None:
        return
    for name, host in _places(settings):
        server = host.server
        if server is None or server.private_address is None:
            continue
        through_the_hub = private(server.address) and server.bastion is None
        outside = ipaddress.ip_address(server.private_address) not in ipaddress.ip_network(settings.cloud.range)
        if outside and (through_the_hub or host.via == "vpc"):
            key = "address" if private(server.address) else "private_address"
            yield (
                f"hosts.{name}.server.{key}: expected one in cloud.range ({settings.cloud.range}), got "
                f"{server.private_address}; a server elsewhere needs an address that is reached from outside or a "
                "bastion, and via: internet"
            )


def _names(settings: Settings) -> Iterator[str]:
    heirs: dict[str, str] = {}
    for name, host in _places(settings):
        if name == names.ADMIN:
            yield f"hosts.{name}: expected another name, this is the one of Grafana's administrator"
        before = host.renamed_from
        if before is None:
            continue
        if before in settings.hosts:
            yield (
                f"hosts.{name}.renamed_from: expected a name that no host has any more, hosts.{before} is still there"
            )
        elif heirs.setdefault(before, name) != name:
            yield f"hosts.{name}.renamed_from: expected a host of its own, {heirs[before]} was {before} before too"


def _droplets(settings: Settings) -> Iterator[str]:
    fleet = names.cloud(settings.prefix, settings.env)
    if not fleet[0].isalpha():
        yield f"prefix: expected a letter at its beginning, names of volumes begin with it, got {settings.prefix!r}"
    for path, droplet in settings.droplets.items():
        name = f"{fleet}-{path.split('.')[-2]}"
        if len(name) > NAME_LIMIT:
            yield (
                f"{path.removesuffix('.droplet')}: expected a shorter name, the droplet's would be {name} "
                f"({len(name)} characters, at most {NAME_LIMIT}); fleetwatch:prefix and fleetwatch:env count too"
            )
        if droplet.region is None and settings.region is None:
            yield f"{path}.region: missing, it has to be given while the hub is no droplet"
        try:
            userdata.render(image=droplet.image, setup=droplet.setup)
        except ValueError as error:
            yield f"{path}.setup: {error}"
    yield from _let_in(settings)
    if settings.cloud.range is not None:
        own = ipaddress.ip_network(settings.cloud.range)
        for host, edge in settings.edges.items():
            if own.overlaps(ipaddress.ip_network(edge.subnet)):
                yield (
                    f"hosts.{host}.subnet: expected a network outside cloud.range, but {edge.subnet} overlaps with "
                    f"{settings.cloud.range}"
                )


def _let_in(settings: Settings) -> Iterator[str]:
    """Who comes in by SSH. Everyone is refused rather than warned of: the firewall would say nothing any more, and a
    way out is a line away."""
    if not settings.access.admin_cidrs:
        yield (
            "access.admin_cidrs: missing, droplets let nobody else in by SSH; give the networks that the program runs "
            "in, such as [203.0.113.7/32]"
        )
    for index, cidr in enumerate(settings.access.admin_cidrs):
        if ipaddress.ip_network(cidr).prefixlen == 0:
            yield (
                f"access.admin_cidrs.{index}: expected fewer than all addresses, {cidr} opens SSH to everyone; "
                "give the networks that the program runs in, such as your own address with /32"
            )
    ssh = settings.ssh
    if ssh.public_key is not None:
        return
    if ssh.key is None:
        yield (
            "ssh.public_key: missing, new droplets have to know whom to let in; give the text of the public key, or in "
            "ssh.key the private key's file, beside which the public one is (.pub)"
        )
        return
    file = Path(f"{ssh.key}.pub")
    try:
        whole = key_kind(file.expanduser().read_text()) is not None
    except (OSError, ValueError, RuntimeError):  # also bytes that are no text, and a ~ of nobody
        whole = False
    if not whole:
        yield (
            f"ssh.public_key: missing, and there is no public key in the file {file} (`ssh-keygen -y` writes one of a "
            "private key); give its text here, or make that file"
        )
