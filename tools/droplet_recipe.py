"""The image of the rehearsal's droplets: Debian 12 with a droplet's packages and Compose v2, which Debian 12 lacks.

Booted by a small init written here, which runs cloud-init in systemd's place.
"""

from __future__ import annotations

from tools.recipes import Recipe, script

INSIDE = "localcloud/machines/inside"
# For every user of a machine. One copy in the image: all machines share it.
COMPOSE = "usr/libexec/docker/cli-plugins/docker-compose"


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


DROPLET_RECIPES = {"droplet": _droplet}
