"""What three hub nodes need for 10, 50 and 100 hosts' worth of series and lines, and what one or two that are off cost.

The nodes are droplets of a rehearsal: containers of this machine, with a Docker of their own and all on the same cores.
The generator of the growth bench runs in the network of a droplet of the VPC and pushes to their private addresses,
each third of the hosts to its own node first, as hosts of the VPC do. The bucket is a real S3 server over a folder, the
database a real PostgreSQL. Grafana and the cloud's API are stand-ins. The limits of the parts are raised, so that none
ends a run.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial

from configs.metrics_store import THANOS
from tests.bench import page, usage
from tests.bench.growth import LATE, OVER, ROOM, WARM, Run
from tests.bench.load import EVERY, LINES, SERIES, Asker, Load, takes
from tests.integration.cluster import NODES, Cluster
from tests.integration.fleet import told
from tests.integration.rig import docker, eventually
from tools.progress import say, step

TITLE = "A growing hub of three nodes"
LEVELS = (10, 50, 100)  # hosts
AWAY = 60  # seconds for which nodes are off
ROLES = (*THANOS, "loki", "caddy", "grafana", "alertmanager")  # Compact on one node alone
ONE = 'sum(rate(load_container_usage_3_total{host="load-1"}[5m]))'  # a panel of one host
ALL = "count by (host) ({job='load'})"  # every series of all hosts


class Nodes(Cluster):
    """The three nodes, whose parts have room."""

    def begin(self) -> None:
        super().begin()
        roles = {role.replace("-", "_"): ROOM for role in (*THANOS, "loki", "caddy")}
        self.change({"hub": {"limits": roles, "loki": {"max_streams": 5000}}})

    def containers_of(self, node: str) -> list[str]:
        """Names of the node's containers that are measured."""
        there = self.on(node, "docker", "ps", "--format", "{{.Names}}").split()
        return [name for name in (f"fleetwatch-{role}" for role in ROLES) if name in there]

    @property
    def machine_of(self) -> dict[str, str]:
        """The container that is a node's machine."""
        return {node: f"fleetwatch-cloud-{self.name}-droplet-{self.droplet(node)['id']}" for node in NODES}

    def network(self) -> str:
        """The network namespace of the host in the VPC: the nodes take pushes of none but machines there."""
        machine = f"fleetwatch-cloud-{self.name}-droplet-{self.droplet('web')['id']}"
        return f"/proc/{docker('inspect', '-f', '{{.State.Pid}}', machine).strip()}/ns/net"

    def push_address(self, node: str) -> str:
        return f"http://{self.outputs()['hosts'][node]['private']}:8080"


@dataclass
class Level:
    """What was seen with a number of hosts. `lag`: seconds of the slowest push of a third of the hosts."""

    hosts: int
    lag: float
    failed: int
    asked: list[float]  # seconds of each query of one host's panel
    heavy: float  # seconds of the query over all series
    found: dict[str, list[usage.Usage]]

    def of(self, container: str) -> list[usage.Usage]:
        return [one for found in self.found.values() for one in found if one.container == container]

    @property
    def is_last(self) -> bool:
        """Whether the nodes no longer keep up."""
        return self.lag > LATE or bool(self.failed)


@dataclass
class Phase:
    """With a number of nodes off. `refused`: pushes that went on to another node; `failed`: that no node took."""

    what: str
    lag: float
    refused: int
    failed: int
    asked: list[float]
    unanswered: int


def _measure(nodes: Nodes) -> dict[str, list[usage.Usage]]:
    names = {node: nodes.containers_of(node) for node in NODES}
    machines = nodes.machine_of
    of = {machines[node]: names[node] for node in NODES}
    flat = [name for node in NODES for name in names[node]]
    found = iter(usage.measure(flat, OVER, lambda _: usage.inside(of)))
    return {node: [next(found) for _ in names[node]] for node in NODES}


def _level(nodes: Nodes, load: Load) -> Level:
    with step(f"{load.hosts} hosts, {load.hosts * SERIES} series, {load.hosts * LINES} lines a second"):
        time.sleep(WARM)
        with nodes.hub() as hub, Asker(hub, ONE).asking() as asker:
            load.forget()
            asker.forget()
            found = _measure(nodes)
            lag, failed = load.slowest, load.failed
            begun = time.time()
            hub.metrics(ALL)
            return Level(load.hosts, lag, failed, asker.took, time.time() - begun, found)


def _phases(nodes: Nodes, load: Load) -> Iterator[Phase]:
    """All nodes, one off, back, two off, back."""

    def phase(what: str) -> Phase:
        load.forget()
        asker.forget()
        with step(what):
            time.sleep(AWAY)
        return Phase(what, load.slowest, load.refused, load.failed, asker.took, asker.unanswered)

    with nodes.hub() as hub, Asker(hub, ONE).asking() as asker:
        yield phase("all nodes")
        with nodes.off("hub-b"):
            yield phase("one node off")
        _healed(nodes, "hub-b")
        yield phase("all nodes again")
        with nodes.off("hub-b", "hub-c"):
            yield phase("two nodes off")
        _healed(nodes, "hub-b", "hub-c")
        yield phase("all nodes after that")


def _healed(nodes: Nodes, *back: str) -> None:
    begun = time.time()
    for node in back:
        eventually(f"{node} takes pushes", partial(takes, nodes.push_address(node), nodes.network()), 300, 1)
    say(f"  take pushes {time.time() - begun:.0f} s after they were switched on: {', '.join(back)}")


def _lost(nodes: Nodes, load: Load, since: float) -> int:
    """How many pushes that were taken, of all hosts, have no sample at the hub."""
    series = 'load_container_usage_3_total{container="shop-service-0"}'
    found = nodes.metrics(f"count_over_time({series}[{time.time() - since:.0f}s])")
    there = {one["metric"]["host"]: int(one["value"][1]) for one in found}
    return sum(max(0, taken - there.get(f"load-{number}", 0)) for number, taken in enumerate(load.taken))


def _table(levels: Sequence[Level]) -> page.Table:
    """Of each part the node where it uses most."""
    lines = []
    for role in ROLES:
        name = f"fleetwatch-{role}"
        lines.append([role, *(_cell(level.of(name)) for level in levels)])
    sums = [
        [
            usage.Usage("", sum(one.memory for one in found), sum(one.cpu for one in found))
            for found in level.found.values()
        ]
        for level in levels
    ]
    lines.append(["one node in all", *map(_cell, sums)])
    lines.append(["CPU of the three nodes", *(f"{sum(one.cpu for one in found):.0f} %" for found in sums)])
    lines.append(["slowest push of a third of the hosts", *(f"{level.lag:.1f} s" for level in levels)])
    lines.append(["pushes that failed", *(str(level.failed) for level in levels)])
    lines.append(["a query of one host, median and slowest", *(_times(level.asked) for level in levels)])
    lines.append(["a query over every series", *(f"{level.heavy:.1f} s" for level in levels)])
    columns = ["container", *(f"{one.hosts} hosts" for one in levels)]
    return page.Table("Memory (highest reading) and CPU of one core, on the node with the most", columns, lines)


def _cell(found: Sequence[usage.Usage]) -> str:
    return f"{max(one.memory for one in found) / 1024**2:.0f} MB, {max(one.cpu for one in found):.0f} %"


def _times(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds):.2f} and {max(seconds):.2f} s" if seconds else "no answer"


def _off(phases: Sequence[Phase], hosts: int) -> page.Table:
    lines = [
        ["slowest push of a third of the hosts", *(f"{one.lag:.1f} s" for one in phases)],
        ["pushes that went on to another node", *(str(one.refused) for one in phases)],
        ["pushes that no node took", *(str(one.failed) for one in phases)],
        ["a query of one host, median and slowest", *(_times(one.asked) for one in phases)],
        ["queries without an answer", *(str(one.unanswered) for one in phases)],
    ]
    return page.Table("With nodes off", [f"{hosts} hosts, {AWAY} s each", *(one.what for one in phases)], lines)


def measured(watch: page.Watch) -> Run:
    """All levels, then nodes off and on; about twenty minutes."""
    run, levels = Run(), []
    with step("three nodes in a rehearsal"), told(Nodes) as nodes:
        assert isinstance(nodes, Nodes)
        watch.own = nodes.name
        nodes.up()
        addresses = [nodes.push_address(node) for node in NODES]
        assert takes(addresses[0], nodes.network()), f"{addresses[0]} takes no sample of a host of the VPC"
        for hosts in LEVELS:
            begun, load = time.time(), Load(addresses, hosts, nodes.network())
            load.start()
            try:
                levels.append(_level(nodes, load))
                watch.look()
                if levels[-1].is_last or hosts == LEVELS[-1]:
                    phases = list(_phases(nodes, load))
            finally:
                load.stop()
            if levels[-1].is_last:
                break
        lost = _lost(nodes, load, begun)
        nodes.sink.shutdown()
    last = levels[-1]
    how = f"{SERIES} series each {EVERY} s and {LINES} lines a second of each; values that stand still"
    kept = "" if not last.is_last else ": no longer keeps up on this machine's cores"
    run.figures = [
        page.Figure("`cluster`, hosts", f"{last.hosts}{kept}", how),
        page.Figure("samples that were taken and are missing", str(lost), "one series of each host, nodes off and on"),
    ]
    run.tables = [_table(levels), _off(phases, last.hosts)]
    run.raw = {"levels": [asdict(one) for one in levels], "phases": [asdict(one) for one in phases]}
    return run
