"""Settings of a probe: what an edge connects to from outside, to see whether it answers."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from configs import names
from configs.settings.addresses import http_url_without_user, is_dns_name, is_host, refuse_loopback
from configs.settings.base import HostPort, Strict, require_one

KINDS = ("http", "tcp", "icmp", "dns")


def _probed_url(value: str) -> str:
    parts = urlsplit(http_url_without_user(value))
    refuse_loopback(parts.hostname or "", f"{parts.scheme}://{names.DOCKER_HOST}")
    return value


def _probed_host(value: str) -> str:
    """An IPv6 address without the brackets, which the prober does not read here."""
    bare = value.strip("[]")
    if not is_host(value) and not _is_ipv6(bare):
        raise ValueError("expected the name or the address of a host, such as db.example.com, without a port")
    refuse_loopback(bare, names.DOCKER_HOST)
    return bare


def _is_ipv6(value: str) -> bool:
    try:
        return ipaddress.ip_address(value).version == 6
    except ValueError:
        return False


def _dns_name(value: str) -> str:
    if not is_dns_name(value):
        raise ValueError("expected a domain name such as example.com, without a dot at its end")
    return value


class DnsProbe(Strict):
    """The name that is resolved, by the name server `server`."""

    name: Annotated[str, AfterValidator(_dns_name)]
    server: Annotated[str, AfterValidator(_probed_host)]
    type: Literal["A", "AAAA", "CNAME", "MX", "NS", "SOA", "SRV", "TXT"] = "A"


class Probe(Strict):
    """What is probed from this host; exactly one of `http` (a GET that is answered with 2xx, or with one of `status`),
    `tcp` (a connection; `tls: true` with a handshake), `icmp` (a ping) and `dns`. `https://` and `tls` also give the
    days to the certificate's end. `insecure: true` accepts any certificate."""

    http: Annotated[str, AfterValidator(_probed_url)] | None = None
    tcp: HostPort | None = None
    icmp: Annotated[str, AfterValidator(_probed_host)] | None = None
    dns: DnsProbe | None = None
    status: list[Annotated[int, Field(ge=100, le=599)]] = []
    tls: bool = False
    insecure: bool = False

    @model_validator(mode="after")
    def _one(self) -> Probe:
        require_one(self, KINDS, f"expected exactly one of {', '.join(KINDS)}")
        if self.status and self.http is None:
            raise ValueError("status: expected none beside `tcp`, `icmp` and `dns`, only an HTTP answer has a status")
        if self.tls and self.tcp is None:
            raise ValueError("tls: expected true beside `tcp` alone; write https:// for HTTP")
        if self.insecure and not self.tls and not (self.http or "").startswith("https://"):
            raise ValueError("insecure: expected false without https:// and `tls: true`, there is no certificate")
        return self

    @property
    def kind(self) -> str:
        """Which of KINDS it is; the prober has the same names."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def target(self) -> str:
        """What the prober connects to."""
        return self.http or self.tcp or self.icmp or (self.dns.server if self.dns is not None else "")
