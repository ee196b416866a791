"""Names of hosts, addresses and URLs, as the programs that connect to them read them."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

LONGEST_NAME = 253  # characters; a label of it may have 63 (RFC 1035)
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
_ITSELF = ("localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback")
_URL = re.compile(r"https?://[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def is_port(number: int) -> bool:
    """Whether it is the number of a TCP port."""
    return 0 < number < 65536


def is_dns_name(value: str) -> bool:
    """Whether it has the form of a name, also that of a container or of a service record, which may have _. A last part
    of digits makes it an address in another notation, such as 127.1."""
    labels = value.split(".")
    whole = all(_LABEL.fullmatch(label) for label in labels) and len(value) <= LONGEST_NAME
    return whole and not re.fullmatch(r"[0-9]+|0[xX][0-9A-Fa-f]*", labels[-1])


def is_domain(value: str) -> bool:
    """Whether it is a name with a dot, in lower case, whose last part begins with a letter."""
    return re.fullmatch(_DOMAIN, value) is not None and is_dns_name(value)


def in_lower_case(value: str) -> str:
    """What a message adds about a name for which upper-case letters are refused."""
    return ", in lower-case letters" if value != value.lower() else ""


def is_host(value: str) -> bool:
    """Whether it is a host name (that of a container may have _), an IPv4 address or an IPv6 one in brackets."""
    if is_dns_name(value):
        return value[0] != "_"
    bracketed = re.fullmatch(r"\[[0-9A-Fa-f:.]+\]", value) is not None
    try:
        return ipaddress.ip_address(value.strip("[]") if bracketed else value).version == (6 if bracketed else 4)
    except ValueError:
        return False


def host_bits(value: str) -> str:
    """The way out for an address with a prefix that is no network; empty for everything else."""
    try:
        network = ipaddress.ip_network(value, strict=False)
        exact = str(ipaddress.ip_interface(value).ip) == str(network.network_address)
    except ValueError:
        return ""
    return "" if exact else f"; the network of this address is {network}"


def is_loopback(host: str) -> bool:
    """Whether a name or an address (without brackets) means the machine or the container itself."""
    name = host.casefold().rstrip(".")
    if name in _ITSELF or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return address.is_loopback or address.is_unspecified or (mapped is not None and mapped.is_loopback)


def is_host_port(value: str) -> bool:
    """Whether it is host:port, the host as for `is_host`."""
    host, _, port = value.rpartition(":")
    return is_host(host) and re.fullmatch(r"[0-9]{1,5}", port) is not None and is_port(int(port))


def refuse_loopback(host: str, instead: str) -> None:
    """ValueError for a name or an address that means the container itself which connects to it. A process on the host
    is reached as `instead`."""
    if is_loopback(host.strip("[]")):
        raise ValueError(
            f"expected a name or an address as seen from a container, {host} is that container itself; for a port of "
            f'the host write {instead} (docs/tasks/add-an-app.md, section "On the host itself")'
        )


def refuse_hub_loopback(host: str) -> None:
    """The same for what containers of the hub connect to, which do not know the host by a name."""
    if is_loopback(host.strip("[]")):
        raise ValueError(
            "expected a server's name or address as seen from a container of the hub, this one is the container "
            "itself; write the name or the address of the machine"
        )


def refuse_bad_escape(value: str) -> None:
    """ValueError for a % that no two hexadecimal digits follow: programs in Go refuse the whole URL."""
    if _BAD_ESCAPE.search(value):
        raise ValueError("expected two hexadecimal digits after each %, as in %20; write %25 for a % itself")


def http_url(value: str) -> str:
    """The value, or ValueError if it is no address of the web."""
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
        valid = is_host(f"[{host}]" if ":" in host else host) and parts.port != 0 and re.fullmatch(_URL, value)
    except ValueError:  # a bracket without its counterpart, or a port that is none
        valid = False
    if not valid:
        raise ValueError("expected a URL that begins with https:// or http://, then a host")
    refuse_bad_escape(value)
    return value


def http_url_without_user(value: str) -> str:
    """The same for a URL that is kept in clear, or ValueError if it holds a user or a password."""
    if "@" in urlsplit(http_url(value)).netloc:
        raise ValueError("expected a URL without a user and a password, which have separate settings")
    return value


def http_base(value: str) -> str:
    """A URL that others are made of by adding to its end: without a user, a query and a fragment."""
    if re.search(r"[?#]", http_url_without_user(value)):
        raise ValueError("expected a URL without ? and #, paths are added to its end")
    return value
