"""The machines of one rehearsal cloud. Everything it makes carries the cloud's label, and is removed by it.

Nothing is remembered in this process: what belongs to a machine is kept in it (container.STATE), so that another
process, or this one after a restart, finds it. All calls block until the requested state is reached.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from threading import RLock

from localcloud.machines import container, firewall, networks
from localcloud.machines.balancers import HasBalancers
from localcloud.machines.databases import Databases, HasDatabases
from localcloud.machines.disks import Disks
from localcloud.machines.docker import LABEL, docker, listed, put, take
from localcloud.machines.golden_volume import current
from localcloud.machines.image import MachineImage
from localcloud.machines.model import DropletSpec, Rule
from localcloud.machines.spaces import HasSpaces, Spaces

_SEED = "/var/lib/cloud/seed/nocloud"


class Machines(HasSpaces, HasBalancers, HasDatabases):
    """One rehearsal cloud. `image`: what machines are made from; `internet`: the range that stands for the internet;
    `purpose` chooses the golden volume."""

    def __init__(
        self, name: str, image: MachineImage, internet: str = "198.18.0.0/24", purpose: str = "rehearsal"
    ) -> None:
        self.name, self.internet = name, internet
        self.disks = Disks(name, image)
        self.spaces, self.databases = Spaces(name, internet), Databases(name)
        self._image = image
        self._purpose = purpose
        self._lock = RLock()  # files in a machine are read, changed and written back: one at a time is quick enough

    def create_vpc(self, uuid: str, cidr: str) -> None:
        """Make a VPC's network."""
        networks.create(self.name, networks.vpc_name(self.name, uuid), cidr)

    def delete_vpc(self, uuid: str) -> None:
        """Remove it; nothing happens if there is none."""
        networks.delete(networks.vpc_name(self.name, uuid))

    # Machines

    def create_droplet(self, spec: DropletSpec) -> str:
        """Make a droplet and switch it on; its container's id. First boot goes on inside."""
        meta = {
            "instance-id": str(spec.id),
            "local-hostname": spec.name,
            "public-keys": list(spec.ssh_keys),
            "region": spec.region,
        }
        made = container.Machine(
            cloud=self.name,
            key=_droplet(spec.id),
            kind="droplet",
            hostname=spec.name,
            public_ip=spec.public_ip,
            private_ip=spec.private_ip,
            vpc=networks.vpc_name(self.name, spec.vpc),
            vcpus=spec.size_vcpus,
            memory_mb=spec.size_memory_mb,
            files={f"{_SEED}/meta-data": json.dumps(meta), f"{_SEED}/user-data": spec.user_data},
        )
        return self._create(made)

    def create_server(
        self, name: str, address: str, user: str, public_key: str, vpc: str | None = None, docker: bool = True
    ) -> str:
        """A machine that is no droplet: on the internet, or with a private address in a VPC only; its container's id.

        The user may use sudo without a password, and Docker. `docker`: whether Docker is installed. One that is there
        already is left as it is and switched on.
        """
        key = f"server-{name}"
        if container.exists(self.name, key):
            container.start(self.name, key)
            return container.name(self.name, key)
        files = {"user": f"USER={user}\nDOCKER={'yes' if docker else 'no'}\n", "key": f"{public_key}\n"}
        made = container.Machine(
            cloud=self.name,
            key=key,
            kind="server",
            hostname=name,
            public_ip="" if vpc else address,
            private_ip=address if vpc else "",
            vpc=networks.vpc_name(self.name, vpc) if vpc else "",
            files={f"{container.STATE}/{file}": text for file, text in files.items()},
        )
        return self._create(made)

    def _create(self, machine: container.Machine) -> str:
        if machine.public_ip:
            networks.create(self.name, networks.internet_name(self.name), self.internet)
        gateway = networks.gateway(machine.vpc) if machine.vpc else ""
        network = f"PUBLIC={machine.public_ip}\nPRIVATE={machine.private_ip}\nGATEWAY={gateway}\n"
        state = {"network": network, "firewall": firewall.render(None, None), "addresses": "", "disks": ""}
        made = container.create(machine, self._image, current(self._image, self._purpose))
        try:
            put(
                made,
                {**{f"{container.STATE}/{file}": text for file, text in state.items()}, **machine.files},
                mode=0o600,
            )
            container.start(self.name, machine.key)
            container.platform(self.name, machine.key, "await_boot")  # what is set from now on must find it standing
        except BaseException:
            container.delete(self.name, machine.key)
            raise
        return made

    def running(self, droplet_id: int) -> bool:
        """Whether the droplet is switched on; False if there is none."""
        return container.running(self.name, _droplet(droplet_id))

    def power(self, droplet_id: int, on: bool) -> None:
        """Switch it on or off; nothing happens if it is so already."""
        key = _droplet(droplet_id)
        with self._lock:
            if container.running(self.name, key) == on:
                return
            if on:
                self._power_on(key)
                return
        container.stop(self.name, key)

    def _power_on(self, key: str) -> None:
        # The loop devices ended with the last run.
        held = self._attached(key)
        fresh: dict[str, int] = {}
        try:
            fresh = {uuid: self.disks.attach(uuid) for uuid in held}
            self._write_disks(key, fresh)
            container.start(self.name, key)
            container.platform(self.name, key, "await_boot")
        except BaseException:
            for uuid in held:
                self.disks.release(uuid)
            raise

    def resize(self, droplet_id: int, vcpus: int, memory_mb: int) -> None:
        """Another size, on or off."""
        docker("update", *container.limits(vcpus, memory_mb), container.name(self.name, _droplet(droplet_id)))

    def delete_droplet(self, droplet_id: int) -> None:
        """Remove it with its disk, not its volumes; nothing happens if there is none."""
        container.delete(self.name, _droplet(droplet_id))

    # Volumes

    def create_volume(self, uuid: str, name: str, gigabytes: int, filesystem: str) -> None:
        """Make a volume with an ext4 file system, or with none (""). MachineError where loop devices cannot be had."""
        self.disks.create(uuid, name, gigabytes, filesystem)

    def grow_volume(self, uuid: str, gigabytes: int) -> None:
        """Make it larger; a droplet sees it at once."""
        self.disks.grow(uuid, gigabytes)

    def delete_volume(self, uuid: str) -> None:
        """Remove it and what is on it; nothing happens if there is none."""
        self.disks.delete(uuid)

    def attach_volume(self, uuid: str, droplet_id: int) -> None:
        """It appears in the droplet as /dev/disk/by-id/scsi-0DO_Volume_<name>, now and at each boot."""
        key, label = _droplet(droplet_id), self.disks.name_of(uuid)
        with self._lock:
            held = self._attached(key)
            if uuid in held:
                return
            if not container.running(self.name, key):
                self._write_disks(key, {**held, uuid: 0})  # its device is made when it is switched on
                return
            device = self.disks.attach(uuid)
            try:
                container.platform(self.name, key, "attach", label, str(device))
            except BaseException:
                self.disks.release(uuid)
                raise
            self._write_disks(key, {**held, uuid: device})

    def detach_volume(self, uuid: str, droplet_id: int) -> None:
        """It disappears, even from under a mount; nothing happens if it is not attached there."""
        key = _droplet(droplet_id)
        with self._lock:
            held = self._attached(key)
            if uuid not in held:
                return
            if container.running(self.name, key):
                container.platform(self.name, key, "detach", self.disks.name_of(uuid), str(held[uuid]))
            self._write_disks(key, {other: device for other, device in held.items() if other != uuid})

    def _attached(self, key: str) -> dict[str, int]:
        """uuid -> loop device of what is attached."""
        lines = take(container.name(self.name, key), f"{container.STATE}/disks").splitlines()
        return {uuid: int(device) for _, device, uuid in (line.split() for line in lines)}

    def _write_disks(self, key: str, held: dict[str, int]) -> None:
        lines = [f"{self.disks.name_of(uuid)} {device} {uuid}\n" for uuid, device in held.items()]
        self._write(key, "disks", "".join(lines))

    def _write(self, key: str, file: str, text: str) -> None:
        put(container.name(self.name, key), {f"{container.STATE}/{file}": text}, mode=0o600)

    # Reserved IPs and firewalls

    def assign_ip(self, ip: str, droplet_id: int) -> None:
        """A further address on the droplet's public interface, now and at each boot."""
        self._change_addresses(droplet_id, lambda has: [*has, ip] if ip not in has else has)

    def unassign_ip(self, ip: str, droplet_id: int) -> None:
        """Take it away; nothing happens if the droplet does not have it, or is gone."""
        if container.exists(self.name, _droplet(droplet_id)):
            self._change_addresses(droplet_id, lambda has: [other for other in has if other != ip])

    def _change_addresses(self, droplet_id: int, change: Callable[[list[str]], list[str]]) -> None:
        key = _droplet(droplet_id)
        with self._lock:
            has = take(container.name(self.name, key), f"{container.STATE}/addresses").split()
            self._write(key, "addresses", "".join(f"{ip}\n" for ip in change(has)))
            if container.running(self.name, key):
                container.platform(self.name, key, "addresses")

    def firewall(self, droplet_id: int, inbound: tuple[Rule, ...] | None, outbound: tuple[Rule, ...] | None) -> None:
        """Let through what the rules say and nothing else; None: no firewall is attached, everything passes."""
        key = _droplet(droplet_id)
        with self._lock:
            self._write(key, "firewall", firewall.render(inbound, outbound))
            if container.running(self.name, key):
                container.platform(self.name, key, "firewall")

    def remove_all(self) -> None:
        """Remove everything that carries this cloud's label."""
        for found in listed("container", f"{LABEL}={self.name}"):
            docker("rm", "-f", "-v", found)
        for uuid in self.disks.uuids():
            self.disks.delete(uuid)
        for found in listed("volume", f"{LABEL}={self.name}"):
            docker("volume", "rm", found)
        for found in listed("network", f"{LABEL}={self.name}"):
            docker("network", "rm", found)


def _droplet(droplet_id: int) -> str:
    return f"droplet-{droplet_id}"
