"""The first contact with a machine: its SSH host key, taken once and kept by the state from then on."""

from __future__ import annotations

import shlex

import pulumi
import pulumi_command as command

from configs import ssh
from configs.deploy import script


def first_contact(
    name: str,
    target: pulumi.Output[ssh.SshTarget],
    url: pulumi.Input[str],
    *,
    host_key: str | None,
    key_name: str,
    place: str,
    patience: int,
    booting: bool,
    machine: pulumi.CustomResource | None = None,
    opts: pulumi.ResourceOptions,
) -> pulumi.Output[str]:
    """The host key: given in the stack file, or the one of the first contact, which the state keeps from then on."""

    def create(found: ssh.SshTarget) -> str:
        words = ssh.ssh_argv(found, host_key) if host_key else ssh.first_contact(found)
        return script(
            "contact",
            HOST=name,
            WHERE=f"{found.user}@{found.address} port {found.port}",
            SSH=shlex.join(words),
            KEY=host_key or "",
            KEY_NAME=key_name,
            PATH_IN_FILE=place,
            PATIENCE=str(patience),
            BOOTING="yes" if booting else "",
        )

    made = command.local.Command(
        f"{name}-contact",
        create='eval "$CONTACT"',
        update='printf "%s\\n" "${PULUMI_COMMAND_STDOUT:?}"',  # the key stays the one that was taken
        environment={"CONTACT": target.apply(create)},
        interpreter=["/bin/sh", "-c"],
        logging=command.local.Logging.STDERR,
        # Another machine or another address is met for the first time; nothing else takes a new key.
        triggers=[url, host_key or "", *([machine.id] if machine is not None else [])],
        opts=opts,
    )
    return pulumi.Output.from_input(host_key) if host_key else made.stdout
