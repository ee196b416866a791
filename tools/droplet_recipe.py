"""The image of the rehearsal's droplets: Debian 12 with a droplet's packages, booted by a small init written here."""

from __future__ import annotations

from tools.recipes import Recipe, script

INSIDE = "localcloud/machines/inside"


def _droplet() -> Recipe:
    return Recipe(
        tag="droplet:debian-12",
        differs="stands in for a droplet: Debian 12 with Docker; no systemd, cloud-init is run by an init of ours",
        installed=(
            "docker.io", "iptables", "openssh-server", "ca-certificates", "iproute2", "procps", "curl", "e2fsprogs",
            "sudo", "cloud-init", "iputils-arping", "mount", "tini",
        ),
        install_script=script("droplet/install.sh"),
        trees={"usr/lib/rehearsal": INSIDE},
        texts={
            "etc/cloud/cloud.cfg.d/99-rehearsal.cfg": script("droplet/cloud.cfg"),
        },
        changes=('ENTRYPOINT ["/usr/bin/tini", "--", "/usr/lib/rehearsal/boot"]',),
    )  # fmt: skip


DROPLET_RECIPES = {"droplet": _droplet}
