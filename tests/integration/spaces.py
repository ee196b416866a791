"""Spaces without droplets: the rehearsal cloud's API in this process, and its S3 server in a container."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from localcloud.machines import networks
from localcloud.machines.spaces import Spaces
from tests.cloud.rig import FakeMachines, running
from tests.integration.rig import Rig, docker

INTERNET = "198.18.66.0/24"


class Machines(FakeMachines):
    """No machines, but access keys."""

    def __init__(self, spaces: Spaces) -> None:
        super().__init__()
        self._spaces = spaces

    def allow_key(self, access: str, secret: str, buckets: tuple[str, ...]) -> None:
        self._call("allow_key", access, secret, buckets)
        self._spaces.allow(access, secret, buckets)

    def refuse_key(self, access: str) -> None:
        self._call("refuse_key", access)
        self._spaces.refuse(access)


@contextlib.contextmanager
def cloud(rig: Rig, image: str, folder: Path) -> Iterator[tuple[Machines, Spaces]]:
    """A cloud that this stack finds, until the block ends."""
    spaces = Spaces(rig.prefix, INTERNET, image)
    machines = Machines(spaces)
    try:
        with running(folder, machines) as client:
            rig.env |= {
                "DIGITALOCEAN_TOKEN": client.server.token,
                "DIGITALOCEAN_API_URL": client.server.url,
                "SPACES_ENDPOINT_URL": spaces.endpoint,
            }
            yield machines, spaces
    finally:
        docker("rm", "-f", spaces.container, check=False)
        docker("network", "rm", networks.internet_name(rig.prefix), check=False)
