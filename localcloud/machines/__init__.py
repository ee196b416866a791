"""Machines of the rehearsal cloud: droplets, servers, VPCs, volumes and firewalls made of containers on this machine.

Stand-ins for a platform's: a droplet is a container with sshd, its own Docker Engine and the real cloud-init, but with
this machine's kernel and no systemd; what a droplet's Docker would pull it has from the beginning (`golden`).
"""

from localcloud.machines.golden_volume import golden
from localcloud.machines.image import MachineImage
from localcloud.machines.machines import Machines
from localcloud.machines.model import DropletSpec, MachineError, Rule

__all__ = ["DropletSpec", "MachineError", "MachineImage", "Machines", "Rule", "golden"]
