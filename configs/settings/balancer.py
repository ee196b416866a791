"""Settings of the load balancer in front of the nodes of a cluster."""

from __future__ import annotations

import ipaddress
from typing import Annotated

from pydantic import AfterValidator, Field

from configs.settings.base import Strict
from configs.settings.fleet import Cidr
from configs.settings.places import Address

_WIDEST = {4: 8, 6: 32}  # prefix lengths; a wider network is no set of balancers


def _narrow(value: str) -> str:
    network = ipaddress.ip_network(value)
    if network.prefixlen < _WIDEST[network.version]:
        raise ValueError(
            "expected the networks of the load balancer alone: a connection from them may claim any client address"
        )
    return value


class Balancer(Strict):
    """The load balancer through which people and hosts on the internet reach a cluster.

    With droplets the program makes it: `nodes` is the number of its machines, of which two survive the loss of one.
    With servers it is yours (docs/growing.md): `address` is its public address, which hosts with
    `via: internet` need where there is no `hub.domain`, and `proxies` are the networks from which it connects to the
    nodes. Each of its connections has to begin with the client's address (the PROXY protocol); without `proxies` that
    header is not read.
    """

    nodes: Annotated[int, Field(ge=1, le=100)] = 2
    address: Address | None = None
    proxies: list[Annotated[Cidr, AfterValidator(_narrow)]] = []
