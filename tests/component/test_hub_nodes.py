"""Three hub nodes: what is made for each, in which order, and what one of them costs the others."""

from __future__ import annotations

import copy
from typing import Any

import pulumi
import pytest

from components.nodes import one_at_a_time
from tests.component.made_up import MADE_UP
from tests.component.program import Made, Run, run
from tests.fixtures.fleets import CLUSTER, HUB, cluster, fleet

NODES = ("hub", "hub-b", "hub-c")
LARGER = {"a": {}, "b": {"size": "s-8vcpu-16gb"}, "c": {}}


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


def _needs(made: Run, kind: str, name: str, urn: str) -> bool:
    return any(one.endswith(f"::{urn}") for one in made.of(kind)[name].request.dependencies)


COMMAND, SERVICE = "command:local:Command", "fleetwatch:index:Service"


def _order(made: Run) -> list[str]:
    """The hosts of the nodes in the order in which their rings are looked at before a change."""
    return [one.name.removesuffix("-ring-before") for one in made.made if one.name.endswith("-ring-before")]


def test_nodes_are_changed_one_after_the_other(made: Run) -> None:
    assert _order(made) == list(NODES)
    for before, name in zip(NODES, NODES[1:], strict=False):
        assert _needs(made, COMMAND, f"{name}-ring-before", f"{before}-ring-after"), name
    for name in NODES:
        assert _needs(made, COMMAND, f"{name}-ring-after", f"{name}-caddy-answers"), name
        assert _needs(made, "docker:index/network:Network", f"{name}-hub", f"{name}-ring-before"), name
        # A component is registered once what it depends on is made, and its children after it.
        services = [one for one in made.of(SERVICE) if one.startswith(f"{name}-") or name == "hub"]
        ours = [one for one in services if name != "hub" or not one.startswith(("hub-b-", "hub-c-"))]
        assert len(ours) >= 7, ours
        assert all(_needs(made, SERVICE, one, f"{name}-ring-before") for one in ours), name


def test_the_tools_name_the_node_that_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEETWATCH_FIRST_NODE", "hub-c")
    sections = _sections()
    sections["hosts"]["web-2"] = {"droplet": {}}  # another run than that of the other tests
    made = run(sections, monkeypatch)
    assert _order(made) == ["hub-c", "hub", "hub-b"]
    assert not _needs(made, COMMAND, "hub-c-ring-before", "hub-b-ring-after")
    assert _needs(made, COMMAND, "hub-ring-before", "hub-c-ring-after")


def test_the_rings_are_looked_at_when_something_on_the_node_changes_and_only_then(
    made: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looked(run: Run) -> dict[str, Any]:
        return {name: run.commands[f"{name}-ring-before"].plain()["stdin"] for name in NODES}

    assert looked(run(_sections(nodes=LARGER), monkeypatch)) == looked(made)
    image, file = _sections(), _sections()
    image["images"] = {"loki": f"registry.example/loki@sha256:{'a' * 64}"}
    file["hub"]["retention"] = {"logs": "30d"}
    for sections in (image, file):
        assert not set(looked(run(sections, monkeypatch)).values()) & set(looked(made).values())


def test_a_gate_runs_on_the_first_node_that_answers(made: Run) -> None:
    gate = made.commands["hub-gate-web-1"].plain()["environment"]
    assert "NUMBERS='1 2 3'" in gate["ANY_NODE"]
    for number, name in enumerate(NODES, 1):
        address = _one(made, "droplet:Droplet", f"{name}-droplet")
        assert f"HOST={name}" in gate[f"ON_{number}"], address
    assert "NEEDED=fleetwatch-thanos-query" in gate["SCRIPT"]


def test_a_larger_node_is_no_matter_of_the_others(made: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    larger = run(_sections(nodes=LARGER), monkeypatch)
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


def test_one_droplet_is_resized_in_one_update(made: Run) -> None:
    settings = cluster()
    last = {"hub": "s-2vcpu-4gb", "hub-b": "s-2vcpu-4gb", "hub-c": "s-2vcpu-4gb"}
    assert one_at_a_time(settings, last, {}) == last, "a first update has no last one"
    assert one_at_a_time(settings, {**last, "hub-b": "s-4vcpu-8gb"}, last)["hub-b"] == "s-4vcpu-8gb"
    with pytest.raises(pulumi.RunError, match="expected one node with another size in one update") as refused:
        one_at_a_time(settings, {**last, "hub": "s-1vcpu-2gb", "hub-c": "s-4vcpu-8gb"}, last)
    assert "hub from s-2vcpu-4gb to s-1vcpu-2gb, hub-c from s-2vcpu-4gb to s-4vcpu-8gb" in str(refused.value)
    assert "`nodes.c.size: s-2vcpu-4gb`" in str(refused.value)
    assert made.exports["node_sizes"][0] == last


def test_a_node_made_again_changes_the_hosts_files_of_the_others_and_no_container_of_theirs(
    made: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = "digitalocean:index/droplet:Droplet"
    elsewhere, first = {"ipv4Address": "198.51.100.77", "ipv4AddressPrivate": "10.77.0.77"}, MADE_UP[kind]

    def another(name: str) -> dict[str, str]:
        found: dict[str, str] = first(name)
        return {**found, **elsewhere} if name == "hub-b-droplet" else found

    sections = _sections()
    sections["hosts"]["web-1"] = {"droplet": {"size": "s-1vcpu-1gb"}}  # the same, and yet not the run of before
    with monkeypatch.context() as patched:
        patched.setitem(MADE_UP, kind, another)
        again = run(sections, patched)
    before, after = ({one.name: one.inputs for one in which.made if one.request.custom} for which in (made, again))
    changed = {name for name, inputs in after.items() if inputs != before[name] and not name.startswith("hub-b-")}
    gates = {f"hub-gate-{host}" for host in (*NODES, "web-1")}
    looks = {f"{host}-ring-{step}" for host in ("hub", "hub-c") for step in ("before", "after")}
    assert changed == {"hub-nodes", "hub-c-nodes", "web-1-project", *gates, *looks}
    for name in looks:  # run again, they find that nothing on their node changes
        assert again.commands[name].plain()["stdin"] == made.commands[name].plain()["stdin"]
