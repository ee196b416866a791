"""The fleet, first part: a preview contacts nobody; then hub, droplet and server come up from nothing in one run."""

from __future__ import annotations

import re

import pytest

from tests.integration.fleet import PROJECT, WATCHER, Fleet
from tests.integration.watcher import Watcher

pytestmark = pytest.mark.xdist_group("fleet")

MADE = ("droplets", "volumes", "vpcs", "reserved_ips", "firewalls", "tags", "domains")
COUNTED = ("iptables", "-t", "mangle", "-p", "tcp", "--dport", "22", "-m", "conntrack", "--ctstate", "NEW")


def _knocks(fleet: Fleet) -> int:
    """How often somebody has begun a connection to the server's SSH since it was first asked."""
    if "dpt:22" not in (rules := fleet.inside("vps-1", "iptables", "-t", "mangle", "-nvxL", "INPUT")):
        fleet.inside("vps-1", *COUNTED[:3], "-I", "INPUT", *COUNTED[3:])
        rules = fleet.inside("vps-1", "iptables", "-t", "mangle", "-nvxL", "INPUT")
    return int(re.findall(r"^\s*(\d+).*dpt:22", rules, re.M)[0])


def test_a_preview_of_nothing_works_and_contacts_no_host(fleet: Fleet) -> None:
    assert _knocks(fleet) == 0
    done = fleet.tool("pulumi", "preview")
    assert done.returncode == 0, done.stdout[-6000:]
    assert _knocks(fleet) == 0, "a preview went to the server's SSH"
    assert {kind: fleet.api(kind) for kind in MADE} == {kind: [] for kind in MADE}, "a preview made something"
    assert re.search(r"USD", done.stdout), f"the monthly cost is not shown:\n{done.stdout[-3000:]}"
    assert re.search(r"Retention will need about [\d.]+ GB of 20 GB", done.stdout), f"no disk:\n{done.stdout[-3000:]}"


def test_hub_droplet_and_server_come_up_from_nothing_in_one_run(fleet: Fleet) -> None:
    with Watcher() as watcher:
        fleet.said = fleet.rehearse()
    fleet.commands, fleet.environments = watcher.seen, set(watcher.environments)
    table = fleet.said[fleet.said.index("What has arrived") :]
    for host in ("hub", "db-1", "vps-1"):
        for job in ("agent", "cadvisor", "node", "docker (logs)"):
            assert re.search(rf"^  {host} +{re.escape(job)} ", table, re.M), (
                f"{host} {job} is not in the table:\n{table}"
            )
    assert re.search(r"^  db-1 +postgres +1/1 up", table, re.M), table
    assert _knocks(fleet) > 0, "the server was reached, but the counter that the preview is judged by did not move"


def test_the_hub_is_in_its_project_and_watched_from_outside(fleet: Fleet) -> None:
    (project,) = [one for one in fleet.api("projects") if one["name"] == PROJECT]
    held = {one["urn"] for one in fleet.api(f"projects/{project['id']}/resources")}
    (volume,) = fleet.api("volumes")
    assert {f"do:droplet:{fleet.droplet('hub')['id']}", f"do:volume:{volume['id']}"} <= held
    (check,) = fleet.api("uptime/checks")
    assert (check["type"], check["target"]) == ("ping", fleet.address)
    (alert,) = fleet.api(f"uptime/checks/{check['id']}/alerts")
    assert alert["notifications"]["email"] == [WATCHER]


def test_the_same_again_changes_nothing_and_touches_no_container(fleet: Fleet) -> None:
    before = fleet.everything()
    assert {host: len(found) for host, found in before.items()} == {"hub": 9, "db-1": 6, "vps-1": 4}
    said = fleet.up()
    changed = re.findall(r"^ +([+~-]+ ?\d+ \w+|\+-\d+ \w+)$", said, re.M)
    assert not changed, f"a second up changes something: {changed}\n{said[:3000]}"
    assert fleet.everything() == before
    assert fleet.planned() == {}
