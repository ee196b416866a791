"""A load balancer of a rehearsal cloud, with real containers: the address on the internet, the targets in a VPC."""

from __future__ import annotations

import re
import secrets
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localcloud.machines import Machines, networks
from localcloud.machines.docker import LABEL, docker
from localcloud.machines.model import BalancerSpec
from tests.fixtures.leftovers import claimed
from tests.machines.world import PURPOSE, soon
from tools import images
from tools.rehearsal import machine_image

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("machines")]
NET = "198.18.34"  # no other cloud's of this machine
PUBLIC, ID = f"{NET}.20", "0b5d5e9a-0000-4000-8000-000000000000"
# A target shows which one it is and whose connection it has; the check's connections have the balancer's address.
TARGET = """{
	admin off
	servers {
		listener_wrappers {
			proxy_protocol {
				allow 10.0.0.0/8
			}
		}
	}
}
http://:80 {
	respond /ready ok
	respond "{env.NAME} {remote_host}"
}
"""


class Rig:
    """A cloud with a load balancer and two targets that are containers of its VPC."""

    def __init__(self, home: Path) -> None:
        self.name = f"fwt{secrets.token_hex(3)}"
        self.range = f"10.{secrets.randbelow(50) + 150}.{secrets.randbelow(250)}"
        self.machines = Machines(self.name, machine_image(), f"{NET}.0/24", PURPOSE)
        self.targets = {f"{self.range}.{number}": f"{self.name}-{number}" for number in (10, 11)}
        self.home = home

    def make(self) -> None:
        self.machines.create_vpc("vpc", f"{self.range}.0/24")
        (image,) = images.get(["caddy"])
        (self.home / "Caddyfile").write_text(TARGET)
        for address, name in self.targets.items():
            docker(
                "run", "-d", "--name", name, "--label", f"{LABEL}={self.name}", "-e", f"NAME={name}",
                "--network", networks.vpc_name(self.name, "vpc"), "--ip", address,
                "-v", f"{self.home}:/etc/caddy:ro", image.ref,
            )  # fmt: skip
        self.machines.create_balancer(BalancerSpec(ID, PUBLIC, f"{self.range}.2", "vpc"))

    def config(self, **more: Any) -> dict[str, Any]:
        health = {"port": 80, "path": "/ready", "interval": 1, "timeout": 1, "unhealthy": 2, "healthy": 2}
        return {"rules": {"8000": 80}, "targets": sorted(self.targets), "health": health, "proxy": True, **more}

    def ask(self) -> str:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://{PUBLIC}:8000/", timeout=3) as answer:
            return str(answer.read().decode())

    def several(self) -> set[str]:
        return {self.ask() for _ in range(4)}


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    home = tmp_path_factory.mktemp("balancers")
    images.get(["droplet"])
    made = Rig(home)
    with claimed(made.name, home):
        try:
            made.make()
            yield made
        finally:
            made.machines.remove_all()


def test_it_passes_on_to_all_and_names_the_client(rig: Rig) -> None:
    rig.machines.balance(ID, rig.config())
    soon("both targets", lambda: len(rig.several()) == 2)
    assert rig.several() == {f"{name} {NET}.1" for name in rig.targets.values()}, "this machine's address there"


def test_a_target_that_ends_is_left_out_and_comes_back(rig: Rig) -> None:
    gone, left = rig.targets.values()
    docker("kill", gone)
    soon("the other target alone", lambda: rig.several() == {f"{left} {NET}.1"})
    docker("start", gone)
    soon("both targets again", lambda: len(rig.several()) == 2)


def test_a_target_fewer_costs_the_others_nothing(rig: Rig) -> None:
    _, left = rig.targets.items()
    rig.machines.balance(ID, rig.config(targets=[left[0]], proxy=False))
    soon("one target", lambda: {line.split()[0] for line in rig.several()} == {left[1]})
    soon("its new configuration", lambda: rig.ask() == f"{left[1]} {rig.range}.2")


def test_it_leaves_nothing(rig: Rig) -> None:
    rig.machines.delete_balancer(ID)
    rig.machines.delete_balancer(ID)
    shown = docker("ps", "-a", "--filter", f"label={LABEL}={rig.name}", "--format", "{{.Names}}")
    assert not re.search("balancer", shown)
