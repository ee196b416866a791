"""One deployed service: its files (written, checked, moved, reloaded in one command) and its container.

Content never goes into the container resource: a changed file reloads the process, it does not recreate the container.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_docker as docker

from components.host import Host
from configs import names
from configs.deploy import bundle, script
from configs.settings.base import Limits
from configs.settings.units import megabytes

Text = Mapping[str, pulumi.Input[str]]


@dataclass(frozen=True)
class Network:
    """A network to be on. `name` is the made network's own output: one that is replaced replaces its containers too."""

    name: pulumi.Input[str]
    aliases: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class ServiceArgs:
    """How a service runs. `check` is a command line in the image itself (first word: its program); `reload` is a line
    of shell that knows $CONTAINER and $pending_files."""

    host: Host
    role: str
    image: str
    limits: Limits
    config: str | None = None  # where the files are mounted, read-only
    files: Text = field(default_factory=dict)
    secrets: Text = field(default_factory=dict)
    check: Sequence[str] = ()
    reload: str = ""
    command: Sequence[str] = ()
    envs: Sequence[str] = ()
    data: Mapping[str, str] = field(default_factory=dict)  # volume suffix -> path in the container
    durable: bool = False  # whether the data has to survive the host
    binds: Mapping[str, str] = field(default_factory=dict)  # host path -> path in the container, read-only
    after: Sequence[pulumi.Resource] = ()  # what else has to be on the host before the container
    networks: Sequence[Network] = ()
    host_network: bool = False  # reason: the node exporter must see the host's interfaces
    ports: Sequence[docker.ContainerPortArgs] = ()
    healthcheck: Sequence[str] = ()
    capabilities: Sequence[str] = ()
    devices: Sequence[str] = ()  # to read from
    user: str | None = None
    read_only: bool = True
    stop_timeout: int = 30  # seconds; short for an agent, whose flush waits for a hub that may be away


def revisions(services: Sequence[Service]) -> pulumi.Output[str]:
    """A text that changes whenever a service does; each line begins with the role that it is about."""
    lines = [
        pulumi.Output.concat(service.role, " ", revision) for service in services for revision in service.revisions
    ]
    return pulumi.Output.all(*lines).apply(lambda found: "\n".join(line.strip() for line in found))


class Service(pulumi.ComponentResource):
    """Files and container of one role on one host. Outputs: `applied`, changing with each change of its files, and
    `container_id`."""

    def __init__(self, name: str, args: ServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fleetwatch:index:Service", name, None, opts)
        self._args = args
        self.role = args.role
        self.container_name = names.container(args.host.stack, args.role)
        self._base = f"{args.host.base}/{args.role}"
        self.revisions: list[pulumi.Output[str]] = []
        before: list[pulumi.Resource] = []
        if args.secrets:
            before.append(self._files("secrets", args.secrets, check="", secret=True, after=before))
        if args.files:
            before.append(self._files("config", args.files, check=self._check(), secret=False, after=before))
        volumes = [self._volume(suffix) for suffix in sorted(args.data)]
        self.container = self._container([*before, *volumes, *args.after])
        self.revisions.append(self.container.id)
        self.register_outputs({"container": self.container_name})

    def _files(
        self, kind: str, files: Text, *, check: str, secret: bool, after: Sequence[pulumi.Resource]
    ) -> pulumi.Resource:
        folder = {"BASE": self._args.host.base, "DIR": f"{self._base}/{kind}"}
        stdin = pulumi.Output.all(**{name: pulumi.Output.from_input(text) for name, text in files.items()}).apply(
            bundle
        )
        written = self._args.host.run(
            f"{self._args.role}-{kind}",
            create=script("files", CHECK=check, RELOAD=self._args.reload, CONTAINER=self.container_name, **folder),
            delete=script("remove", **folder),
            stdin=pulumi.Output.secret(stdin) if secret else stdin,
            depends_on=[self._args.host.ready, *after],
            parent=self,
        )
        self.revisions.append(written.stdout)
        return written

    def _check(self) -> str:
        """The image's own tool looks at the new files, where it will find them, without a network."""
        if not self._args.check:
            return ""
        program, *words = self._args.check
        secrets = f'-v "{self._base}/secrets":{names.SECRETS}:ro ' if self._args.secrets else ""
        labels = " ".join(f"--label {key}={value}" for key, value in self._args.host.labels("check").items())
        return (
            f'docker run --rm --network none --log-driver none {labels} -v "$next":{self._args.config}:ro {secrets}'
            f"--entrypoint {program} {self._args.image} {' '.join(words)}"
        )

    def _volume(self, suffix: str) -> docker.Volume:
        host = self._args.host
        elsewhere = self._args.durable and host.data is not None
        return docker.Volume(
            f"{host.name}-{suffix}",
            name=f"{host.stack}-{suffix}",
            driver="local" if elsewhere else None,
            # Not there while the volume is not mounted: a container then fails to start, and writes nowhere else.
            driver_opts={"type": "none", "o": "bind", "device": f"{host.data}/{suffix}"} if elsewhere else None,
            labels=[
                docker.VolumeLabelArgs(label=key, value=value) for key, value in host.labels(self._args.role).items()
            ],
            # What is kept goes only by an answer to a question (`make down`), found by its labels.
            opts=host.in_docker(
                self,
                retain_on_delete=self._args.durable or host.keeps_volumes,
                delete_before_replace=True,  # the other way round the new one would be removed: they have one name
            ),
        )

    def _mounts(self) -> list[docker.ContainerMountArgs]:
        args = self._args
        binds = dict(args.binds)
        if args.files and args.config:
            binds[f"{self._base}/config"] = args.config
        if args.secrets:
            binds[f"{self._base}/secrets"] = names.SECRETS
        return [
            *(
                docker.ContainerMountArgs(type="bind", source=source, target=target, read_only=True)
                for source, target in sorted(binds.items())
            ),
            *(
                docker.ContainerMountArgs(type="volume", source=f"{args.host.stack}-{suffix}", target=target)
                for suffix, target in sorted(args.data.items())
            ),
        ]

    def _container(self, after: Sequence[pulumi.Resource]) -> docker.Container:
        args = self._args
        healthcheck = docker.ContainerHealthcheckArgs(
            tests=["CMD", *args.healthcheck], interval="30s", timeout="5s", start_period="30s", retries=3
        )
        return docker.Container(
            f"{args.host.name}-{args.role}",
            name=self.container_name,
            image=args.image,
            command=list(args.command),
            envs=list(args.envs),
            user=args.user,
            restart="unless-stopped",
            memory=megabytes(args.limits.memory),
            memory_swap=megabytes(args.limits.memory),  # no swap on top
            cpus=str(args.limits.cpus),
            mounts=self._mounts(),
            network_mode="host" if args.host_network else "bridge",  # left at once for the networks below
            networks_advanced=[
                docker.ContainerNetworksAdvancedArgs(name=network.name, aliases=list(network.aliases))
                for network in args.networks
            ],
            pid_mode="host" if args.host_network else None,
            ports=list(args.ports),
            capabilities=docker.ContainerCapabilitiesArgs(drops=["ALL"], adds=list(args.capabilities)),
            # Docker adds the first by itself for a container in the host's pid namespace; a refresh would find it.
            security_opts=[*(["label=disable"] if args.host_network else []), "no-new-privileges"],
            devices=[
                docker.ContainerDeviceArgs(host_path=device, container_path=device, permissions="r")
                for device in args.devices
            ],
            read_only=args.read_only,
            tmpfs={"/tmp": "size=64m"} if args.read_only else None,
            log_driver="json-file",
            log_opts={"max-size": "10m", "max-file": "5"},
            labels=[
                docker.ContainerLabelArgs(label=key, value=value) for key, value in args.host.labels(args.role).items()
            ],
            healthcheck=healthcheck if args.healthcheck else None,
            stop_timeout=args.stop_timeout,
            destroy_grace_seconds=args.stop_timeout,
            opts=args.host.in_docker(
                self,
                depends_on=list(after),
                delete_before_replace=True,  # the name, the ports and the data are taken until the old one is gone
            ),
        )
