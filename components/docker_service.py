"""The writer that turns a service's spec into docker resources: its files (written, checked, moved and reloaded in one
command), its volumes and its container.

Content never goes into the container resource: a changed file reloads the process, it does not recreate the container.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from components.host import Host
from components.late import LateValues, known, with_address
from configs import names
from configs.deploy import bundle, numbered, script
from configs.services.container import (
    DROPPED_CAPABILITIES,
    LOG_DRIVER,
    LOG_OPTIONS,
    RESTART_POLICY,
    Mount,
    container,
    files_check,
    published,
)
from configs.services.spec import File, NetworkName, ServiceSpec
from configs.units import megabytes

STARTS = 60  # seconds until a container that was started runs
READY = 600  # seconds until a container that was started takes requests; Prometheus replays its write-ahead log first


@dataclass(frozen=True, kw_only=True)
class DockerServiceArgs:
    """`late`: the late values that the spec's files need. `networks`: the names of the networks of ours, as outputs of
    the resources that make them: a replaced network replaces the containers on it too. `first`: what has to be on the
    host before the files, `after`: and before the container."""

    host: Host
    spec: ServiceSpec
    image: str
    late: LateValues
    networks: Mapping[NetworkName, pulumi.Input[str]]
    after: Sequence[pulumi.Resource] = ()
    first: Sequence[pulumi.Resource] = ()


def revisions(services: Sequence[DockerService]) -> pulumi.Output[str]:
    """A text that changes whenever a service does; each line begins with the role that it is about."""
    lines = [pulumi.Output.concat(service.role, " ", one) for service in services for one in service.revisions]
    return pulumi.Output.all(*lines).apply(lambda found: "\n".join(line.strip() for line in found))


def _bind_options(mount: Mount) -> docker.ContainerMountBindOptionsArgs | None:
    return docker.ContainerMountBindOptionsArgs(propagation=mount.propagation) if mount.propagation else None


class DockerService(pulumi.ComponentResource):
    """Files, volumes and container of one spec on one host.

    Outputs: `container`; `revisions`, texts that change with its files and its container.
    """

    def __init__(self, name: str, args: DockerServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fleetwatch:index:Service", name, None, opts)
        self._args = args
        self._spec = args.spec
        self.role = args.spec.role
        stack, host, base = args.host.stack, args.host.name, args.host.base
        self._definition = container(args.spec, stack=stack, host=host, base=base, image=args.image)
        self.container_name = self._definition.name
        self._folder = f"{args.host.base}/{self.role}"
        self.revisions: list[pulumi.Output[str]] = []
        before = list(args.first)
        if self._spec.secrets:
            before.append(self._files("secrets", self._spec.secrets, secret=True, after=before))
        if self._spec.files:
            before.append(self._files("config", self._spec.files, secret=False, after=before))
        before += [self._volume(volume) for volume in sorted(self._spec.volumes)]
        self.container = self._container([*before, *args.after])
        self.revisions.append(self.container.id)
        self._answers()
        self.register_outputs({"container": self.container_name})

    def _files(
        self, kind: str, files: Mapping[str, File], *, secret: bool, after: Sequence[pulumi.Resource]
    ) -> pulumi.Resource:
        folder = {"BASE": self._args.host.base, "DIR": f"{self._folder}/{kind}"}
        needs = {need for file in files.values() for need in file.needs}
        # At once: Caddy has a file for each host, and each reads the passwords of all.
        stdin = known(
            self._args.late, needs, lambda late: bundle({name: file.render(late) for name, file in files.items()})
        )
        written = self._args.host.run(
            f"{self.role}-{kind}",
            # All parameters in front, where a preview and the guard rails read them (configs/deploy/reading.py).
            create=self._pull(
                CHECK=self._check(kind),
                RELOAD=self._spec.reload,
                CONTAINER=self.container_name,
                IMAGE=self._args.image,
                **folder,
            )
            + script("incoming")
            + script("files"),
            delete=script("remove", **folder),
            stdin=pulumi.Output.secret(stdin) if secret else stdin,
            depends_on=[self._args.host.ready, *after],
            parent=self,
            compares=True,
        )
        self.revisions.append(written.stdout)
        return written

    def _pull(self, **parameters: str) -> str:
        """The script that gets the image before anything is changed: one that cannot be had does not cost the container
        that runs. `parameters`: of the scripts that follow."""
        row = {"ROLE": self.role, "KEY": self._spec.service.image, "IMAGE": self._args.image}
        pull = script("pull", HOST=self._args.host.name, **numbered([row]), **parameters)
        return pull + '[ "${ACTION:-}" = drift ] || pull_missing\n'

    def _check(self, kind: str) -> str:
        """The line of shell that checks the new files of this kind; it knows $next, their folder."""
        host = self._args.host
        network = names.hub_network(host.stack)
        return files_check(self._spec, kind, self._args.image, self._folder, host.labels("check"), network)

    def _volume(self, suffix: str) -> docker.Volume:
        host, volume = self._args.host, self._spec.volumes[suffix]
        device = f"{host.data}/{suffix}" if volume.durable and host.data is not None else volume.device
        return docker.Volume(
            f"{host.name}-{suffix}",
            name=f"{host.stack}-{suffix}",
            driver="local" if device else None,
            # Absent while the block-storage volume is not mounted: the container then fails to start, and writes
            # nowhere else.
            driver_opts={"type": "none", "o": "bind", "device": device} if device else None,
            labels=[docker.VolumeLabelArgs(label=key, value=value) for key, value in host.labels(self.role).items()],
            # Retained volumes are deleted only by `make down`, after confirmation, which finds them by their labels.
            opts=host.in_docker(
                pulumi.ResourceOptions(
                    parent=self,
                    retain_on_delete=volume.durable or host.keeps_volumes,
                    delete_before_replace=True,  # old and new have one name
                )
            ),
        )

    def _answers(self) -> None:
        """Ends once the container answers: what depends on this service waits for that."""
        answers = script(
            "answers",
            CONTAINER=self.container_name,
            READY=shlex.join(self._spec.ready or self._definition.health.argv),
            PATIENCE=str(READY),
            STARTS=str(STARTS),
            HOST=self._args.host.name,
        )
        self._args.host.run(
            f"{self.role}-answers",
            create=answers,
            delete=None,
            stdin=self.container.id,  # again when it is another one
            depends_on=[self.container],
            parent=self,
        )

    def _ports(self) -> list[docker.ContainerPortArgs]:
        private = self._args.host.private
        return [
            docker.ContainerPortArgs(
                internal=made.container, external=made.host, ip=at or private, protocol=made.protocol
            )
            for made, at in published(self._definition, private=private is not None)
        ]

    def _health(self) -> docker.ContainerHealthcheckArgs:
        health = self._definition.health
        return docker.ContainerHealthcheckArgs(
            tests=["CMD", *health.argv],
            interval=f"{health.interval}s",
            timeout=f"{health.timeout}s",
            start_period=f"{health.start_period}s",
            retries=health.retries,
        )

    def _container(self, after: Sequence[pulumi.Resource]) -> docker.Container:
        made, host = self._definition, self._args.host
        return docker.Container(
            f"{host.name}-{self.role}",
            name=made.name,
            image=made.image,
            entrypoints=list(made.entrypoint) or None,
            user=made.user or None,
            command=[with_address(word, host.private) for word in made.command],
            envs=list(made.environment),
            restart=RESTART_POLICY,
            memory=megabytes(made.memory),
            memory_swap=megabytes(made.memory),  # no swap on top
            cpus=str(made.cpus),
            mounts=[
                docker.ContainerMountArgs(
                    type=mount.type,
                    source=mount.source,
                    target=mount.target,
                    read_only=mount.read_only or None,
                    bind_options=_bind_options(mount),
                )
                for mount in made.mounts
            ],
            network_mode="host" if made.host_namespaces else "bridge",  # left at once for the networks below
            networks_advanced=[
                docker.ContainerNetworksAdvancedArgs(
                    name=self._args.networks[network.name], aliases=list(network.aliases)
                )
                for network in made.networks
            ],
            hosts=[docker.ContainerHostArgs(host=name, ip=ip) for name, ip in sorted(made.hosts.items())] or None,
            sysctls=dict(made.sysctls) or None,
            pid_mode="host" if made.host_namespaces else None,
            ports=self._ports(),
            capabilities=docker.ContainerCapabilitiesArgs(
                drops=list(DROPPED_CAPABILITIES), adds=list(made.capabilities)
            ),
            security_opts=list(made.security_options),
            devices=[
                docker.ContainerDeviceArgs(host_path=device, container_path=device, permissions="r")
                for device in made.devices
            ],
            read_only=made.read_only,
            tmpfs=dict(made.tmpfs) or None,
            log_driver=LOG_DRIVER,
            log_opts=dict(LOG_OPTIONS),
            labels=[docker.ContainerLabelArgs(label=key, value=value) for key, value in made.labels.items()],
            healthcheck=self._health(),
            stop_timeout=made.stop_timeout,
            destroy_grace_seconds=made.stop_timeout,
            opts=host.in_docker(
                pulumi.ResourceOptions(
                    parent=self,
                    depends_on=list(after),
                    delete_before_replace=True,  # the name, the ports and the data are taken until the old one is gone
                )
            ),
        )
