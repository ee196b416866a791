"""The fleet, sixth part: droplets get another size, the hub a larger volume; then it is destroyed and made again, and
its data, its address and its certificates are back, without a hand laid on an edge."""

from __future__ import annotations

import re
import time

import pytest

from tests.integration.fleet import Fleet
from tests.integration.rig import eventually

pytestmark = pytest.mark.xdist_group("fleet")


def _size(fleet: Fleet) -> float:
    """GB of the file system that the hub's data is on."""
    blocks = fleet.on("hub", "df", "-Pk", "/mnt/fleetwatch").splitlines()[1].split()[1]
    return int(blocks) / 1024**2


def _resume(fleet: Fleet, moment: float, patience: float = 120) -> None:
    """Wait for a sample of every host that is newer."""
    hosts = set(fleet.outputs()["hosts"])

    def all_newer() -> bool:
        return {host for host, newest in fleet.newest().items() if newest > moment} >= hosts

    eventually("samples of every host", all_newer, patience)


def _others(fleet: Fleet) -> dict[str, dict[str, tuple[str, str]]]:
    return {host: found for host, found in fleet.everything().items() if host != "hub"}


def _before(fleet: Fleet, moment: float) -> list[list[float | str]]:
    """Raw samples of an edge from the minute before a moment."""
    found = fleet.metrics(f'node_cpu_seconds_total{{host="vps-1",cpu="0"}}[1m] @ {moment}')
    return [one["values"] for one in sorted(found, key=lambda one: str(one["metric"]))]


def _ids(containers: dict[str, tuple[str, str]]) -> dict[str, str]:
    return {role: found for role, (found, _) in containers.items()}


def test_droplets_get_another_size_and_the_hub_a_larger_volume_in_place(fleet: Fleet) -> None:
    """And that a renamed host's former name is taken out changes nothing."""
    before, droplets = fleet.everything(), {host: fleet.droplet(host)["id"] for host in ("hub", "database")}
    assert _size(fleet) < 20
    larger = {"droplet": {"size": "s-1vcpu-2gb"}, "renamed_from": None}
    fleet.change({"hub": {"droplet": {"size": "s-4vcpu-8gb", "volume": 21}}, "hosts": {"database": larger}})
    planned = fleet.planned()
    # The configuration: how much of the volume metrics may take.
    in_place = {"hub-droplet", "hub-volume", "hub-mounted", "hub-prometheus-config", "hub-changed", "database-droplet"}
    in_place |= {"hub-ready", "database-ready"}  # they are waited for, having been switched off
    assert planned == dict.fromkeys(in_place, "update")
    fleet.up()
    turned = time.time()
    for host, size in (("hub", "s-4vcpu-8gb"), ("database", "s-1vcpu-2gb")):
        after = fleet.droplet(host)
        assert (after["id"], after["size_slug"]) == (droplets[host], size)
        again = fleet.containers(host)
        assert _ids(again) == _ids(before[host]), f"{host}: they have to come back by themselves"
        assert again != before[host], f"{host} was not switched off"
    assert 20 < _size(fleet) < 21
    _resume(fleet, turned)
    for host in ("app-1", "vps-1", "vps-2"):
        assert fleet.containers(host) == before[host], f"{host}: a container was touched"


def _written(fleet: Fleet, marked: float) -> set[str]:
    """The lines of the minute before it, of a container that writes one a second."""
    with fleet.hub() as hub:
        streams = hub.logs('{host="vps-1"} |= "n="', marked - 60, marked, limit=500)
    return {line for stream in streams for _, line in stream["values"]}


def test_a_hub_made_anew_has_its_data_its_address_and_its_certificates(
    fleet: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    droplet, edges, address, root = fleet.droplet("hub"), _others(fleet), fleet.address, fleet.root_ca()
    (volume,) = fleet.api("volumes")
    marked = time.time() - 60
    token = fleet.talker("vps-1")
    eventually("a line from before", lambda: fleet.lines(f'{{host="vps-1"}} |= "{token}"'), 60)
    known, written = _before(fleet, marked), _written(fleet, marked)
    assert known
    assert len(written) > 20
    password = fleet.tool("password").stdout.strip().splitlines()[-1]

    begun = fleet.hub_left = time.time()
    done = fleet.tool("rebuild", "hub")
    assert done.returncode == 0, done.stdout[-8000:]
    took = time.time() - begun
    assert not re.search(r"(app-1|vps-1|database)-contact (creating|replac|deleting)", done.stdout), (
        "a host key was taken anew because the hub is another machine"
    )
    with capsys.disabled():
        print(f"\n[the hub was destroyed and made again, with data of every host, in {took:.0f} s]")

    assert took < 600
    assert fleet.droplet("hub")["id"] != droplet["id"]
    assert [(one["id"], one["droplet_ids"]) for one in fleet.api("volumes")] == [
        (volume["id"], [fleet.droplet("hub")["id"]])
    ]
    assert fleet.address == address
    assert fleet.root_ca() == root, "the hub's own CA is another one"
    assert fleet.tool("password").stdout.strip().splitlines()[-1] == password
    assert _others(fleet) == edges, "an edge's container was touched"
    assert _before(fleet, marked) == known, "metrics from before are gone"
    assert written <= _written(fleet, marked), "lines from before are gone"
    assert fleet.lines(f'{{host="vps-1"}} |= "{token}"', begun + took), "no line has come since"
    _resume(fleet, begun + took)
    assert fleet.planned() == {}


def test_no_sample_of_an_edge_is_missing_although_the_hub_was_away(fleet: Fleet) -> None:
    for host in ("database", "vps-1", "app-1"):
        # Not from earlier: droplets were switched off to give them another size.
        stamps = fleet.stamps(f'up{{job="agent",host="{host}"}}', f"{time.time() - fleet.hub_left:.0f}s")
        assert stamps[0] < fleet.hub_left + 30, f"{host}: nothing is there from the hub's absence"
        gaps = [later - earlier for earlier, later in zip(stamps, stamps[1:], strict=False)]
        assert max(gaps) < 22, f"{host}: seconds between samples: {gaps}"
