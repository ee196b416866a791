"""Images that no registry has, brought to the hub from the Docker Engine of the machine that runs the program."""

from __future__ import annotations

import shlex

import pulumi
import pulumi_command as command

from components.host import Host
from components.remote_host import RemoteHost
from configs.deploy import script
from configs.images import LOCAL, OURS

# Prints whether the image is there; simple enough for any login shell.
_LOOK = "exec sh -c 'docker image inspect \"$0\" > /dev/null 2>&1 && echo yes || echo no' "


def brought(host: Host, image: str, key: str) -> list[pulumi.Resource]:
    """What has to be there before a service with this image. `key`: its key under `images`. Nothing for an image of a
    registry, and on the machine that runs the program."""
    if key not in OURS or not image.startswith(LOCAL) or not isinstance(host, RemoteHost):
        return []
    copied = command.local.Command(
        f"{host.name}-{key}-image",
        create='eval "$BRING"',
        environment={
            "BRING": script("bring", HOST=host.name, IMAGE=image, KEY=key),
            "LOOK": host.over_ssh(_LOOK + shlex.quote(image)),
            "LOAD": host.over_ssh("exec docker load -q"),
        },
        interpreter=["/bin/sh", "-c"],
        add_previous_output_in_env=False,
        logging=command.local.Logging.STDERR,  # success is silent
        opts=host.in_docker(pulumi.ResourceOptions(parent=host, depends_on=[host.ready])),
    )
    return [copied]
