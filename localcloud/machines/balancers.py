"""Load balancers of one rehearsal cloud: each a container with localcloud/standins/balancer.py in it.

It is a machine of the internet and of one VPC, with an address in both. What it does is in a file that it reads again
by itself, so that a droplet that comes or goes costs no connection.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from localcloud.machines import networks
from localcloud.machines.docker import LABEL, docker, inspect, put
from localcloud.machines.image import MachineImage
from localcloud.machines.model import BalancerSpec

_PROGRAM, _FILE = "/srv/balancer.py", "/srv/balancer.json"
_SOURCE = Path(__file__).parent.parent / "standins" / "balancer.py"
IDLE: dict[str, Any] = {"rules": {}, "targets": [], "health": {}, "proxy": False}


class HasBalancers:
    """What the API calls of a cloud with load balancers."""

    name: str
    internet: str
    _image: MachineImage

    def create_balancer(self, spec: BalancerSpec) -> None:
        """Make it and start it. It passes nothing on until `balance` is called. Leaves nothing when it fails."""
        own = self.balancer(spec.id)
        network = networks.internet_name(self.name)
        networks.create(self.name, network, self.internet)
        try:
            docker(
                "create", "--name", own, "--label", f"{LABEL}={self.name}", "--restart", "unless-stopped",
                "--network", network, "--ip", spec.public_ip, "--memory", "128m", "--entrypoint", "python3",
                self._image.ref, _PROGRAM, _FILE,
            )  # fmt: skip
            docker("network", "connect", "--ip", spec.private_ip, networks.vpc_name(self.name, spec.vpc), own)
            put(own, {_PROGRAM: _SOURCE.read_text()})
            self.balance(spec.id, IDLE)
            docker("start", own)
        except BaseException:
            self.delete_balancer(spec.id)
            raise

    def balance(self, id: str, config: dict[str, Any]) -> None:
        """What it passes on, to whom, and how it checks them; the form is that of the program's file."""
        put(self.balancer(id), {_FILE: json.dumps(config, indent=1)})

    def delete_balancer(self, id: str) -> None:
        """Remove it; nothing happens if there is none."""
        if inspect("container", self.balancer(id)) is not None:
            docker("rm", "-f", "-v", self.balancer(id))

    def balancer(self, id: str) -> str:
        """The container's name."""
        return f"fleetwatch-cloud-{self.name}-balancer-{id[:8]}"
