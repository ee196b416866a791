"""Rules about droplets: their names, regions and first boot, and who reaches them by SSH."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from configs import names
from configs.render import userdata
from configs.settings import Settings

NAME_LIMIT = 63  # characters of a droplet's name, which becomes its host name


def problems(settings: Settings) -> Iterator[str]:
    """Each with its path."""
    if not settings.droplets:
        return
    prefix = names.cloud(settings.prefix, settings.env)
    if not prefix[0].isalpha():
        yield f"prefix: expected a letter at its beginning, names of volumes begin with it, got {settings.prefix!r}"
    for path, droplet in settings.droplets.items():
        place = path.removesuffix(".droplet")
        name = f"{prefix}-{place.rpartition('.')[2]}"
        if len(name) > NAME_LIMIT:
            yield (
                f"{place}: expected a shorter name, the droplet's would be {name} "
                f"({len(name)} characters, at most {NAME_LIMIT}); fleetwatch:prefix and fleetwatch:env count too"
            )
        if droplet.region is None and settings.region is None:
            yield f"{path}.region: missing, this key is required unless the hub is a droplet"
        try:
            userdata.render(major=settings.docker.major, setup=droplet.setup)
        except ValueError as error:
            yield f"{path}.setup: {error}"
    yield from _ssh_access(settings)


def _ssh_access(settings: Settings) -> Iterator[str]:
    """SSH that is open to everyone is an error and no warning: the firewall would protect nothing."""
    if not settings.access.admin_cidrs:
        yield (
            "access.admin_cidrs: missing, droplets accept SSH from these networks only; give the networks that the "
            "program runs in, such as [203.0.113.7/32]"
        )
    elif all(ipaddress.ip_network(cidr).version == 6 for cidr in settings.access.admin_cidrs):
        yield (
            "access.admin_cidrs: all of these networks are IPv6, expected at least one IPv4 network, droplets are "
            "reached over IPv4; add the network that the program runs in, such as 203.0.113.7/32"
        )
    yield from _whole_internet(settings)
    for index, cidr in enumerate(settings.access.admin_cidrs):
        if ipaddress.ip_network(cidr).prefixlen == 0:
            yield (
                f"access.admin_cidrs.{index}: expected fewer than all addresses, {cidr} opens SSH to everyone; "
                "give the networks that the program runs in, such as your own address with /32"
            )
    if settings.ssh.public_key is None and settings.ssh.key is None:
        yield (
            "ssh.public_key: missing, new droplets need a key to accept; give the text of the public key, or in "
            "ssh.key the private key's file, beside which the public one is (.pub)"
        )


def _whole_internet(settings: Settings) -> Iterator[str]:
    """Networks that are all addresses only together."""
    networks = [ipaddress.ip_network(cidr) for cidr in settings.access.admin_cidrs]
    fourth = [one for one in networks if isinstance(one, ipaddress.IPv4Network)]
    sixth = [one for one in networks if isinstance(one, ipaddress.IPv6Network)]
    lengths = [one.prefixlen for one in ipaddress.collapse_addresses(fourth)]
    lengths += [one.prefixlen for one in ipaddress.collapse_addresses(sixth)]
    if 0 in lengths and all(one.prefixlen for one in networks):
        yield (
            "access.admin_cidrs: expected fewer than all addresses, together these networks open SSH to everyone; "
            "give the networks that the program runs in, such as your own address with /32"
        )
