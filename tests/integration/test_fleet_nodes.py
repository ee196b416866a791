"""Three hub nodes in a rehearsal: whatever happens to one of them, or to two for a while, every sample and every line
of the hosts on both paths is there once, alerts are notified once, and people stay signed in."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Mapping

import pytest

from tests.integration.cluster import EVERY, NODES, PARTS, VPS, Cluster
from tests.integration.fleet import told
from tests.integration.rig import eventually

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("fleet-nodes")]

AWAY = 60  # seconds of a fault
Containers = Mapping[str, Mapping[str, tuple[str, str]]]  # by host and role: id, start


@pytest.fixture(scope="module")
def fleet() -> Iterator[Cluster]:
    with told(Cluster) as made:
        assert isinstance(made, Cluster)
        made.up()
        made.watch()
        yield made
        print("\n".join(made.figures))
        made.sink.shutdown()


def _open(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), 2):
            return True
    except OSError:
        return False


def test_people_reach_it_by_the_load_balancer_alone(fleet: Cluster) -> None:
    assert {fleet.root_on(node) for node in NODES} == {fleet.root}
    assert fleet.answers()
    for node in NODES:
        address = fleet.outputs()["hosts"][node]["address"]
        assert not [port for port in (443, 80) if _open(address, port)], "past the load balancer"
    (balancer,) = fleet.api("load_balancers")
    assert balancer["ip"] == fleet.entry
    assert len(balancer["droplet_ids"]) == 3


def test_the_allow_list_knows_the_clients_own_address(fleet: Cluster) -> None:
    refused = fleet.inside("vps-1", "curl", "-sk", f"https://{fleet.entry}/login")
    assert refused.startswith(f"{VPS} is not among the addresses")


def test_it_has_data_for_everything_and_nothing_to_change(fleet: Cluster) -> None:
    done = fleet.tool("doctor")
    assert done.returncode == 0, done.stdout[-6000:]
    assert "Everything has data" in done.stdout
    assert fleet.planned() == {}
    fleet.nothing_missing()


@pytest.mark.parametrize("role", PARTS)
def test_each_part_of_a_node_may_be_killed(fleet: Cluster, role: str) -> None:
    fleet.kill("hub", role)
    fleet.figure(f"SIGKILL to {role} of one node", f"complete {fleet.nothing_missing():.0f} s later")


@pytest.mark.parametrize("node", ["hub", "hub-b"])
def test_a_node_may_be_off(fleet: Cluster, node: str) -> None:
    """An alert fires before, and ends while it is off."""
    begun = len(fleet.sink.got)
    with fleet.raised():
        eventually("a notification", lambda: fleet.notified(begun) == ["firing"], 180)
        with fleet.off(node):
            off = time.time()
            eventually("every request answered", fleet.answers, 60)
            answered = time.time() - off
            assert fleet.is_signed_in()
            eventually("samples of both hosts", fleet.both_write, 180)
            went_on = time.time() - off
            time.sleep(max(0, AWAY - went_on))
            fleet.raise_alert(False)
            eventually("its end", lambda: fleet.notified(begun)[1:] == ["resolved"], 400)
        waited = fleet.nothing_missing()
    assert fleet.notified(begun) == ["firing", "resolved"]
    eventually("a node that is ready again", fleet.answers, 120)
    told = f"people are answered after {answered:.0f} s, both hosts write after {went_on:.0f} s"
    fleet.figure(f"{node} off", f"{told}; complete {waited:.0f} s after")


def test_a_node_may_be_cut_off(fleet: Cluster) -> None:
    """A host that pushes to this node waits for it, then goes on to the next."""
    begun = len(fleet.sink.got)
    with fleet.raised():
        eventually("a notification", lambda: fleet.notified(begun) == ["firing"], 180)
        with fleet.cut("hub-c"):
            cut = time.time()
            eventually("samples of both hosts", fleet.both_write, 180)
            went_on = time.time() - cut
            time.sleep(max(0, AWAY - went_on))
            eventually("samples of both hosts", fleet.both_write, 30)
        waited = fleet.nothing_missing()
    eventually("its end", lambda: "resolved" in fleet.notified(begun), 400)
    time.sleep(20)
    assert fleet.notified(begun) == ["firing", "resolved"]
    fleet.figure("hub-c cut off", f"both hosts write after {went_on:.0f} s; complete {waited:.0f} s after")
    assert fleet.is_signed_in()


@pytest.fixture(scope="class")
def alert(fleet: Cluster) -> Iterator[int]:
    """An alert that fires during all tests of a class, is notified once, and ends after them: how many messages there
    were before it. Its end is notified five minutes after its beginning, which each test by itself would wait for."""
    begun = len(fleet.sink.got)
    with fleet.raised():
        yield begun
    eventually("its end", lambda: "resolved" in fleet.notified(begun), 400)
    time.sleep(20)
    assert fleet.notified(begun) == ["firing", "resolved"]


class TestAlertFires:
    """What may be away while an alert fires, in this order."""

    def test_a_disk_may_be_full(self, fleet: Cluster, alert: int) -> None:
        with fleet.full("hub-b"):
            assert fleet.free("hub-b") < 1024, "kB that are left"
            time.sleep(AWAY)
            eventually("a notification", lambda: fleet.notified(alert) == ["firing"], 120)
            assert fleet.both_write(), "writes go on"
            assert fleet.complaints("hub-b"), "no program has failed to write"
        fleet.figure("the disk of hub-b full", f"complete {fleet.nothing_missing():.0f} s after")

    def test_the_bucket_may_be_away(self, fleet: Cluster, alert: int) -> None:
        with fleet.stopped(fleet.machines.spaces.container):
            time.sleep(AWAY)
            assert fleet.both_write(), "writes go on"
        fleet.figure("the bucket away", f"complete {fleet.nothing_missing():.0f} s after")
        assert fleet.notified(alert) == ["firing"]

    def test_the_database_may_be_away(self, fleet: Cluster, alert: int) -> None:
        with fleet.stopped(fleet.database()):
            time.sleep(AWAY)
            assert not fleet.is_signed_in()
            assert fleet.both_write(), "writes go on"
        back = time.time()
        eventually("the session of before", fleet.is_signed_in, 120)
        signed_in = time.time() - back
        waited = fleet.nothing_missing()
        fleet.figure("the database away", f"session valid {signed_in:.0f} s after; complete {waited:.0f} s after")
        assert fleet.notified(alert) == ["firing"]


def test_two_nodes_may_be_away_for_a_while(fleet: Cluster) -> None:
    with fleet.off("hub-b", "hub-c"):
        off = time.time()
        time.sleep(AWAY)
        newest = max(fleet.stamps('up{job="node",host="web"}', "2m"), default=0.0)
        assert newest < off + 3 * EVERY, "a write was accepted by one node of three"
    fleet.figure("two nodes off", f"writes refused meanwhile; complete {fleet.nothing_missing(400):.0f} s after")


def _touched(fleet: Cluster, before: Containers) -> set[str]:
    """Hosts on which a container was made, started or removed since."""
    now = fleet.everything()
    return {host for host, containers in before.items() if now[host] != containers}


def test_a_setting_of_all_nodes_is_changed(fleet: Cluster) -> None:
    before, begun = fleet.everything(), time.time()
    fleet.change({"hub": {"retention": {"logs": "15d"}}})
    fleet.up()
    took = time.time() - begun
    assert _touched(fleet, before) == set(NODES)
    assert {node for node in NODES if before[node]["loki"] != fleet.containers(node)["loki"]} == set(NODES)
    fleet.figure("logs kept for longer", f"update of {took:.0f} s; complete {fleet.nothing_missing():.0f} s after")


def test_a_node_gets_another_size(fleet: Cluster) -> None:
    before, droplet, begun = fleet.everything(), fleet.droplet("hub-b"), time.time()
    fleet.change({"hub": {"storage": {"nodes": {"b": {"size": "s-4vcpu-8gb"}}}}})
    fleet.up()
    took, now = time.time() - begun, fleet.droplet("hub-b")
    assert (now["id"], now["size_slug"]) == (droplet["id"], "s-4vcpu-8gb")
    assert _touched(fleet, before) == {"hub-b"}
    fleet.figure("hub-b resized", f"update of {took:.0f} s; complete {fleet.nothing_missing():.0f} s after")


def test_a_node_is_made_again(fleet: Cluster) -> None:
    before, old = fleet.everything(), fleet.droplet("hub-c")["id"]
    begun = time.time()
    done = fleet.tool("rebuild", "hub-c")
    assert done.returncode == 0, done.stdout[-8000:]
    took = time.time() - begun
    assert fleet.droplet("hub-c")["id"] != old
    assert _touched(fleet, before) == {"hub-c"}
    fleet.figure("hub-c made again", f"took {took:.0f} s; complete {fleet.nothing_missing():.0f} s after")


def test_there_is_no_fault_and_nothing_to_change(fleet: Cluster) -> None:
    assert fleet.planned() == {}
    assert fleet.is_signed_in()
    done = fleet.tool("doctor")
    assert done.returncode == 0, done.stdout[-6000:]
    fleet.nothing_missing()
