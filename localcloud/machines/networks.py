"""The networks of one rehearsal cloud: "the internet", and one for each VPC. Docker bridges with fixed addresses.

Docker lets nothing pass between two bridges, so a VPC is reached only by machines that are in it. The machine that runs
the rehearsal is on every bridge as its gateway: on the internet it is a client like any, from a VPC the machines drop
what comes from it (inside/platform).
"""

from __future__ import annotations

import ipaddress

from localcloud.machines.docker import LABEL, docker, inspect
from localcloud.machines.model import MachineError


def internet_name(cloud: str) -> str:
    # Sorted before the VPCs: Docker takes the default route from the first network by name.
    return f"fleetwatch-cloud-{cloud}-internet"


def vpc_name(cloud: str, uuid: str) -> str:
    return f"fleetwatch-cloud-{cloud}-vpc-{uuid}"


def create(cloud: str, name: str, cidr: str) -> None:
    """Make a network; nothing happens if it is there with the same range. Its first address is its gateway."""
    range_ = ipaddress.ip_network(cidr)
    found = inspect("network", name)
    if found is not None:
        has = found["IPAM"]["Config"][0]["Subnet"]
        if has != str(range_):
            raise MachineError(f"The network {name} is there with the range {has}; expected {range_}.")
        return
    gateway = str(range_[1])
    try:
        docker(
            "network", "create", "--label", f"{LABEL}={cloud}", "--subnet", str(range_), "--gateway", gateway, name
        )  # fmt: skip
    except MachineError as problem:
        if "already exists" in str(problem):  # somebody else made it at the same moment
            return
        if "overlaps" in str(problem).lower():
            raise MachineError(
                f"The range {range_} overlaps with another network of this machine's Docker (`docker network ls`): "
                f"choose another for {name}. {problem}"
            ) from None
        raise


def gateway(name: str) -> str:
    """The address that this machine has in the network. MachineError if there is no such network."""
    found = inspect("network", name)
    if found is None:
        raise MachineError(f"There is no network {name}.")
    return str(found["IPAM"]["Config"][0]["Gateway"])


def delete(name: str) -> None:
    """Remove it; nothing happens if there is none. MachineError while machines are in it."""
    if inspect("network", name) is not None:
        docker("network", "rm", name)
