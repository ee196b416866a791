"""A fleet in a rehearsal whose hub in a bucket becomes three nodes by `make grow`, and one again: every scrape and
every line of a host is there afterwards, once."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.integration.fleet import Fleet, told
from tests.integration.rig import eventually
from tests.integration.runs import kill_grow

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("fleet-nodes-move")]

SAMPLES = 'up{job="node",host="web"}'
EVERY = 5  # seconds between two scrapes
PATIENCE = 1700  # seconds for one move


class Growing(Fleet):
    """A hub in its bucket and one droplet. Its networks are none of another fleet's."""

    internet = "198.18.83.0/24"
    more_images = ("s3", "thanos")
    began = 0.0
    counted = ""  # in the lines of a container that counts

    def begin(self) -> None:
        fast = {"scrape": {"agents": f"{EVERY}s", "node": f"{EVERY}s", "hub": f"{EVERY}s"}}
        self.config["hosts"] = {"web": {"droplet": {"size": "s-1vcpu-1gb"}, **fast}}
        self.config["access"]["admin_cidrs"] = ["198.18.83.1/32"]
        self.config["cloud"] = {"range": "10.83.0.0/20"}
        hub = self.config["hub"]
        hub.pop("uptime")
        hub["retention"] = {"logs": "14d"}
        hub["storage"] = {"kind": "bucket", "bucket": {"spaces": "fra1"}}
        super().begin()

    def nodes(self) -> set[str]:
        """Names of the hub's droplets at the cloud."""
        names = {one["name"].removeprefix("fleetwatch-test-") for one in self.api("droplets")}
        return {name for name in names if name.startswith("hub")}


@pytest.fixture(scope="module")
def fleet() -> Iterator[Growing]:
    with told(Growing) as made:
        assert isinstance(made, Growing)
        made.up()
        made.began = time.time()
        made.counted = made.talker("web")
        yield made


def _nothing_is_missing(fleet: Growing) -> None:
    """Neither a sample nor a line of what is there so far, and nothing is there twice."""
    now = time.time()
    eventually("samples of now", lambda: fleet.stamps(SAMPLES, "1m")[-1] > now, patience=300)
    eventually("no gap", lambda: not fleet.gaps(SAMPLES, fleet.began, 2 * EVERY), patience=120, pause=3)
    assert fleet.not_once("web", fleet.counted, fleet.began) == []


def test_hub_becomes_three_nodes(fleet: Growing) -> None:
    """By a move that is killed, and one that goes on with it."""
    eventually("samples", lambda: len(fleet.stamps(SAMPLES, "10m")) > 5)
    fleet.change({"hub": {"storage": {"kind": "cluster", "nodes": {"a": {}, "b": {}, "c": {}}}}})
    assert "run `make grow TO=cluster`" in fleet.up_fails()
    # The three nodes are there, and the first one's Loki is writing.
    kill_grow(fleet, "cluster", "Writing the log lines of the first node's disk", PATIENCE)
    done = fleet.tool("grow", "--to", "cluster", "--yes", patience=PATIENCE)
    assert done.returncode == 0, done.stdout[-8000:]
    assert "Each of the three nodes answers with what the hub had: " in done.stdout
    assert fleet.nodes() == {"hub", "hub-b", "hub-c"}
    _nothing_is_missing(fleet)


def test_three_nodes_become_one_hub(fleet: Growing) -> None:
    fleet.change({"hub": {"storage": {"kind": "bucket", "nodes": None}}})
    assert "run `make grow TO=bucket`" in fleet.up_fails()
    assert fleet.nodes() == {"hub", "hub-b", "hub-c"}, "a plain update removes no node"
    done = fleet.tool("grow", "--to", "bucket", "--yes", patience=PATIENCE)
    assert done.returncode == 0, done.stdout[-8000:]
    assert "The hub answers with what the three nodes had: " in done.stdout
    assert fleet.nodes() == {"hub"}
    assert len(fleet.api("volumes")) == 1
    _nothing_is_missing(fleet)


def test_the_hub_has_no_fault(fleet: Growing) -> None:
    done = fleet.tool("doctor")
    assert done.returncode == 0, done.stdout[-4000:]
    assert fleet.planned() == {}
