"""Settings that the whole fleet shares: who may reach it, its part of the cloud, and how SSH reaches its hosts."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator, Field

from configs.settings.addresses import host_bits
from configs.settings.base import HIDDEN, Port, Strict
from configs.settings.places import key_kind
from configs.settings.text import OneLine
from configs.units import Duration, parse_duration


def _cidr(value: str) -> str:
    try:
        if "/" in value and "%" not in value:  # one address alone may be a slip for its network; no IPv6 zones
            return str(ipaddress.ip_network(value))
    except ValueError:  # also bits set behind the prefix
        pass
    raise ValueError(f"expected a network such as 203.0.113.0/24, or one address as 203.0.113.7/32{host_bits(value)}")


# RFC 1918 (192.168.0.0/16 is what Docker comes to last).
_RANGES = [ipaddress.IPv4Network(network) for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]
# "VPC limits" of DigitalOcean's documentation; those of single regions are refused by its API.
_OF_DIGITALOCEAN = [ipaddress.IPv4Network(network) for network in ("10.229.0.0/16", "10.244.0.0/15", "10.246.0.0/24")]
_FREE_OF_DOCKER = ipaddress.IPv4Network("172.16.0.0/16")


def _range(value: str) -> str:
    try:
        network = ipaddress.IPv4Network(value)
        ok = 16 <= network.prefixlen <= 24 and any(network.subnet_of(known) for known in _RANGES)
    except ValueError:
        ok = False
    if not ok:
        raise ValueError(f"expected a private IPv4 network between /16 and /24, such as 10.77.0.0/20{host_bits(value)}")
    if any(network.overlaps(reserved) for reserved in _OF_DIGITALOCEAN):
        raise ValueError("expected a network that DigitalOcean does not use itself, such as 10.77.0.0/20")
    if network.subnet_of(_RANGES[1]) and not network.subnet_of(_FREE_OF_DOCKER):
        raise ValueError(
            "expected a network outside 172.17.0.0 to 172.31.255.255, from which Docker takes its own on every host"
        )
    return value


def _public_key(value: str) -> str:
    if key_kind(value) is None or "\n" in value.strip():
        raise ValueError("expected a public key: the one line of a file such as ~/.ssh/id_ed25519.pub")
    return value.strip()


def _key_file(value: str) -> str:
    """A path, which is shown when the file is not there: never the key itself."""
    # ssh divides the values of its options at spaces outside of quotes, and expands % and $ in them.
    if not re.fullmatch(r"[~/][^\x00-\x1f\x7f\"\\%$]{0,200}", value) or "PRIVATE KEY" in value:
        raise ValueError("expected the path of a private key's file, such as ~/.ssh/id_ed25519")
    if value.endswith(".pub"):
        raise ValueError("expected the private key's file, this is the public one; remove .pub")
    return value


Cidr = Annotated[str, AfterValidator(_cidr)]


class Access(Strict):
    """Who may reach what. `cidrs`: Grafana (none: everyone; pushes and certificates are not concerned).
    `admin_cidrs`: SSH of droplets; where the program runs has to be among them. `outbound`: TCP ports that droplets may
    use to the internet besides names, time, HTTP, HTTPS and the mail servers of receivers: of a webhook or a managed
    database elsewhere."""

    cidrs: list[Cidr] = []
    admin_cidrs: Annotated[list[Cidr], Field(description="*required* with any droplet")] = []
    outbound: list[Port] = []


class Cloud(Strict):
    """What droplets share at DigitalOcean. `range`: the private network's addresses. `project`: the name of an existing
    project. `protect`: Pulumi refuses to delete the private network, the hub's droplets and their volumes, the hub's
    address, a bucket that the program made, and the load balancer and the managed database of a cluster.
    """

    range: Annotated[str, AfterValidator(_range)] | None = Field(None, description="DigitalOcean chooses")
    project: Annotated[OneLine, Field(min_length=1)] | None = None
    protect: bool | None = Field(None, description="`true` if `env` is `prod`")


class Docker(Strict):
    """The Docker Engine that new droplets and servers with `install_docker` get. `major`: its major version, from
    Docker's own apt repository. It is held: no unattended upgrade restarts the containers. Where that repository cannot
    be reached the distribution's engine is installed, and the update reports it."""

    major: Annotated[int, Field(ge=23, le=99)] = 29


class Ssh(Strict):
    """How hosts are reached. `key`: a private key's file on the machine that runs the program. `public_key`: what new
    droplets let in. `timeout`: how long a connection may take."""

    key: Annotated[str, AfterValidator(_key_file), HIDDEN] | None = Field(None, description="the agent's keys")
    public_key: Annotated[str, AfterValidator(_public_key), HIDDEN] | None = Field(
        None, description="the content of the key's file with `.pub`"
    )
    timeout: Annotated[Duration, Field(ge=1, le=120)] = parse_duration("10s")
