"""A hub of three nodes on servers of one's own: one that is lost is replaced by another machine, then the first node.

Servers of the rehearsal with a private network, a real S3 server and a real PostgreSQL; Grafana is a stand-in.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from functools import partial

import pytest

from localcloud.machines import networks
from localcloud.machines.databases import PORT, Databases
from localcloud.machines.model import DatabaseSpec
from localcloud.machines.spaces import REGION, Spaces
from localcloud.spaces import S3
from tests.integration.fleet import Fleet, told
from tests.integration.rig import docker, eventually
from tools import images, setup
from tools.rehearsal import SERVER_USER
from tools.rehearsal_images import DATABASE

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("another-node")]

NET, PRIVATE, VPC, BUCKET = "198.18.92", "10.92.0", "servers", "nodes"
NODES = {"hub": 140, "hub-b": 141, "hub-c": 142}  # the last number of both addresses
SPARE = {"hub": 160, "hub-c": 162}  # of the machines that take a place
EVERY = 5  # seconds between two scrapes
INDEX = 400  # seconds until each Loki has read the bucket's index, which it does every five minutes


def _server(number: int) -> dict[str, str]:
    return {"address": f"{NET}.{number}", "private_address": f"{PRIVATE}.{number}", "user": SERVER_USER}


class Nodes(Fleet):
    """Three servers, two spare ones later."""

    internet = f"{NET}.0/24"
    more_images = ("s3", "thanos", DATABASE)
    began = 0.0

    def begin(self) -> None:
        self.endpoint = f"http://{NET}.1"
        b, c = (_server(NODES[host]) for host in ("hub-b", "hub-c"))
        storage = {
            "kind": "cluster",
            "nodes": {"a": {}, "b": {"server": b}, "c": {"server": c}},
            "bucket": {"s3": {"endpoint": self.endpoint, "bucket": BUCKET}},
            "database": {"postgres": {"grafana": {}}},
        }
        self.config = {
            "env": "test",
            "hub": {"server": _server(NODES["hub"]), "storage": storage, "retention": {"logs": "14d"}},
            "hosts": {host: {"scrape": {"node": f"{EVERY}s"}} for host in NODES},
        }
        self.tokens: dict[str, str] = {}
        super().begin()

    def prepare(self) -> None:
        """The servers, the bucket and the database, and their secrets in the stack file."""
        super().prepare()
        networks.create(self.name, networks.vpc_name(self.name, VPC), f"{PRIVATE}.0/24")
        for host, number in NODES.items():
            self.make_node(host, number)
        refs = {image.key: image.ref for image in setup.set_up([*images.PARTS, *self.more_images]).images}
        access, secret = f"key{secrets.token_hex(6)}", secrets.token_hex(16)
        Spaces(self.name, self.internet, refs["s3"]).allow(access, secret, ())
        S3(self.endpoint, REGION, access, secret).call("PUT", f"/{BUCKET}")
        given = {"bucket.s3.access_key": access, "bucket.s3.secret_key": secret}
        for key, value in {**given, "database.postgres.grafana.dsn": self._dsn(refs[DATABASE])}.items():
            done = self.tool("secret", f"hub.storage.{key}", stdin=value)
            assert done.returncode == 0, done.stdout

    def _dsn(self, image: str) -> str:
        """Of a database for Grafana, on a server that is made for it."""
        spec = DatabaseSpec("grafana", VPC, f"{PRIVATE}.20", "grafana", secrets.token_hex(16))
        Databases(self.name, image).create(spec)
        return f"postgresql://{spec.user}:{spec.password}@{spec.address}:{PORT}/defaultdb"

    def make_node(self, name: str, number: int) -> None:
        """A server with both addresses."""
        self.make_server(name, f"{NET}.{number}")
        network = networks.vpc_name(self.name, VPC)
        docker("network", "connect", "--ip", f"{PRIVATE}.{number}", network, self.server(name))

    def watch(self) -> None:
        """Begin to write numbered lines on the two nodes that are not lost first."""
        self.began = time.time()
        self.tokens = {host: self.talker(host) for host in ("hub", "hub-b")}

    def require_whole(self, *hosts: str) -> None:
        """Each sample and each line of these hosts is there, once."""
        now = time.time()
        eventually("samples of now", lambda: all(self.newest("node").get(host, 0) > now for host in hosts), 180)
        for host in hosts:
            gaps = self.gaps(f'up{{job="node",host="{host}"}}', self.began, 2 * EVERY + 1)
            assert not gaps, f"{host}: gaps of {gaps} s"
            eventually(f"each line of {host} once", partial(self._has_lines, host), INDEX)

    def _has_lines(self, host: str) -> bool:
        wrong = self.not_once(host, self.tokens[host], self.began - 60)
        assert not wrong, f"lines not once: {wrong}"
        return True


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with told(Nodes) as made:
        assert isinstance(made, Nodes)
        made.up()
        made.watch()
        yield made


def _replaced(nodes: Nodes, host: str, *others: str) -> None:
    """The machine of a node is gone; another one takes its place, and the other nodes are as they were."""
    before = {other: nodes.containers(other) for other in others}
    docker("rm", "-f", "-v", nodes.server(host))
    nodes.make_node(f"{host}-new", SPARE[host])
    at = {"server": _server(SPARE[host])}
    nodes.change({"hub": at} if host == "hub" else {"hub": {"storage": {"nodes": {host[-1]: at}}}})
    done = nodes.tool("rebuild", host)
    assert done.returncode == 0, done.stdout[-8000:]
    assert {other: nodes.containers(other) for other in others} == before, "a container of another node was touched"


def test_another_machine_takes_the_place_of_a_node(nodes: Nodes) -> None:
    _replaced(nodes, "hub-c", "hub", "hub-b")
    nodes.require_whole("hub", "hub-b")
    assert nodes.planned() == {}


def test_another_machine_takes_the_place_of_the_first_node(nodes: Nodes) -> None:
    """At once: `make rebuild` has written the lines that only one of the other nodes had in memory into the bucket."""
    _replaced(nodes, "hub", "hub-b", "hub-c")
    nodes.require_whole("hub-b")
    assert nodes.planned() == {}
    assert nodes.tool("drift").returncode == 0
