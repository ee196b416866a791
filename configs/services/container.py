"""A service's container, resolved for one host: everything that defines it, independent of a writer.

Both writers (docker resources for the hub, Compose for edges) translate this value, so that one spec gives equal
containers whoever makes them.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from configs import names
from configs.services.spec import HealthCheck, Network, Port, ServiceSpec

RESTART_POLICY = "unless-stopped"
LOG_DRIVER = "json-file"
LOG_OPTIONS: Mapping[str, str] = {"max-size": "10m", "max-file": "5"}
DROPPED_CAPABILITIES = ("ALL",)
EVERYONE, LOOPBACK = "0.0.0.0", "127.0.0.1"
TMPFS: Mapping[str, str] = {"/tmp": "size=64m"}  # what a read-only container may write to
TRIAL_FILE = "/tmp/trial.yml"  # the configuration of a second agent that scrapes apps once


@dataclass(frozen=True)
class Mount:
    """`source` is a path of the host or the name of a volume. `propagation`: rslave passes on what is mounted below the
    source later. Docker itself takes rslave for a mount of / where the host allows it, and refuses an explicit one
    where it does not."""

    type: Literal["bind", "volume"]
    source: str
    target: str
    read_only: bool
    propagation: Literal["", "rslave"] = ""


@dataclass(frozen=True, kw_only=True)
class Container:
    """`memory` in bytes, `cpus` in cores, `stop_timeout` in seconds. `host_namespaces`: it shares the host's network
    and process ids."""

    name: str
    image: str
    entrypoint: tuple[str, ...]
    user: str
    command: tuple[str, ...]
    environment: tuple[str, ...]
    memory: int
    cpus: float
    mounts: tuple[Mount, ...]
    networks: tuple[Network, ...]
    hosts: Mapping[str, str]
    sysctls: Mapping[str, str]
    host_namespaces: bool
    ports: tuple[Port, ...]
    capabilities: tuple[str, ...]
    security_options: tuple[str, ...]
    devices: tuple[str, ...]
    read_only: bool
    tmpfs: Mapping[str, str]
    labels: Mapping[str, str]
    health: HealthCheck
    stop_timeout: int


def labels(stack: str, host: str, role: str) -> dict[str, str]:
    """Docker labels by which everything that was made here is found again, and nothing else."""
    return {"fleetwatch.stack": stack, "fleetwatch.host": host, "fleetwatch.role": role}


def container(spec: ServiceSpec, *, stack: str, host: str, base: str, image: str) -> Container:
    """The container of a spec. `stack` is the prefix of all Docker names, `base` the host's folder for rendered files,
    where each role has a folder with `config` and `secrets`."""
    memory, cpus = spec.limits
    # Docker adds the first option by itself for a container in the host's pid namespace; a refresh would find it.
    security = ("label=disable", "no-new-privileges") if spec.host_network else ("no-new-privileges",)
    return Container(
        name=names.container(stack, spec.role),
        image=image,
        entrypoint=spec.entrypoint,
        user=spec.user,
        command=spec.command,
        environment=spec.environment,
        memory=memory,
        cpus=cpus,
        mounts=_mounts(spec, stack, f"{base}/{spec.role}"),
        networks=spec.networks,
        hosts=spec.hosts,
        sysctls=spec.sysctls,
        host_namespaces=spec.host_network,
        ports=tuple(sorted(spec.ports, key=lambda port: port.container)),
        capabilities=spec.capabilities,
        security_options=security,
        devices=spec.devices,
        read_only=spec.read_only,
        tmpfs={**TMPFS, **dict.fromkeys(spec.scratch, "size=1m")} if spec.read_only else {},
        labels=labels(stack, host, spec.role),
        health=spec.health,
        stop_timeout=spec.stop_timeout,
    )


def published(made: Container, *, private: bool) -> list[tuple[Port, str]]:
    """The container's ports, each with the address of its host that it is published on; empty for the host's address in
    its VPC. `private`: the host has one; a host without it does not publish such a port."""
    addresses = {"everyone": EVERYONE, "loopback": LOOPBACK, "private": "", "nodes": ""}
    return [(port, addresses[port.address]) for port in made.ports if private or addresses[port.address]]


def check_line(
    spec: ServiceSpec, *, image: str, config: str, secrets: str, labels: Mapping[str, str], network: str = "none"
) -> str:
    """The line of shell in which the image's own tool checks new files, where it will find them; empty for a spec
    without a check. `config` and `secrets` are the folders of the new files, quoted for the shell; `network` is that of
    a check that connects somewhere."""
    if not spec.check:
        return ""
    program, *arguments = spec.check
    mounts = [f"-v {config}:{spec.config_dir}:ro"] if spec.files else []
    mounts += [f"-v {secrets}:{names.SECRETS}:ro"] if spec.secrets else []
    marks = [f"--label {key}={value}" for key, value in labels.items()]
    marks += [f"-e {shlex.quote(one)}" for one in spec.environment] if spec.check_online else []
    return (
        f"docker run --rm --pull never --network {network} --log-driver none {' '.join([*marks, *mounts])} "
        f"--entrypoint {program} {shlex.quote(image)} {shlex.join(arguments)}"
    )


def trial_line(made: Container, argv: Sequence[str], labels: Mapping[str, str]) -> str:
    """The line of shell in which the program of `made`, a metrics agent, runs a second time beside it: in its network,
    with its files and its limits. Its configuration comes in on stdin; it ends within two minutes."""
    limits = ("--memory", f"{made.memory // 1024**2}m", "--cpus", f"{made.cpus:g}")
    start = f"cat > {TRIAL_FILE} && exec timeout 120 {shlex.join(argv)}"
    options = (
        "--rm", "-i", "--pull", "never", "--name", f"{made.name.removesuffix('-agent')}-trial",
        "--network", f"container:{made.name}", "--volumes-from", f"{made.name}:ro", "--read-only",
        *(word for path, size in TMPFS.items() for word in ("--tmpfs", f"{path}:{size}")),
        "--cap-drop", "ALL", "--security-opt", "no-new-privileges", *limits,
        "--log-driver", "none", *(word for key, value in labels.items() for word in ("--label", f"{key}={value}")),
    )  # fmt: skip
    return shlex.join(["docker", "run", *options, "--entrypoint", "/bin/sh", made.image, "-c", start])


def files_check(spec: ServiceSpec, kind: str, image: str, folder: str, labels: Mapping[str, str], network: str) -> str:
    """The same for files of one kind, `config` or `secrets`, that are in $next; the other kind's are in `folder`.
    Secrets are checked where that shows something, once the configuration that they belong to is there. `network` is
    for a check that connects somewhere."""
    if kind == "secrets" and not spec.check_online:
        return ""
    live = {one: shlex.quote(f"{folder}/{one}") for one in ("config", "secrets")}
    folders = {**live, kind: '"$next"'}
    line = check_line(
        spec,
        image=image,
        config=folders["config"],
        secrets=folders["secrets"],
        labels=labels,
        network=network if spec.check_online else "none",
    )
    nothing_yet = f'[ -z "$(ls -A {live["config"]} 2> /dev/null)" ]'  # also after a check that failed
    return f"{nothing_yet} || {line}" if kind == "secrets" else line


def _mounts(spec: ServiceSpec, stack: str, folder: str) -> tuple[Mount, ...]:
    """Folders with rendered files are mounted as a whole: a moved file would leave a mounted single file behind."""
    binds = dict(spec.binds)
    if spec.files:
        binds[f"{folder}/config"] = spec.config_dir
    if spec.secrets:
        binds[f"{folder}/secrets"] = names.SECRETS
    return (
        *(
            Mount("bind", source, target, read_only=True, propagation="rslave" if source in spec.follows else "")
            for source, target in sorted(binds.items())
        ),
        *(Mount("volume", f"{stack}-{suffix}", path, read_only=True) for path, suffix in sorted(spec.reads.items())),
        *(
            Mount("volume", f"{stack}-{suffix}", volume.path, read_only=False)
            for suffix, volume in sorted(spec.volumes.items())
        ),
    )
