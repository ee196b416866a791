"""Where a host is: this machine, a droplet that the program makes, or a server that exists."""

from __future__ import annotations

import base64
import ipaddress
import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from configs import names
from configs.settings.addresses import in_lower_case, is_domain
from configs.settings.base import HIDDEN, Port, Strict
from configs.settings.text import one_line

_PRIVATE = [ipaddress.ip_network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")]
_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")
_NAME = r"[A-Za-z0-9.-]+"
_KEY_KINDS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa")
_OF_SYSTEM = ("/", "/usr/local", "/var/lib", "/var/log", "/var/tmp") + tuple(
    f"/{name}" for name in (
        "bin", "boot", "dev", "etc", "home", "lib", "lib64", "media", "mnt", "opt", "proc", "root", "run", "sbin",
        "srv", "sys", "tmp", "usr", "var",
    )
)  # fmt: skip
_SYSTEM = ("/dev/", "/proc/", "/sys/", "/run/", "/var/run/", "/var/lib/docker")
SETUP_LIMIT = 32 * 1024


def private(address: str) -> bool:
    """Whether this address is not routed on the internet (RFC 1918 and 6598). A name counts as public."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return found.version == 4 and any(found in network for network in _PRIVATE)


def key_kind(text: str) -> str | None:
    """The kind of an SSH public key (`ssh-ed25519 AAAA...`); None unless its base64 is whole and of that kind."""
    parts = text.split()
    try:
        rest = base64.b64decode(parts[1], validate=True)
    except (IndexError, ValueError):
        return None
    fields = []  # each with its length in four bytes before it (RFC 4253, section 6.6)
    while rest:
        end = 4 + int.from_bytes(rest[:4], "big")
        if len(rest) < end:
            return None
        fields.append(rest[4:end])
        rest = rest[end:]
    return parts[0] if len(fields) > 1 and fields[0] == parts[0].encode() else None


def _unix_socket(value: str) -> str:
    if not re.fullmatch(r"unix:///[^\s\x00-\x1f\x7f\"'`$\\;:]+", value):
        raise ValueError("expected the address of a Docker socket on this machine, such as unix:///var/run/docker.sock")
    return value


def _slug(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", value):
        raise ValueError("expected a slug as DigitalOcean writes it: lower-case letters, digits, - and _")
    return value


def _is_ipv6(value: str) -> bool:
    """Whether it is an IPv6 address: also in brackets, with a zone, a port or the length of a prefix."""
    found = re.fullmatch(r"\[?([^\[\]/%]+)(%[^\]/]*)?\]?(:[0-9]*)?(/[0-9]*)?", value)
    try:
        return found is not None and ipaddress.ip_address(found[1]).version == 6
    except ValueError:
        return False


def _address(value: str) -> str:
    if _is_ipv6(value):
        raise ValueError("IPv6 is not supported; give the IPv4 address or a name such as web-1.example.com")
    if re.fullmatch(rf"{_NAME}:[0-9]*", value):
        raise ValueError("expected an IPv4 address or a name without a port; set the port in the key `port` beside it")
    try:
        found = ipaddress.IPv4Address(value)
    except ValueError:
        # A last part that begins with a digit makes a name an address in another notation, such as 0x7f.1.
        if is_domain(value):
            return value
        expected = "expected an IPv4 address or a name such as web-1.example.com"
        raise ValueError(f"{expected}{in_lower_case(value)}") from None
    if found in _THIS_NETWORK or found.is_multicast or found.is_reserved:
        raise ValueError("expected the IPv4 address of one machine, such as 203.0.113.7, or its name")
    return value


def _private_address(value: str) -> str:
    if _is_ipv6(value):
        raise ValueError("IPv6 is not supported; give the private IPv4 address, such as 10.20.0.7")
    if ":" in value:
        raise ValueError("expected a private IPv4 address without a port, such as 10.20.0.7")
    if not private(value):
        raise ValueError("expected a private IPv4 address such as 10.20.0.7")
    return value


def _host_key(value: str) -> str:
    if key_kind(value) not in _KEY_KINDS:
        raise ValueError(
            f"expected a host key as in /etc/ssh/ssh_host_*_key.pub: one of {', '.join(_KEY_KINDS)}, then its base64"
        )
    return " ".join(value.split()[:2])  # without the comment


def _setup(value: str) -> str:
    if not value.startswith("#!"):
        raise ValueError("expected a script that begins with #! and its interpreter, such as #!/bin/sh")
    if len(value.encode()) > SETUP_LIMIT:
        raise ValueError(
            f"expected at most {SETUP_LIMIT // 1024} KiB (the platform takes 64 KiB of user data); let it fetch more"
        )
    return value


def refuse_shared(value: str) -> None:
    """ValueError for a folder of the system itself: what is in it would be mixed with ours, and lost or removed."""
    path = "/" + value.strip("/")
    if not value.startswith("~/") and (path in _OF_SYSTEM or path.startswith(_SYSTEM)):
        raise ValueError("expected a separate folder, such as /srv/fleetwatch; this one belongs to the system")


def _absolute(value: str) -> str:
    if not re.fullmatch(r"(/[A-Za-z0-9._-]+)+", value) or ".." in value.split("/"):
        raise ValueError("expected an absolute path of letters, digits and . _ -")
    refuse_shared(value)
    return value


def _local_folder(value: str) -> str:
    """The path stands in shell commands, and Docker divides a mount at its colons."""
    if not re.fullmatch(r"~?/[^:$`\"\\]*", one_line(value)) or ".." in value.split("/"):
        raise ValueError('expected an absolute path, or one that begins with ~/, without : $ ` " and \\')
    refuse_shared(value)
    return value


def _user(value: str) -> str:
    if not re.fullmatch(r"[a-z_][a-z0-9_-]*", value):
        raise ValueError("expected the name of a user: lower-case letters, digits, _ and -")
    return value


def _own_if_private(known: dict[str, Any]) -> str | None:
    address: str | None = known.get("address")
    return address if address is not None and private(address) else None


Slug = Annotated[str, AfterValidator(_slug)]
Address = Annotated[str, AfterValidator(_address)]
HostKey = Annotated[str, AfterValidator(_host_key), HIDDEN]
User = Annotated[str, AfterValidator(_user)]


class Local(Strict):
    """The machine the program runs on. `files`: where rendered files are kept; default: below the user's state."""

    docker: Annotated[str, AfterValidator(_unix_socket)] = "unix:///var/run/docker.sock"
    files: Annotated[str, AfterValidator(_local_folder)] | None = None


class Droplet(Strict):
    """A droplet that the program makes. `setup`: a script that runs once, as root, at the end of its first boot; a
    change of it (or of `image`) means something to new droplets only."""

    size: Slug = "s-1vcpu-1gb"
    region: Slug | None = Field(None, description="the hub's; *required* while the hub is no droplet")
    image: Slug = "debian-13-x64"
    backups: bool = False
    setup: Annotated[str, AfterValidator(_setup), HIDDEN] | None = None


class HubDroplet(Droplet):
    """The hub's droplet. `volume`: GB of block storage for metrics, logs and certificates; it outlives the droplet and
    can be grown. `image` and `setup` are as for [any other](#hostshostdroplet)."""

    region: Slug
    size: Slug = "s-2vcpu-4gb"
    volume: Annotated[int, Field(ge=1, le=16384)] = 100


class Bastion(Strict):
    """A machine through which SSH reaches a server."""

    address: Address
    user: User = "root"
    port: Port = 22
    host_key: HostKey | None = None


class Server(Strict):
    """A machine that exists. With a private address a host is reached through the hub, unless it has a `bastion`.

    `host_key`: its SSH host key; without one it is pinned at the first contact. `install_docker`: install Docker and
    Compose where they are missing. `files`: the folder for rendered files. `private_address`: its address in the
    private network, at which a hub takes pushes without TLS.
    """

    address: Address
    private_address: Annotated[str, AfterValidator(_private_address)] | None = Field(
        default_factory=_own_if_private, description="`address`, if that is private"
    )
    user: User = "root"
    port: Port = 22
    bastion: Bastion | None = None
    host_key: HostKey | None = None
    install_docker: bool = False
    files: Annotated[str, AfterValidator(_absolute)] = names.FILES
