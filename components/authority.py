"""The CA that all nodes of a cluster without a public domain have, so that each certifies itself for the same hosts."""

from __future__ import annotations

import pulumi
import pulumi_command as command

from components.host import Host
from components.remote_host import RemoteHost
from configs import names
from configs.deploy import numbered, on_stdin, script
from configs.services.caddy import entry

_KEY = "-----BEGIN EC PRIVATE KEY-----"


def authority(host: Host, image: str, parent: pulumi.Resource) -> pulumi.Output[dict[str, str]]:
    """Root certificate and key by file name, secret. `host`: of the first node; `image`: Caddy's.

    They are made once and never again: a node with another root would be a stranger to every host on the internet.
    """
    assert isinstance(host, RemoteHost), "three nodes are no single machine"
    row = {"ROLE": "caddy", "KEY": "caddy", "IMAGE": image}
    create = script("pull", HOST=host.name, **numbered([row])) + script(
        "authority",
        IMAGE=image,
        LABEL=f"fleetwatch.stack={host.stack}",
        VOLUME=names.container(host.stack, "caddy-data"),
    )
    made = command.local.Command(
        "authority",
        create='printf "%s" "$SCRIPT" | eval "$ON_HOST"',
        environment={"SCRIPT": create, "ON_HOST": host.over_ssh(on_stdin(create))},
        interpreter=["/bin/sh", "-c"],
        add_previous_output_in_env=False,
        logging=command.local.Logging.STDERR,  # success is silent
        opts=pulumi.ResourceOptions(
            parent=parent,
            depends_on=[host.ready],
            additional_secret_outputs=["stdout"],
            ignore_changes=["*"],  # another machine, image or script is no reason for another CA
        ),
    )
    return pulumi.Output.secret(made.stdout.apply(_files))


def _files(printed: str) -> dict[str, str]:
    certificate, begin, key = printed.partition(_KEY)
    return {entry.ROOT: certificate, entry.KEY: f"{begin}{key}"}
