"""The image of the rehearsal's droplets: Debian 12 with a droplet's packages and Compose v2, which Debian 12 lacks.

Booted by a small init written here, which runs cloud-init in systemd's place.
"""

from __future__ import annotations

import os
from dataclasses import replace

from tools.errors import ToolError
from tools.recipes import Recipe, script

ENGINE = "FLEETWATCH_REHEARSAL_ENGINE"
INSIDE = "localcloud/machines/inside"
# For every user of a machine. One copy in the image: all machines share it.
COMPOSE = "usr/libexec/docker/cli-plugins/docker-compose"
_WITH_IMAGE_STORE = """mv /usr/sbin/dockerd /usr/sbin/dockerd.engine
printf '#!/bin/sh\\nexec /usr/sbin/dockerd.engine --feature containerd-snapshotter=true "$@"\\n' > /usr/sbin/dockerd
chmod 755 /usr/sbin/dockerd
"""


def _droplet() -> Recipe:
    return Recipe(
        tag="droplet:debian-12",
        differs="stands in for a droplet: Debian 12 with Docker and an offline build of Compose; no systemd",
        installed=(
            "docker.io", "iptables", "openssh-server", "ca-certificates", "iproute2", "procps", "curl", "e2fsprogs",
            "sudo", "cloud-init", "iputils-arping", "mount", "tini", "fish",
        ),
        programs={COMPOSE: "docker-compose"},
        install_script=script("droplet/install.sh"),
        trees={"usr/lib/rehearsal": INSIDE},
        texts={
            "etc/cloud/cloud.cfg.d/99-rehearsal.cfg": script("droplet/cloud.cfg"),
        },
        changes=('ENTRYPOINT ["/usr/bin/tini", "--", "/usr/lib/rehearsal/boot"]',),
    )  # fmt: skip


def _newer_engine() -> Recipe:
    """The same with the engine that most new hosts have; Debian's client, containerd and runc stay."""
    made = _droplet()
    return replace(
        made,
        tag="droplet-engine-28:debian-12",
        differs="stands in for a droplet: Debian 12 with Docker Engine 28 and Compose built offline; no systemd",
        programs={COMPOSE: "docker-compose", "engine/dockerd": "dockerd", "engine/docker-proxy": "docker-proxy"},
        install_script=f"{made.install_script}mv /engine/* /usr/sbin/\nrmdir /engine\n",  # in place of the package's
    )


def _image_store() -> Recipe:
    """The same with its images in containerd, as a new Docker 29 has them."""
    made = _newer_engine()
    return replace(
        made,
        tag="droplet-engine-28-containerd:debian-12",
        differs=made.differs.replace("Docker Engine 28", "Docker Engine 28, its images in containerd,"),
        # Not in daemon.json, which first boot writes.
        install_script=made.install_script + _WITH_IMAGE_STORE,
    )


DROPLET_RECIPES = {"droplet": _droplet, "droplet-28": _newer_engine, "droplet-28-containerd": _image_store}


def droplet_key() -> str:
    """The recipe of the machines of this run: `droplet`, or the one that FLEETWATCH_REHEARSAL_ENGINE names. ToolError
    for an engine that there is none with."""
    engine = os.environ.get(ENGINE, "")
    key = f"droplet-{engine}" if engine else "droplet"
    if key not in DROPLET_RECIPES:
        raise ToolError(f"{ENGINE}: expected 28, 28-containerd, or nothing for Debian 12's own engine, got {engine!r}")
    return key
