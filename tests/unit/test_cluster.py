"""A hub of three nodes: what its settings accept, and what differs from node to node in what is rendered."""

from __future__ import annotations

import copy
import json
from datetime import datetime, timezone
from typing import Any

import pytest
import yaml

from configs import cost, names, services, sizing
from configs.services.backup import parts
from configs.services.container import container, published
from configs.services.spec import Late, ServiceSpec
from configs.settings import Settings, SettingsError, load
from configs.validation import validate
from tests.fixtures import rendering
from tests.fixtures.deployed_state import updated
from tests.fixtures.fleets import CLUSTER, HUB, SERVER_HUB, SOURCE, cluster, fleet
from tests.fixtures.full import in_bucket, small
from tools import storage_change
from tools.errors import ToolError

SETTINGS = cluster()
NODES = {"hub": "a", "hub-b": "b", "hub-c": "c"}
SERVER_B = {"address": "203.0.113.6", "private_address": "10.20.0.6"}


def _problems(hub: dict[str, Any], hosts: dict[str, Any] | None = None, **storage: Any) -> str:
    given = {key: value for key, value in {**copy.deepcopy(CLUSTER), **storage}.items() if value is not None}
    raw = fleet({**hub, "storage": given}, hosts=hosts or {})
    try:
        settings = load(raw, SOURCE)
    except SettingsError as error:
        return str(error)
    return "\n".join(validate(settings, machine=None, cloud=None, encrypted=None))


def _spec(host: str, role: str) -> ServiceSpec:
    return next(spec for spec in services.hub_specs(rendering.context(SETTINGS, host)) if spec.role == role)


def _loki(host: str) -> dict[str, Any]:
    text = _spec(host, "loki").files["loki.yml"].render(Late(private="10.77.0.9"))
    made: dict[str, Any] = yaml.safe_load(text)
    return made


def _flags(host: str, role: str, flag: str) -> list[str]:
    return [word.partition("=")[2] for word in _spec(host, role).command if word.startswith(f"--{flag}=")]


def test_each_node_is_a_host_with_its_own_droplet() -> None:
    assert SETTINGS.hub.nodes == NODES
    assert sorted(SETTINGS.hosts) == sorted(NODES)
    found = {name: host.droplet for name, host in SETTINGS.hosts.items()}
    sizes = {name: (droplet.size, getattr(droplet, "volume", 0)) for name, droplet in found.items() if droplet}
    assert sizes == {"hub": ("s-2vcpu-4gb", 100), "hub-b": ("s-4vcpu-8gb", 100), "hub-c": ("s-2vcpu-4gb", 200)}
    assert {host.via for host in SETTINGS.hosts.values()} == {"vpc"}


def test_the_first_node_may_have_its_size_among_the_nodes() -> None:
    nodes = {"a": {"size": "s-8vcpu-16gb"}, "b": {}, "c": {}}
    hub = cluster({"storage": {**CLUSTER, "nodes": nodes}}).hub
    assert hub.droplet is not None
    assert (hub.droplet.size, hub.hosts) == ("s-8vcpu-16gb", ("hub", "hub-b", "hub-c"))


@pytest.mark.parametrize(
    ("hub", "storage", "said"),
    [
        (HUB, {"nodes": {"a": {}, "b": {}}}, "hub.storage.nodes: expected exactly three beside `kind: cluster`, got 2"),
        (HUB, {"nodes": {}}, "hub.storage.nodes: expected exactly three"),
        (HUB, {"kind": "bucket"}, "hub.storage.kind: expected `cluster` beside `nodes`, got `bucket`"),
        (HUB, {"bucket": None}, "expected `bucket` beside `kind: cluster`"),
        (HUB, {"logs_since": "2026-12-01"}, "expected no `logs_since` beside `kind: cluster`"),
        ({"local": {}}, {}, "three nodes are no single machine"),
        (SERVER_HUB, {}, "server.private_address: missing"),
        ({"server": {**SERVER_HUB["server"], "private_address": "10.20.0.5"}}, {}, "storage.nodes.b.server: missing"),
        (HUB, {"nodes": {"a": {}, "b": {"server": SERVER_B}, "c": {}}}, "storage.nodes.b.server: expected a droplet"),
        (HUB, {"nodes": {"a": {"server": SERVER_B}, "b": {}, "c": {}}}, "the first node is `hub.server`"),
        ({**HUB, "ports": {"push": 9095}}, {}, "hub.ports.push: port 9095 is taken"),
    ],
)
def test_mistakes_are_sentences(hub: dict[str, Any], storage: dict[str, Any], said: str) -> None:
    assert said in _problems(hub, **storage)


def test_servers_with_private_addresses_are_nodes_too() -> None:
    hub = {"server": {**SERVER_HUB["server"], "private_address": "10.20.0.5"}}
    database = {"postgres": {"grafana": {"dsn": "postgresql://g:s3cret@db.example.com/grafana"}}}
    other = {"address": "203.0.113.8", "private_address": "10.20.0.8"}
    assert not _problems(hub, database=database, nodes={"a": {}, "b": {"server": SERVER_B}, "c": {"server": other}})


def test_the_entry_of_a_nodes_host_says_what_is_collected_there_and_not_where_it_is() -> None:
    said = _problems(HUB, hosts={"hub-b": {"droplet": {}}})
    assert "hosts.hub-b.droplet: not allowed, the hub is placed under `hub`" in said
    assert not _problems(HUB, hosts={"hub-b": {"logs": {"journal": True}}})


def test_every_node_has_the_hub_but_for_what_one_or_two_have() -> None:
    roles = {name: set(services.roles(SETTINGS, name)) for name in NODES}
    assert roles["hub"] - roles["hub-b"] == {"thanos-compact"}
    assert roles["hub-b"] - roles["hub-c"] == {"thanos-rule"}
    assert {"caddy", "thanos-receive", "thanos-query", "thanos-store", "loki", "grafana", "alertmanager"} <= roles[
        "hub-c"
    ]


def test_the_ring_is_the_same_everywhere_and_each_node_knows_itself_in_it() -> None:
    rings = {_spec(host, "thanos-receive").files["hashrings.json"].render(Late()) for host in NODES}
    (ring,) = json.loads(rings.pop())
    assert not rings, "nodes that disagree would pass samples on and on"
    assert ring["algorithm"] == "ketama"
    for place, (host, node) in enumerate(NODES.items()):
        assert _flags(host, "thanos-receive", "receive.local-endpoint") == [ring["endpoints"][place]]
        assert _flags(host, "thanos-receive", "receive.replication-factor") == ["3"]
        assert _flags(host, "thanos-receive", "label") == [f'replica="{node}"']


def test_queries_go_to_the_samples_of_all_nodes_and_the_rules_of_two() -> None:
    assert _flags("hub-c", "thanos-query", "endpoint") == [
        "fleetwatch-thanos-receive:10901",
        "fleetwatch-thanos-store:10901",
        "node-a.fleetwatch.internal:10901",
        "node-b.fleetwatch.internal:10901",
        "node-a.fleetwatch.internal:10911",
        "node-b.fleetwatch.internal:10911",
    ]
    assert _flags("hub", "thanos-query", "query.replica-label") == ["replica", "tenant_id", "rule_replica"]
    assert _flags("hub", "thanos-query", "deduplication.func") == ["chain"]


def test_alerts_of_both_rules_are_the_same_and_go_to_every_alertmanager() -> None:
    for host in ("hub", "hub-b"):
        assert _flags(host, "thanos-rule", "label") == [f'rule_replica="{NODES[host]}"']
        assert _flags(host, "thanos-rule", "alert.label-drop") == ["rule_replica"]
        others = [f"http://{names.node(node)}:9093" for name, node in NODES.items() if name != host]
        assert _flags(host, "thanos-rule", "alertmanagers.url") == ["http://fleetwatch-alertmanager:9093", *others]
        assert _loki(host)["ruler"]["alertmanager_url"].split(",")[1:] == others


def test_alertmanagers_gossip_at_the_private_address_of_their_host() -> None:
    spec = _spec("hub-b", "alertmanager")
    assert "--cluster.advertise-address={private_address}:9094" in spec.command
    assert _flags("hub-b", "alertmanager", "cluster.peer") == [f"node-{node}.fleetwatch.internal:9094" for node in "ac"]
    assert {(port.host, port.protocol) for port in spec.ports} == {(9093, "tcp"), (9094, "tcp"), (9094, "udp")}


def test_loki_is_known_by_its_node_and_by_the_address_of_its_host() -> None:
    for host, node in NODES.items():
        common = _loki(host)["common"]
        assert (common["ring"]["instance_id"], common["instance_addr"]) == (node, "10.77.0.9")
        assert common["replication_factor"] == 3
    modes = [_loki(host)["compactor"]["horizontal_scaling_mode"] for host in NODES]
    assert modes == ["main", "worker", "worker"], "two compactors would damage the index"
    assert {_loki(host)["common"]["compactor_grpc_address"] for host in NODES} == {"node-a.fleetwatch.internal:9095"}


def test_ports_for_nodes_are_on_the_private_address_alone() -> None:
    spec = _spec("hub", "loki")
    made = container(spec, stack="fw", host="hub", base="/b", image="loki")
    assert [(port.host, address) for port, address in published(made, private=True)] == [(7946, ""), (9095, "")]
    assert published(made, private=False) == [], "without a private address they are published nowhere"
    ports = {(port.host, port.protocol) for port in services.node_ports(SETTINGS)}
    tcp = {7946, 9093, 9094, 9095, 10901, 10911}
    assert ports == {*((port, "tcp") for port in tcp), (9094, "udp")}
    assert not services.node_ports(in_bucket())


def test_names_of_nodes_come_from_a_file_that_outlives_an_address() -> None:
    for role in ("thanos-receive", "thanos-query", "thanos-rule", "loki", "alertmanager"):
        assert _spec("hub", role).binds == {"/var/lib/fleetwatch/fleetwatch/nodes/hosts": "/etc/hosts"}
    assert _spec("hub", "thanos-store").binds == {}


def test_the_edge_of_each_node_pushes_to_its_own_caddy() -> None:
    for host in NODES:
        assert rendering.agent_config(SETTINGS, host)
        spec = next(spec for spec in services.edge_specs(rendering.context(SETTINGS, host)) if spec.role == "agent")
        assert {network.name for network in spec.networks} == {"edge", "hub"}
        assert "/etc/hosts" not in spec.binds.values()


def test_the_bill_and_the_warnings_count_every_node() -> None:
    items = {item.what: item.usd for item in cost.monthly(SETTINGS).items}
    assert {"hub volume 100 GB", "hub-b volume 100 GB", "hub-c volume 200 GB", "hub-b s-4vcpu-8gb"} <= set(items)
    small = cluster(hosts={f"web-{number}": {"droplet": {}} for number in range(90)})
    paths = [warning.partition(":")[0] for warning in sizing.warnings(small)]
    assert {"hub.droplet.size", "hub.storage.nodes.c.size"} <= set(paths)


def test_the_first_node_alone_backs_up_what_is_in_no_bucket() -> None:
    backup = {"to": {"path": "/mnt/backup"}, "password": "unread"}  # pragma: allowlist secret
    settings = cluster({"backup": backup})
    assert [name for name in NODES if "backup" in services.roles(settings, name)] == ["hub"]
    assert parts(settings) == ("alertmanager", "caddy", "state"), "Grafana's data is in the shared database"


def test_each_alertmanager_knows_which_node_it_is_on() -> None:
    for host in NODES:
        made = yaml.safe_load(_spec(host, "alertmanager").files["alertmanager.yml"].render(Late()))
        assert made["inhibit_rules"][0] == {
            "source_matchers": ['alertname="NodeAlone"', f'host="{host}"'],
            "target_matchers": ['alertname!~"NodeAlone|Watchdog"'],
            "equal": [],
        }


NOW = datetime(2026, 11, 29, 12, tzinfo=timezone.utc)


def _refused(outputs: dict[str, Any], settings: Settings, moves: bool = False) -> str:
    try:
        storage_change.check(updated({"query": "x", **outputs}), settings, NOW, moves)
    except ToolError as problem:
        return str(problem)
    return ""


def test_a_hub_with_data_becomes_three_nodes_and_back_by_grow_alone() -> None:
    assert "run `make grow TO=cluster`" in _refused({"storage": "bucket"}, SETTINGS)
    assert "run `make grow TO=bucket`, which writes what two of" in _refused({"storage": "cluster"}, in_bucket())
    assert not _refused({"storage": "bucket"}, SETTINGS, moves=True)
    assert not _refused({"storage": "cluster"}, in_bucket(), moves=True)
    assert not _refused({"storage": "cluster"}, SETTINGS)
    storage_change.check({}, SETTINGS, NOW)


@pytest.mark.parametrize(
    ("was", "refused"),
    [("abc", False), ("abd", False), ("axc", False), ("xbc", False), ("axy", True), ("xyc", True), ("cab", True)],
)
def test_one_node_at_a_time_has_another_name(was: str, refused: bool) -> None:
    hosts = dict(zip(["hub", *(f"hub-{name}" for name in was[1:])], was, strict=True))
    said = _refused({"storage": "cluster", "nodes": hosts}, SETTINGS)
    assert ("expected at most one node with another name" in said) is refused, said


def test_between_a_disk_and_three_nodes_is_the_bucket() -> None:
    for moves in (False, True):
        assert "expected `bucket` between single and cluster" in _refused({"storage": "single"}, SETTINGS, moves)
        assert "expected `bucket` between cluster and single" in _refused(
            {"storage": "cluster"}, load(small(), SOURCE), moves
        )
