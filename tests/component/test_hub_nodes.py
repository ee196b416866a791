"""Three hub nodes: what is made for each, in which order, and what one of them costs the others."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.component.program import Made, Run, run
from tests.fixtures.fleets import CLUSTER, HUB, fleet

NODES = ("hub", "hub-b", "hub-c")


def _sections(**changes: Any) -> dict[str, Any]:
    storage = {**copy.deepcopy(CLUSTER), "nodes": {"a": {}, "b": {}, "c": {}}, **changes}
    return fleet({**HUB, "storage": storage}, hosts={"web-1": {"droplet": {}}})


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Run:
    return run(_sections(), monkeypatch)


def _one(made: Run, kind: str, name: str) -> Made:
    return made.of(f"digitalocean:index/{kind}")[name]


def _ports(made: Run, container: str) -> dict[tuple[int, str], str]:
    found = made.containers[container].plain().get("ports", [])
    return {(port["external"], port["protocol"]): port["ip"] for port in found}


def test_every_node_has_a_droplet_a_volume_and_the_hubs_containers(made: Run) -> None:
    for name in NODES:
        droplet = _one(made, "droplet:Droplet", f"{name}-droplet").plain()
        assert droplet["tags"] == _one(made, "droplet:Droplet", "hub-droplet").plain()["tags"]
        assert f"{name}-volume" in made.of("digitalocean:index/volumeAttachment:VolumeAttachment")
        assert {f"{name}-loki", f"{name}-thanos-receive", f"{name}-caddy", f"{name}-grafana"} <= set(made.containers)
    assert set(made.of("digitalocean:index/reservedIp:ReservedIp")) == {"hub-address"}
    assert {name for name in made.containers if name.endswith("-compact")} == {"hub-thanos-compact"}
    assert {name for name in made.containers if name.endswith("-rule")} == {"hub-thanos-rule", "hub-b-thanos-rule"}


def test_no_two_resources_are_one(made: Run) -> None:
    urns = [(one.type, one.name, one.parent) for one in made.made]
    assert len(urns) == len(set(urns))


def test_nodes_reach_each_other_at_private_addresses_and_nobody_else_does(made: Run) -> None:
    private = _one(made, "droplet:Droplet", "hub-b-droplet").name
    assert _ports(made, "hub-b-alertmanager").keys() == {(9093, "tcp"), (9094, "tcp"), (9094, "udp")}
    addresses = {name: set(_ports(made, f"{name}-loki").values()) for name in NODES}
    assert all(len(found) == 1 for found in addresses.values())
    assert "0.0.0.0" not in set().union(*addresses.values()), private
    inbound = _one(made, "firewall:Firewall", "firewall-hub").plain()["inboundRules"]
    tagged = {(rule["portRange"], rule["protocol"]) for rule in inbound if rule.get("sourceTags")}
    tcp = {(str(port), "tcp") for port in (7946, 9093, 9094, 9095, 10901, 10911)}
    assert tagged == {*tcp, ("9094", "udp")}
    others = {rule.get("portRange") for rule in inbound if rule.get("sourceAddresses")}
    assert others == {"8080", "22", None}, "pushes of the private network, SSH and ping"
    balanced = {rule["portRange"] for rule in inbound if rule.get("sourceLoadBalancerUids") == ["balancer-id"]}
    assert balanced == {"443", "80"}, "people and the internet come through the load balancer"


def test_alertmanager_advertises_the_address_of_its_own_host(made: Run) -> None:
    words = {name: made.containers[f"{name}-alertmanager"].plain()["command"] for name in NODES}
    found = {name: [word for word in command if "advertise-address" in word] for name, command in words.items()}
    for name in NODES:
        (address,) = set(_ports(made, f"{name}-alertmanager").values())
        assert found[name] == [f"--cluster.advertise-address={address}:9094"]


def test_the_names_of_all_nodes_are_on_each_before_its_containers(made: Run) -> None:
    texts = {made.commands[f"{name}-nodes"].plain()["stdin"] for name in NODES}
    (text,) = texts
    assert [line.split()[1] for line in text.splitlines()[2:]] == [f"node-{n}.fleetwatch.internal" for n in "abc"]
    needs = made.commands["hub-c-loki-config"].request.dependencies
    assert any(urn.endswith("::hub-c-nodes") for urn in needs)


def test_nodes_are_changed_one_after_the_other(made: Run) -> None:
    hubs = made.of("fleetwatch:index:Hub")
    assert set(hubs) == set(NODES)
    for before, name in zip(NODES, NODES[1:], strict=False):
        # A component is registered once what it depends on is made, and its children after it.
        assert any(urn.endswith(f"::{before}-caddy-answers") for urn in hubs[name].request.dependencies), name


def test_a_larger_node_is_no_matter_of_the_others(made: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    larger = run(_sections(nodes={"a": {}, "b": {"size": "s-8vcpu-16gb"}, "c": {}}), monkeypatch)
    before, after = ({one.name: one.inputs for one in which.made if one.request.custom} for which in (made, larger))
    assert before.keys() == after.keys()
    changed = {name for name, inputs in after.items() if inputs != before[name]}
    assert {"hub-b-droplet", "hub-b-ready"} <= changed
    assert all(name.startswith("hub-b-") for name in changed), changed


def _hub_addresses(made: Run, host: str) -> list[str]:
    lines = made.files(host)["hosts"].splitlines()
    return [line.split()[0] for line in lines if line.endswith(" hub.fleetwatch.internal")]


def test_a_host_of_the_private_network_knows_every_node_and_not_each_begins_with_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = [f"web-{number}" for number in range(1, 7)]
    sections = _sections()
    sections["hosts"] = {name: {"droplet": {}} for name in names}
    made = run(sections, monkeypatch)
    found = {name: _hub_addresses(made, name) for name in names}
    nodes = {line.split()[0] for line in made.commands["hub-nodes"].plain()["stdin"].splitlines()[2:]}
    assert all(set(addresses) == nodes for addresses in found.values())
    assert {addresses[0] for addresses in found.values()} == nodes, "each node is the first of some"
    assert "hosts" not in made.files("hub-b"), "a node pushes to itself"
