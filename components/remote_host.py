"""A machine that is reached over SSH, as a host. Nothing is contacted before an update needs it."""

from __future__ import annotations

import platform
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_command as command
import pulumi_docker as docker

from components.contact import first_contact, make_socket_folder
from components.host import Host
from configs import names, services, ssh
from configs.deploy import COMPARES, COMPOSE, COMPOSE_TESTED, docker_packages, engine, fed, on_stdin, script
from configs.settings import Settings
from configs.settings.edge import log_folders
from configs.settings.model import host_path

BOOT = 600  # seconds that a new droplet may take until SSH and Docker answer
RESTART = 180  # seconds that a droplet may take until SSH answers after it was switched off for another size
ANSWER = 60  # seconds after which a machine that should be running counts as unreachable
DOCKER = "20.10"  # the oldest engine that was exercised
MOUNT = "/mnt/fleetwatch"
DISK = {True: 3000, False: 1500}  # MB that have to be free for the images, of a hub and of an edge


@dataclass(frozen=True, kw_only=True)
class RemoteArgs:
    """`machine`: the droplet; a replaced one is another machine. `size`: a droplet's, a change of which switches it off
    for a while. `jump`: the jump host. `images`: the references by image key."""

    settings: Settings
    images: Mapping[str, str]
    user: str
    address: pulumi.Input[str]
    port: int = 22
    host_key: str | None = None
    jump: RemoteHost | Bastion | None = None
    booting: bool = False
    install_docker: bool = False
    files: str = names.FILES
    abandoned: bool = False
    machine: pulumi.CustomResource | None = None
    size: pulumi.Input[str] = ""
    public: pulumi.Input[str] | None = None
    private: pulumi.Input[str] | None = None
    after: Sequence[pulumi.Resource] = ()
    device: str | None = None  # a volume's, to be mounted for what has to survive the machine
    device_size: pulumi.Input[int] = 0  # GB; a grown volume is followed by its file system


class _JumpHost:
    """What can be a jump host: `jump_argv` opens a connection to the next one, `key_name` is its name for
    `make accept-key`."""

    jump_argv: pulumi.Output[list[str]]
    key_name: str


class Bastion(pulumi.ComponentResource, _JumpHost):
    """A jump host that runs nothing of fleetwatch, named after the host behind it. Its host key is pinned too."""

    def __init__(self, name: str, target: ssh.SshTarget, host_key: str | None, opts: pulumi.ResourceOptions) -> None:
        super().__init__("fleetwatch:index:Bastion", name, None, opts)
        self.key_name = f"{name}-bastion"
        pinned = first_contact(
            self.key_name,
            pulumi.Output.from_input(target),
            target.url,
            host_key=host_key,
            key_name=target.key or "agent",
            path=f"{host_path(name)}.server.bastion",
            patience=ANSWER,
            booting=False,
            forwards=True,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.jump_argv = pinned.apply(lambda key: ssh.jump(target, key))
        self.register_outputs({})


class RemoteHost(Host, _JumpHost):
    """Kinds `server` and `droplet`. `ssh_argv`: the `ssh` command line that leads to it."""

    def __init__(self, name: str, args: RemoteArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args.settings.prefix, opts)
        make_socket_folder()
        self._args = args
        self._of_hub = name in args.settings.hub.hosts
        self.key_name = name
        self.public, self.private = args.public, args.private
        self.docker_socket = "/var/run/docker.sock"
        self.base = f"{args.files}/{self.stack}"
        self._late = f"/etc/sysctl.d/60-{self.stack}.conf" if self._of_hub and args.private is not None else ""
        jump = args.jump.jump_argv if args.jump is not None else pulumi.Output.from_input(list[str]())
        address = pulumi.Output.from_input(args.address)
        target = pulumi.Output.all(address, jump).apply(lambda both: _target(args, *both))
        # Without the jump host: when that is replaced, this host's key stays the same.
        url = address.apply(lambda found: _target(args, found, ()).url)
        pinned = first_contact(
            name,
            target,
            url,
            host_key=args.host_key,
            key_name=args.settings.ssh.key or "agent",
            path=f"{host_path(name)}.server",
            patience=BOOT if args.booting else ANSWER,
            booting=args.booting,
            machine=args.machine,
            opts=self.on_host(pulumi.ResourceOptions(parent=self, depends_on=list(args.after))),
        )
        reached = pulumi.Output.all(target, pinned)
        self.ssh_argv = reached.apply(lambda both: ssh.ssh_argv(*both))
        self.jump_argv = reached.apply(lambda both: ssh.jump(*both))
        self._address = target.apply(lambda found: f"{found.user}@{found.address} port {found.port}")
        self.ready = self.run("ready", create=self._ready(), delete=self._leave(), closing=True, starting=True)
        if args.device:
            self.data = MOUNT
            self.ready = self.run(
                "mounted",
                create=script(
                    "volume",
                    DEVICE=args.device,
                    MOUNT=MOUNT,
                    FOLDERS="\n".join(services.durable_volumes(args.settings)),
                ),
                delete=None,
                stdin=pulumi.Output.from_input(args.device_size).apply(str),
                depends_on=[self.ready],
            )
        self._docker_url = url
        self._docker_options = reached.apply(lambda both: ssh.options(*both))
        self.register_outputs({"base": self.base})

    def docker(self) -> docker.Provider:
        return docker.Provider(
            f"{self.name}-docker",
            host=self._docker_url,
            ssh_opts=self._docker_options,
            opts=self.on_host(pulumi.ResourceOptions(parent=self, depends_on=[self.ready])),
        )

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
        closing: bool = False,
        starting: bool = False,
    ) -> command.local.Command:
        # The scripts are in the environment, so that a failure shows their output and not the scripts.
        starting = starting and self._args.machine is not None
        on_host = self.over_ssh(on_stdin(create), closing, patience=str(RESTART) if starting else "")
        scripts: dict[str, pulumi.Input[str]] = {"SCRIPT": create, "ON_HOST": on_host}
        size = {"SIZE": self._args.size} if starting else {}  # another size: the droplet was switched off for it
        if delete is not None:
            scripts |= {"OFF_SCRIPT": delete, "OFF_HOST": self.over_ssh(on_stdin(delete), leaving=True)}
        return command.local.Command(
            f"{self.name}-{what}",
            create=f'{fed(sorted(files or {}))} | eval "$ON_HOST"',
            delete='printf "%s" "$OFF_SCRIPT" | eval "$OFF_HOST"' if delete is not None else None,
            stdin=stdin if stdin is not None else "",
            environment={
                **(files or {}),
                **scripts,
                **size,
                **({COMPARES: self.name} if compares else {}),
                "MACHINE": self._args.machine.id if self._args.machine is not None else "",
            },
            interpreter=["/bin/sh", "-c"],
            add_previous_output_in_env=False,
            logging=command.local.Logging.STDERR,  # success is silent
            opts=self.on_host(pulumi.ResourceOptions(parent=parent or self, depends_on=list(depends_on))),
        )

    def on_host(self, options: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
        args = self._args
        # The host's containers and files are deleted with its machine: one that is being deleted is not contacted.
        mine = pulumi.ResourceOptions(deleted_with=args.machine)
        if args.abandoned:
            # What is on an unreachable machine is dropped from the state, not removed.
            mine.retain_on_delete, mine.ignore_changes = True, ["*"]
        return pulumi.ResourceOptions.merge(options, mine)

    def in_docker(self, options: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
        if self._args.machine is None:
            return self.on_host(options)
        another = pulumi.ResourceOptions(replacement_trigger=self._args.machine.id)
        return self.on_host(pulumi.ResourceOptions.merge(options, another))

    def over_ssh(
        self, remote: str, closing: bool = False, leaving: bool = False, patience: str = ""
    ) -> pulumi.Output[str]:
        """The shell that runs a command on this host, from the machine of the program."""
        fixed = {
            "HOST": self.name,
            "TIMEOUT": str(self._args.settings.ssh.timeout),
            "JUMP_HOST": self._args.jump.key_name if self._args.jump is not None else "",
            "CLOSE": "yes" if closing else "",
            "PATIENCE": patience,
            "LEAVING": "yes" if leaving and not self._of_hub and self._args.machine is None else "",
        }
        return pulumi.Output.all(self.ssh_argv, self._address).apply(
            lambda both: script("on_host", SSH=shlex.join(both[0]), ADDRESS=both[1], REMOTE=remote, **fixed)
        )

    def _leave(self) -> str:
        """What a command that failed left is in no state, so the last step on a host removes it too."""
        place = {"BASE": self.base, "DIR": f"{self.base}/{names.PROJECT}", "PREFIX": self.stack}
        leave = script("leave_host", FILES=self.base, LATE_ADDRESS=self._late)
        return script("remove_project", VOLUMES="yes", **place) + "\n" + leave

    def _ready(self) -> str:
        args, edge = self._args, self._args.settings.edges.get(self.name)
        images = [args.images[key] for key in services.host_images(args.settings, self.name)]
        return engine(images, platform.machine()) + script(
            "ready_host",
            HOST=self.name,
            STACK=self.stack,
            BOOTING="yes" if args.booting else "",
            INSTALL=docker_packages(args.settings.docker.major) if args.install_docker else "",
            PATIENCE=str(BOOT),
            MINIMUM=DOCKER,
            COMPOSE=COMPOSE,
            COMPOSE_TESTED=COMPOSE_TESTED,
            FILES=self.base,
            DISK=str(DISK[self._of_hub]),
            NETWORKS="\n".join(sorted(edge.networks)) if edge else "",
            FOLDERS="\n".join(sorted(log_folders(edge))) if edge else "",
            PORTS="\n".join(
                map(str, services.hub_ports(args.settings, private=args.private is not None) if self._of_hub else ())
            ),
            LATE_ADDRESS=self._late,
        )


def _target(args: RemoteArgs, address: str, jump: Sequence[str]) -> ssh.SshTarget:
    known = args.settings.ssh
    return ssh.SshTarget(args.user, address, args.port, known.key, known.timeout, tuple(jump))
