"""A server that is lost: another one takes its place, first of an edge, then of the hub."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.integration.fleet import Fleet, told
from tests.integration.rig import docker, eventually
from tools.rehearsal import SERVER_USER

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("another-server")]

NET = "198.18.89"
HUB, HUB_2, EDGE, EDGE_2 = (f"{NET}.{number}" for number in (140, 141, 150, 151))


class Servers(Fleet):
    """Two machines on an internet of their own, and two more later."""

    internet = f"{NET}.0/24"

    def begin(self) -> None:
        self.config = {
            "env": "test",
            "hub": {"server": {"address": HUB, "user": SERVER_USER}},
            "hosts": {"vps-1": {"server": {"address": EDGE, "user": SERVER_USER}, "scrape": {"node": "5s"}}},
        }
        super().begin()

    def prepare(self) -> None:
        super().prepare()
        self.make_server("hub", HUB)

    def lose(self, name: str) -> None:
        docker("rm", "-f", self.server(name))


@pytest.fixture(scope="module")
def fleet() -> Iterator[Servers]:
    with told(Servers) as made:
        assert isinstance(made, Servers)
        made.up()
        yield made


def test_one_that_still_answers_is_refused(fleet: Servers) -> None:
    done = fleet.tool("rebuild", "vps-1")
    assert done.returncode == 1
    assert f"expected the address of another machine in the stack file, {EDGE} is the one that it has" in done.stdout
    with fleet.meanwhile({"hosts": {"vps-1": {"server": {"address": EDGE_2}}}}):
        done = fleet.tool("rebuild", "vps-1")
    assert done.returncode == 1
    assert f"host vps-1: its old machine ({EDGE}) still answers" in done.stdout


def test_an_edge_goes_on_with_another_server(fleet: Servers) -> None:
    hub = fleet.containers("hub")
    fleet.lose("vps-1")
    fleet.make_server("vps-1-new", EDGE_2)
    fleet.change({"hosts": {"vps-1": {"server": {"address": EDGE_2}}}})
    done = fleet.tool("rebuild", "vps-1")
    assert done.returncode == 0, done.stdout[-6000:]
    assert fleet.newest()["vps-1"] > time.time() - 60
    assert fleet.containers("hub") == hub, "the hub was touched"
    assert fleet.planned() == {}


def test_a_hub_goes_on_with_another_server_and_its_edge_queued(fleet: Servers) -> None:
    since = time.time()
    fleet.lose("hub")
    fleet.make_server("hub-new", HUB_2)
    fleet.change({"hub": {"server": {"address": HUB_2}}})
    done = fleet.tool("rebuild", "hub")
    assert done.returncode == 0, done.stdout[-6000:]
    series = 'up{job="node",host="vps-1"}'
    found = eventually("what the edge queued", lambda: [one for one in fleet.stamps(series, "15m") if one > since], 120)
    gaps = [b - a for a, b in zip(found, found[1:], strict=False) if b - a > 11]
    assert not gaps, f"gaps of {gaps} s"
    assert found[0] - since < 11, "the first sample after the loss is not there"
    assert fleet.planned() == {}
    assert fleet.tool("drift").returncode == 0
