"""The fleet, last part: `down` takes everything out of the cloud, and nothing of it is left on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.fleet import INTERNET, Fleet
from tests.integration.rig import docker

pytestmark = pytest.mark.xdist_group("fleet")


def test_down_leaves_nothing_in_the_cloud(fleet: Fleet) -> None:
    docker("rm", "-f", "-v", fleet.server("app-1"))  # a network with somebody else's machine in it cannot go
    done = fleet.tool("down", "--yes")
    assert done.returncode == 0, done.stdout[-8000:]
    for kind in ("droplets", "volumes", "vpcs", "reserved_ips", "firewalls", "tags"):
        assert [one for one in fleet.api(kind) if not one.get("default")] == [], kind


def test_the_rehearsal_leaves_nothing_on_this_machine(fleet: Fleet) -> None:
    service = Path("/proc", (fleet.state / "cloud" / "service.pid").read_text().strip(), "cmdline")
    assert b"localcloud.cloud" in service.read_bytes()
    done = fleet.tool("rehearse-down", "--internet", INTERNET, "--port", str(fleet.port))
    assert done.returncode == 0, done.stdout[-3000:]
    for listing in (("ps", "-aq"), ("network", "ls", "-q"), ("volume", "ls", "-q")):
        assert docker(*listing, "--filter", f"label=fleetwatch.cloud={fleet.name}") == "", listing
    assert not fleet.state.exists()
    assert not service.exists() or not service.read_bytes(), "the API's service still runs"
