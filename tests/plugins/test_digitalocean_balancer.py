"""The digitalocean stand-in's load balancers against the rehearsal cloud's API."""

from __future__ import annotations

from typing import Any

from localcloud.standins.plugins.provider import plain_map
from tests.plugins.account import DROPLET, Account, settled

INPUTS: dict[str, Any] = {
    "name": "hub",
    "region": "fra1",
    "sizeUnit": 2,
    "dropletTag": "hub",
    "enableProxyProtocol": True,
    "forwardingRules": [
        {"entryProtocol": "tcp", "entryPort": port, "targetProtocol": "tcp", "targetPort": port} for port in (443, 80)
    ],
    "healthcheck": {
        "protocol": "http",
        "port": 80,
        "path": "/ready",
        "checkIntervalSeconds": 5,
        "responseTimeoutSeconds": 3,
        "unhealthyThreshold": 2,
        "healthyThreshold": 2,
    },
}


def test_it_is_made_changed_and_taken_away(account: Account) -> None:
    account.client.post("/v2/tags", {"name": "hub"})
    made, state = account.calls.create("LoadBalancer", INPUTS)
    found = plain_map(state)
    assert found["status"] == "active"
    assert found["ip"].startswith("203.0.113.")
    assert found["loadBalancerUrn"] == f"do:loadbalancer:{made}"
    settled(account, "LoadBalancer", made, state, INPUTS)
    turned = {**INPUTS, "forwardingRules": INPUTS["forwardingRules"][::-1]}
    assert not account.calls.diff("LoadBalancer", state, turned).changes
    wanted = {**INPUTS, "sizeUnit": 3}
    assert account.calls.diff("LoadBalancer", state, wanted).replaces == []
    account.asks()
    state = account.calls.update("LoadBalancer", made, state, wanted)
    assert account.asks() == [f"PUT /v2/load_balancers/{made}"]
    settled(account, "LoadBalancer", made, state, wanted)
    assert account.calls.diff("LoadBalancer", state, {**wanted, "region": "ams3"}).replaces == ["region"]
    account.calls.delete("LoadBalancer", made, state)
    assert not account.calls.read("LoadBalancer", made, state, wanted).resource_id
    account.calls.delete("LoadBalancer", made, state)  # gone already is no error


def test_a_droplet_with_its_tag_is_no_change(account: Account) -> None:
    account.client.post("/v2/tags", {"name": "hub"})
    made, state = account.calls.create("LoadBalancer", INPUTS)
    droplet, _ = account.calls.create("Droplet", {**DROPLET, "tags": ["hub"]})
    read = account.calls.read("LoadBalancer", made, state, INPUTS)
    assert plain_map(read.properties)["dropletIds"] == [int(droplet)]
    assert not account.calls.diff("LoadBalancer", read.properties, INPUTS).changes


def test_its_network_and_project_are_those_that_were_asked_for(account: Account) -> None:
    account.client.post("/v2/tags", {"name": "hub"})
    project = account.client.post("/v2/projects", {"name": "mon", "purpose": "x"})["project"]["id"]
    inputs = {**INPUTS, "vpcUuid": account.client.vpc()["id"], "projectId": project}
    made, state = account.calls.create("LoadBalancer", inputs)
    settled(account, "LoadBalancer", made, state, inputs)
    other = account.calls.diff("LoadBalancer", state, {**inputs, "vpcUuid": "another"})
    assert other.replaces == ["vpcUuid"]


def test_what_is_not_covered_is_refused_before_any_request(account: Account) -> None:
    rule = {**INPUTS["forwardingRules"][0], "entryProtocol": "https"}
    (said,) = account.calls.problems("LoadBalancer", {**INPUTS, "forwardingRules": [rule]})
    assert "entryProtocol: expected one of tcp" in said
    health = {**INPUTS["healthcheck"], "path": None}
    (said,) = account.calls.problems("LoadBalancer", {**INPUTS, "healthcheck": health})
    assert "`path` is required" in said
    assert account.asks() == []


def test_a_firewall_may_name_it(account: Account) -> None:
    account.client.post("/v2/tags", {"name": "hub"})
    made, _ = account.calls.create("LoadBalancer", INPUTS)
    web = {"protocol": "tcp", "portRange": "443", "sourceLoadBalancerUids": [made]}
    inputs = {"name": "fw", "tags": ["hub"], "inboundRules": [web]}
    firewall, state = account.calls.create("Firewall", inputs)
    settled(account, "Firewall", firewall, state, inputs)
