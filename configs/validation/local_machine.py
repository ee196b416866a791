"""Whether the machine that runs the program fits the stack file: Docker Engines of `local` hosts, ports,
disk, networks, folders, and the public key of new droplets."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from configs import disk, names
from configs.settings import Edge, Settings
from configs.settings.edge import JOURNAL, fixed_folder
from configs.settings.model import host_path
from configs.settings.places import key_kind
from configs.settings.sections import near
from configs.units import show_size
from configs.validation.facts import DockerFacts, MachineFacts

GB = 1024**3


def problems(settings: Settings, facts: MachineFacts) -> Iterator[str]:
    """Each with its path."""
    for name, host in settings.hosts.items():
        if host.local is None or (docker := facts.docker.get(host.local.docker)) is None:
            continue
        place, edge = f"{host_path(name)}.local", settings.edges[name]
        if docker.version is None:
            yield f"{place}.docker: expected a Docker Engine that answers, {docker.problem}"
            continue
        if docker.unsuited is not None:
            yield (
                f"{place}.docker: expected a Docker Engine that runs as root and without user namespaces, the one at "
                f"{host.local.docker} is {docker.unsuited}; use the system's engine, a rootless one may run beside it"
            )
        if name == "hub":
            yield from _ports(settings, facts)
            yield from _metrics(settings, docker)
        yield from _disk(place, docker, hub=name == "hub")
        yield from _networks(settings.prefix, name, edge, docker)
        yield from _folders(name, edge, facts)
    yield from _public_key(settings, facts)


def _ports(settings: Settings, facts: MachineFacts) -> Iterator[str]:
    for name, port in settings.hub.ports:
        if port in facts.taken:
            yield (
                f"hub.ports.{name}: expected a free port, {port} is in use by another program (`ss -ltnp` shows "
                "which); stop it or choose another port"
            )


def _metrics(settings: Settings, docker: DockerFacts) -> Iterator[str]:
    if docker.disk_total is None:
        return
    fits = int(docker.disk_total * disk.SHARE)
    if settings.hub.retention.metrics_size > fits:
        yield (
            f"hub.retention.metrics_size: expected at most {fits // GB}GB (80 % of this disk), "
            f"got {show_size(settings.hub.retention.metrics_size)}"
        )


def _disk(place: str, docker: DockerFacts, *, hub: bool) -> Iterator[str]:
    """What is needed on top of metrics: images, logs of the first days, write-ahead logs."""
    needed = 3 * GB if hub else 3 * GB // 2
    if docker.disk_free is not None and docker.disk_free < needed:
        yield (
            f"{place}: expected {show_size(needed)} of free disk where Docker keeps its data, "
            f"{docker.disk_free // 1024**2}MB are free; `docker system df` shows what Docker uses"
        )


def _networks(prefix: str, host: str, edge: Edge, docker: DockerFacts) -> Iterator[str]:
    own = {names.hub_network(prefix), names.edge_network(prefix)}
    known = sorted(docker.networks - {"bridge", "host", "none"} - own)
    for index, network in enumerate(edge.networks):
        if network not in docker.networks:
            yield (
                f"hosts.{host}.networks.{index}: expected a Docker network of this machine "
                f"({', '.join(known) or 'none'}), got {network!r}; {_network_hint(network, known)}"
            )
    for taken in docker.subnets:
        if _overlap(edge.subnet, taken):
            yield (
                f"hosts.{host}.subnet: {edge.subnet} overlaps with {taken}, the network of another program's "
                "containers on this machine; choose another network"
            )


def _network_hint(network: str, known: list[str]) -> str:
    close = near(network, known)
    return f"did you mean {close}?" if close else f"`docker network create {network}` creates it"


def _folders(host: str, edge: Edge, facts: MachineFacts) -> Iterator[str]:
    if edge.logs.journal:
        for folder in JOURNAL:
            if folder in facts.missing_folders:
                yield f"hosts.{host}.logs.journal: expected a machine with systemd's journal, {folder} does not exist"
    for name, source in sorted(edge.logs.files.items()):
        if (folder := fixed_folder(source.path)) in facts.missing_folders:
            yield f"hosts.{host}.logs.files.{name}.path: expected an existing folder, {folder} does not exist"


def _public_key(settings: Settings, facts: MachineFacts) -> Iterator[str]:
    ssh = settings.ssh
    if not settings.droplets or ssh.public_key is not None or ssh.key is None:
        return
    if facts.public_key is None or key_kind(facts.public_key) is None:
        yield (
            f"ssh.public_key: missing, and {ssh.key}.pub has no readable public key (`ssh-keygen -y -f {ssh.key}` "
            "prints it); give its text here, or write that file"
        )


def _overlap(one: str, other: str) -> bool:
    first, second = ipaddress.ip_network(one), ipaddress.ip_network(other, strict=False)
    return first.version == second.version and first.overlaps(second)
