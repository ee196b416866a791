"""The first contact with a machine: its SSH host key, read once and kept in the state from then on."""

from __future__ import annotations

import os
import shlex

import pulumi
import pulumi_command as command

from configs import ssh
from configs.deploy import script


def make_socket_folder() -> None:
    """Where ssh keeps the sockets of shared connections; ssh itself makes no folder for them."""
    os.makedirs(os.path.expanduser("~/.ssh"), mode=0o700, exist_ok=True)


def first_contact(
    name: str,
    target: pulumi.Output[ssh.SshTarget],
    url: pulumi.Input[str],
    *,
    host_key: str | None,
    key_name: str,
    path: str,
    patience: int,
    booting: bool,
    forwards: bool = False,
    machine: pulumi.CustomResource | None = None,
    opts: pulumi.ResourceOptions,
) -> pulumi.Output[str]:
    """The host key: the one in the stack file (`path`), or that of the first contact, which the state keeps.
    `forwards`: the account only forwards connections, so it may refuse commands."""

    def create(found: ssh.SshTarget) -> str:
        argv = ssh.ssh_argv(found, host_key) if host_key else ssh.first_contact(found)
        return script(
            "contact",
            HOST=name,
            ACCOUNT=found.user,
            ADDRESS=f"{found.user}@{found.address} port {found.port}",
            SSH=shlex.join(argv),
            KEY=host_key or "",
            KEY_NAME=key_name,
            PATH_IN_FILE=path,
            PATIENCE=str(patience),
            BOOTING="yes" if booting else "",
            FORWARDS="yes" if forwards else "",
        )

    made = command.local.Command(
        f"{name}-contact",
        create='eval "$CONTACT"',
        update='printf "%s\\n" "${PULUMI_COMMAND_STDOUT:?}"',  # the pinned key stays
        environment={"CONTACT": target.apply(create)},
        interpreter=["/bin/sh", "-c"],
        logging=command.local.Logging.STDERR,
        # A new key is read from another machine or at another address only.
        triggers=[url, host_key or "", *([machine.id] if machine is not None else [])],
        opts=opts,
    )
    return pulumi.Output.from_input(host_key) if host_key else made.stdout
