"""What a service is, as one value: everything that a writer needs to run its container on a host.

A module of this package describes one service. Its `SERVICE` holds what does not depend on settings (image key,
default limits, job names); its `specs(context)` gives the containers that these settings ask for, each a frozen
`ServiceSpec`. Writers (components/docker_service.py) turn specs into something that runs.

Modules of this package import `configs.settings` for type checkers only: the settings derive their keys from SERVICE.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

# Lines of shell that a writer runs after changed files were moved into place; they know $CONTAINER and $pending_files.
# `docker kill` would mark a container as manually stopped, which disables its restart policy.
RELOAD_BY_HUP = 'docker exec "$CONTAINER" sh -c "kill -HUP 1"'
RESTART = 'docker restart "$CONTAINER"'

MB, GB = 1024**2, 1024**3
USERS_SAMPLES, USERS_LABELS = 10000, 40  # of one scrape of what the user runs, unless an app has its own limits

NetworkName = Literal["hub", "edge", "ask"]
# Which address of its host a port is published on; a host without a private address does not publish that port.
# `nodes`: the private one, for the other nodes of a cluster.
Publish = Literal["everyone", "loopback", "private", "nodes"]
LateField = Literal[
    "site", "hub_ca", "passwords", "scraper", "users", "admin_password", "bucket", "bucket_key", "storage",
    "storage_key", "ask", "private", "proxies", "authority", "database", "database_password", "grafana_key",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Pushing:
    """A service that sends data to the hub: `role` of its container, `lost` when that container is replaced."""

    role: str
    lost: str


@dataclass(frozen=True, kw_only=True)
class Service:
    """What is known of a service without any settings.

    `image`: its key in configs/images.yaml and under `fleetwatch:images`. `licence`: the SPDX identifier in the
    repository of the image's program. `limits`: its key under `limits` in the stack file; services that exclude each
    other share one, and the first registered is the default. `memory` (bytes) and `cpus` (cores): the default limits.
    `jobs`: the scrape jobs it may have, which an app of the user cannot be called. `pushing`: it sends data to the hub.
    """

    image: str
    licence: str
    limits: str
    memory: int
    cpus: float
    jobs: tuple[str, ...]
    pushing: Pushing | None = None


@dataclass(frozen=True, kw_only=True)
class Late:
    """Values that are known only when the machines and passwords exist. A file names the ones that it needs.

    `site`: Grafana's address. `hub_ca`: the certificate of the hub's own CA. `bucket`: the URL of the bucket for
    backups, if the program makes its key. Secret are: `passwords` of this host by file name; `scraper`, the bcrypt hash
    of its scrape password by user name; `users`, the hashes of the push passwords of every internet host by host name;
    `admin_password`, Grafana's; `bucket_key`, the `access_key` and `secret_key` for `bucket`; `ask`, the assistant's
    passwords and keys by file name. `storage` and `storage_key` are URL and key of the bucket with metrics and logs.
    `private`: the host's address in the private network.
    Of a cluster: `proxies`, the networks from which its load balancer connects, and `authority`, root certificate and
    key (secret) of the nodes' own CA by file name. `database` has `host`, `port`, `user` and `ca` of the managed
    database; `database_password` is secret, and so is `grafana_key`, with which Grafana encrypts in a shared database.
    """

    site: str = ""
    hub_ca: str = ""
    passwords: Mapping[str, str] = field(default_factory=dict, repr=False)
    scraper: Mapping[str, str] = field(default_factory=dict, repr=False)
    users: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    admin_password: str = field(default="", repr=False)
    bucket: str = ""
    bucket_key: Mapping[str, str] = field(default_factory=dict, repr=False)
    storage: str = ""
    storage_key: Mapping[str, str] = field(default_factory=dict, repr=False)
    ask: Mapping[str, str] = field(default_factory=dict, repr=False)
    private: str = ""
    proxies: Sequence[str] = ()
    authority: Mapping[str, str] = field(default_factory=dict, repr=False)
    database: Mapping[str, str] = field(default_factory=dict)
    database_password: str = field(default="", repr=False)
    grafana_key: str = field(default="", repr=False)


@dataclass(frozen=True)
class File:
    """A rendered file: `render` gives its text and reads only the `needs` of the late values."""

    render: Callable[[Late], str]
    needs: tuple[LateField, ...] = ()


@dataclass(frozen=True)
class Volume:
    """A named volume. `durable`: its data has to survive the host. `device`: the folder of the host that it is."""

    path: str
    durable: bool = False
    device: str = ""


@dataclass(frozen=True)
class Network:
    """A network of ours that the container is on."""

    name: NetworkName
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Port:
    """A published port of the container."""

    container: int
    host: int
    address: Publish
    protocol: Literal["tcp", "udp"] = "tcp"


@dataclass(frozen=True)
class HealthCheck:
    """A command in the image itself, by argv; exit code 0 means healthy. Times in seconds."""

    argv: tuple[str, ...]
    interval: int = 30
    timeout: int = 15  # a busy host takes seconds to start the check itself
    start_period: int = 30
    retries: int = 3


@dataclass(frozen=True, kw_only=True)
class ScrapeJob:
    """How the agent of the same host scrapes the service. Times in seconds; `series` is an estimate for one target.

    Specs that have a job of one name become one scrape job with a target each. `target` defaults to the container's
    address on our networks. `password`: the target demands the host's scrape password. `users`: it is a server of the
    user and no container of ours, so an update only warns if it does not answer.
    """

    name: str
    interval: int
    port: int
    series: int
    target: str = ""
    timeout: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    password: bool = False
    users: bool = False
    honor_timestamps: bool = True
    metric_relabel_configs: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True)
class ServiceSpec:
    """One container. Paths on the host are absolute; `files` and `secrets` are keyed by path below their folder.

    `check` is an argv in the image itself that looks at new files before they are used, `ready` one that ends with exit
    code 0 once the service takes requests; without it that is the health check. `trial`: of a metrics agent, an argv
    that scrapes and sends nothing, with the configuration container.TRIAL_FILE. `user_networks`: it reaches what the
    user runs. `host_network` has a reason beside it wherever it is used. In `command`, names.PRIVATE_ADDRESS is the
    private address of the host.
    """

    role: str
    service: Service
    limits: tuple[int, float]  # bytes, cores
    health: HealthCheck
    scrape: ScrapeJob | None
    more_scrapes: tuple[ScrapeJob, ...] = ()  # further targets of the same job
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    user: str = ""  # instead of the image's, for one whose own is root
    environment: tuple[str, ...] = ()
    config_dir: str = ""
    files: Mapping[str, File] = field(default_factory=dict)
    secrets: Mapping[str, File] = field(default_factory=dict)
    check: tuple[str, ...] = ()
    trial: tuple[str, ...] = ()
    check_online: bool = False  # the check connects to what the service uses; new secrets are checked too
    reload: str = ""
    binds: Mapping[str, str] = field(default_factory=dict)  # host path -> path in the container, read-only
    follows: tuple[str, ...] = ()  # those of `binds` in which disks may be mounted later
    volumes: Mapping[str, Volume] = field(default_factory=dict)  # by the volume's name without the prefix
    reads: Mapping[str, str] = field(default_factory=dict)  # path -> another service's volume, mounted read-only
    # Volumes of the image in which nothing is kept: in memory, where Docker would make an anonymous volume.
    scratch: tuple[str, ...] = ()
    networks: tuple[Network, ...] = ()
    hosts: Mapping[str, str] = field(default_factory=dict)  # further lines of its hosts file: name -> address
    sysctls: Mapping[str, str] = field(default_factory=dict)  # of the container's own network
    host_network: bool = False
    user_networks: bool = False
    ports: tuple[Port, ...] = ()
    depends_on: tuple[str, ...] = ()  # roles that are started first
    ready: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()  # to read from
    read_only: bool = True
    stop_timeout: int = 30  # seconds

    @property
    def pushes(self) -> bool:
        """It sends data to the hub, so its start counts as a change of the edge."""
        return self.service.pushing is not None


def text(content: str) -> File:
    """A file whose text needs no late value."""
    return File(lambda _: content)


def rule_files(folder: str, rules: Mapping[str, Callable[[str], str]]) -> dict[str, File]:
    """Rule files; their links lead to Grafana, whose address is known late."""

    def file(render: Callable[[str], str]) -> File:
        return File(lambda late: render(late.site), needs=("site",))

    return {f"{folder}/{name}": file(render) for name, render in rules.items()}


def restart_unless(folder: str) -> str:
    """A restart, unless all changed files are in `folder`, which the program reads again by itself."""
    return f'if echo "$pending_files" | grep -v "^$" | grep -qv "^{folder}"; then {RESTART}; fi'


def restart_for(file: str) -> str:
    """A restart when this file changed, for a program that reads its other files at each use."""
    return f'if echo "$pending_files" | grep -qxF "{file}"; then {RESTART}; fi'


def restart_if(file: str) -> str:
    """A restart where this file changed, else a reload by HUP."""
    return f'if echo "$pending_files" | grep -qxF "{file}"; then {RESTART}; else {RELOAD_BY_HUP}; fi'


def restarts(reload: str, changed: Sequence[str]) -> bool:
    """Whether these lines restart the container when these files changed."""
    if only := re.search(rf'grep -qxF "(.*?)"; then {re.escape(RESTART)}', reload):
        return only[1] in changed
    if unless := re.search(r'grep -qv "\^(.*?)"', reload):
        return not all(name.startswith(unless[1]) for name in changed)
    return RESTART in reload


def http_check(url: str) -> HealthCheck:
    """A GET by the image's own wget that has to be answered with 200."""
    return HealthCheck(("wget", "-q", "-O", "/dev/null", url))
