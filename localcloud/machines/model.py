"""What passes between the API of the rehearsal cloud and its machines: plain values, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass, field


class MachineError(Exception):
    """What failed on which machine, with Docker's error message."""


@dataclass(frozen=True)
class Rule:
    """One thing that a cloud firewall lets through; everything else is dropped once one is attached."""

    protocol: str  # tcp, udp or icmp
    ports: tuple[int, int] | None  # first and last; None: all
    peers: tuple[str, ...]  # CIDRs: sources of what comes in, destinations of what goes out


@dataclass(frozen=True)
class BalancerSpec:
    """A load balancer as it was ordered. `vpc` is the uuid that its network was made with."""

    id: str
    public_ip: str
    private_ip: str
    vpc: str


@dataclass(frozen=True)
class DropletSpec:
    """A droplet as it was ordered. `vpc` is the uuid that its network was made with."""

    name: str
    id: int
    public_ip: str
    private_ip: str
    vpc: str
    size_vcpus: int
    size_memory_mb: int
    user_data: str  # "#cloud-config" or a script; empty for none
    ssh_keys: tuple[str, ...]  # lines of root's authorized_keys
    region: str


@dataclass(frozen=True)
class DatabaseSpec:
    """A managed PostgreSQL as it was ordered. `vpc` is the uuid that its network was made with; `user` its account."""

    uuid: str
    vpc: str
    address: str
    user: str
    password: str = field(repr=False)
