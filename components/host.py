"""A host: gives its children a docker provider, a command runner and readiness.

Kinds are subclasses: `LocalHost` (local_host.py) and `RemoteHost` (remote_host.py), which a droplet is as well.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_command as command
import pulumi_docker as docker

from configs.services.container import labels
from configs.settings import Host as HostSettings


def host_options(
    host: HostSettings,
    *,
    depends_on: list[pulumi.Resource] | None = None,
) -> pulumi.ResourceOptions:
    """Options of a host's component that keep what was made under its former name; its children follow it."""
    aliases = [pulumi.Alias(name=host.renamed_from)] if host.renamed_from is not None else None
    return pulumi.ResourceOptions(aliases=aliases, depends_on=depends_on)


class Host(pulumi.ComponentResource, ABC):
    """A machine with a Docker Engine. Makes its readiness, and no container.

    Outputs: `base`, the folder on the host that rendered files go into;
    `public` and `private`, its addresses (None: it has none, or this machine's loopback is meant).
    """

    ready: pulumi.Resource
    base: str
    docker_socket: str
    public: pulumi.Input[str] | None = None
    private: pulumi.Input[str] | None = None
    keeps_volumes = False  # whether volumes of an edge stay when the edge goes
    data: str | None = None  # a folder on a separate volume, for what has to survive the host

    def __init__(self, name: str, stack: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fleetwatch:index:Host", name, None, opts)
        self.name = name
        self.stack = stack  # the prefix of all Docker names

    @abstractmethod
    def run(
        self,
        what: str,
        *,
        create: str,
        delete: str | None,
        stdin: pulumi.Input[str] | None = None,
        files: Mapping[str, pulumi.Input[str]] | None = None,
        depends_on: Sequence[pulumi.Resource] = (),
        parent: pulumi.Resource | None = None,
        compares: bool = False,
    ) -> command.local.Command:
        """A script on this host, run at creation and again when it or its input changes. Its input is what the
        variables `files` hold, then `stdin`. Secrets go into `stdin`. `compares`: with ACTION=drift in its environment
        it prints what differs from what it deployed, and changes nothing; `make drift` finds it by the mark."""

    @abstractmethod
    def docker(self) -> docker.Provider:
        """A new provider for docker resources on this host: the hub's. Each is a process on the program's machine."""

    def on_host(self, options: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
        """These options for a resource that is on this host."""
        return options

    def in_docker(self, options: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
        """These options for a resource of this host's Docker Engine: another machine needs the resource again."""
        return self.on_host(options)

    def labels(self, role: str) -> Mapping[str, str]:
        """Docker labels by which everything that was made here is found again, and nothing else."""
        return labels(self.stack, self.name, role)
