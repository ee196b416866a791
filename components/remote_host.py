"""A machine that is reached over SSH, as a host. Nothing is contacted before an update needs it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_command as command
import pulumi_docker as docker

from components import local_facts
from components.contact import first_contact
from components.host import Host
from configs import ssh
from configs.deploy import on_stdin, script
from configs.settings import Settings
from configs.settings.edge import log_folders
from configs.settings.places import server_path

BOOT = 600  # seconds that a new droplet may take until SSH and Docker answer
RESTART = 180  # seconds that a droplet may take until SSH answers after it was switched off for another size
ANSWER = 60  # seconds after which a machine that should be running counts as unreachable
DOCKER = "20.10"  # the oldest engine that was exercised
MOUNT = "/mnt/fleetwatch"
DURABLE = ("alertmanager", "caddy-config", "caddy-data", "grafana", "loki", "prometheus")  # folders of hub volumes
DISK = {True: 3000, False: 1500}  # MB that have to be free for the images, of a hub and of an edge


@dataclass(frozen=True, kw_only=True)
class RemoteArgs:
    """`machine`: what is made anew when this changes is another machine (a droplet's id). `size`: a droplet's, which it
    gets switched off. `via`: the jump host."""

    settings: Settings
    user: str
    address: pulumi.Input[str]
    port: int = 22
    host_key: str | None = None
    via: RemoteHost | Bastion | None = None
    booting: bool = False
    install_docker: bool = False
    files: str = "/var/lib/fleetwatch"
    abandoned: bool = False
    machine: pulumi.CustomResource | None = None
    size: pulumi.Input[str] = ""
    public: pulumi.Input[str] | None = None
    private: pulumi.Input[str] | None = None
    after: Sequence[pulumi.Resource] = ()
    device: str | None = None  # a volume's, to be mounted for what has to survive the machine
    device_size: pulumi.Input[int] = 0  # GB; a grown volume is followed by its file system


class _Reached:
    """What can be a jump host: `through` are the words to the next one, `called` its name for `make accept-key`."""

    through: pulumi.Output[list[str]]
    called: str


class Bastion(pulumi.ComponentResource, _Reached):
    """A machine that is only passed through, named after the host behind it. Its host key is pinned like any other."""

    def __init__(self, name: str, target: ssh.SshTarget, host_key: str | None, opts: pulumi.ResourceOptions) -> None:
        super().__init__("fleetwatch:index:Bastion", name, None, opts)
        self.called = f"{name}-bastion"
        pinned = first_contact(
            self.called,
            pulumi.Output.from_input(target),
            target.url,
            host_key=host_key,
            key_name=target.key or "agent",
            place=f"{server_path(name)}.bastion",
            patience=ANSWER,
            booting=False,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.through = pinned.apply(lambda key: ssh.jump(target, key))
        self.register_outputs({})


class RemoteHost(Host, _Reached):
    """Kinds `server` and `droplet`. `ssh_argv`: the `ssh` command line that leads to it."""

    def __init__(self, name: str, args: RemoteArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args.settings.prefix, opts)
        local_facts.folder_for_sockets()
        self._args = args
        self.called = name
        self.public, self.private = args.public, args.private
        self.docker_socket = "/var/run/docker.sock"
        self.base = f"{args.files}/{self.stack}"
        jump = args.via.through if args.via is not None else pulumi.Output.from_input(list[str]())
        address = pulumi.Output.from_input(args.address)
        target = pulumi.Output.all(address, jump).apply(lambda both: _target(args, *both))
        # Not of the target there: a jump host made anew is no reason to take this host's key anew.
        url = address.apply(lambda found: _target(args, found, ()).url)
        pinned = first_contact(
            name,
            target,
            url,
            host_key=args.host_key,
            key_name=args.settings.ssh.key or "agent",
            place=server_path(name),
            patience=BOOT if args.booting else ANSWER,
            booting=args.booting,
            machine=args.machine,
            opts=self.own(self, depends_on=list(args.after)),
        )
        reached = pulumi.Output.all(target, pinned)
        self.ssh_argv = reached.apply(lambda both: ssh.ssh_argv(*both))
        self.through = reached.apply(lambda both: ssh.jump(*both))
        self._where = target.apply(lambda found: f"{found.user}@{found.address} port {found.port}")
        self.ready = self.run(
            "ready", create=self._ready(), delete=script("leave_host", FILES=self.base), closing=True, starting=True
        )
        if args.device:
            self.data = MOUNT
            self.ready = self.run(
                "mounted",
                create=script("volume", DEVICE=args.device, MOUNT=MOUNT, FOLDERS=" ".join(DURABLE)),
                delete=None,
                stdin=pulumi.Output.from_input(args.device_size).apply(str),
                depends_on=[self.ready],
            )
        self.docker = docker.Provider(
            f"{name}-docker",
            host=url,
            ssh_opts=reached.apply(lambda both: ssh.options(*both)),
            opts=self.own(self, depends_on=[self.ready]),
        )
        self.register_outputs({"base": self.base})

    def run(
        self,
        what: str,
        *,
        create: str,
        delete: str | None,
        stdin: pulumi.Input[str] | None = None,
        depends_on: Sequence[pulumi.Resource] = (),
        parent: pulumi.Resource | None = None,
        closing: bool = False,
        starting: bool = False,
    ) -> command.local.Command:
        # The scripts stand in the environment, so that a failure shows what was said and not how it was asked.
        starting = starting and self._args.machine is not None
        scripts = {"ON_HOST": self._over_ssh(on_stdin(create), closing, patience=str(RESTART) if starting else "")}
        size = {"SIZE": self._args.size} if starting else {}  # another one: it comes back from being switched off
        if delete is not None:
            scripts["OFF_HOST"] = self._over_ssh(delete, leaving=True)
        return command.local.Command(
            f"{self.name}-{what}",
            create='eval "$ON_HOST"',
            delete='eval "$OFF_HOST"' if delete is not None else None,
            stdin=pulumi.Output.concat(create, stdin if stdin is not None else ""),
            environment={**scripts, **size, "MACHINE": self._args.machine.id if self._args.machine is not None else ""},
            interpreter=["/bin/sh", "-c"],
            add_previous_output_in_env=False,
            logging=command.local.Logging.STDERR,  # what went well is quiet
            opts=self.own(parent or self, depends_on=list(depends_on)),
        )

    def own(self, parent: pulumi.Resource, **options: Any) -> pulumi.ResourceOptions:
        args = self._args
        if args.machine is not None:
            # The host's containers and files go with it: nobody has to contact a machine that is being deleted.
            options["deleted_with"] = args.machine
        if args.abandoned:
            # What is on a machine that nobody reaches any more is forgotten, not removed.
            options |= {"retain_on_delete": True, "ignore_changes": ["*"]}
        return super().own(parent, **options)

    def in_docker(self, parent: pulumi.Resource, **options: Any) -> pulumi.ResourceOptions:
        if self._args.machine is not None:
            options["replacement_trigger"] = self._args.machine.id
        return self.own(parent, **options)

    def _over_ssh(
        self, remote: str, closing: bool = False, leaving: bool = False, patience: str = ""
    ) -> pulumi.Output[str]:
        fixed = {
            "HOST": self.name,
            "TIMEOUT": str(self._args.settings.ssh.timeout),
            "BETWEEN": self._args.via.called if self._args.via is not None else "",
            "CLOSE": "yes" if closing else "",
            "PATIENCE": patience,
            "LEAVING": "yes" if leaving and self.name != "hub" and self._args.machine is None else "",
        }
        return pulumi.Output.all(self.ssh_argv, self._where).apply(
            lambda both: script("on_host", SSH=shlex.join(both[0]), WHERE=both[1], REMOTE=remote, **fixed)
        )

    def _ready(self) -> str:
        args, edge = self._args, self._args.settings.edges.get(self.name)
        hub = self.name == "hub"
        ports = args.settings.hub.ports
        taken = [ports.https, ports.http, ports.query, *([ports.push] if args.private is not None else [])]
        return script(
            "ready_host",
            HOST=self.name,
            STACK=self.stack,
            BOOTING="yes" if args.booting else "",
            INSTALL="yes" if args.install_docker else "",
            PATIENCE=str(BOOT),
            MINIMUM=DOCKER,
            FILES=self.base,
            DISK=str(DISK[hub]),
            NETWORKS=" ".join(sorted(edge.networks)) if edge else "",
            FOLDERS=" ".join(sorted(log_folders(edge))) if edge else "",
            PORTS=" ".join(map(str, taken)) if hub else "",
        )


def _target(args: RemoteArgs, address: str, jump: Sequence[str]) -> ssh.SshTarget:
    known = args.settings.ssh
    return ssh.SshTarget(args.user, address, args.port, known.key, known.timeout, tuple(jump))
