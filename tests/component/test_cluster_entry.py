"""How people and hosts on the internet reach a cluster: its load balancer, its names, and the CA of its nodes."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.component.made_up import ROOT, ROOT_KEY
from tests.component.program import Made, Run, run
from tests.fixtures.fleets import CLUSTER, HUB, fleet

SERVERS = {
    name: {"address": f"203.0.113.{number}", "private_address": f"10.20.0.{number}"}
    for name, number in (("a", 5), ("b", 6), ("c", 7))
}
NODES = ("hub", "hub-b", "hub-c")


def _sections(hub: dict[str, Any] | None = None, **sections: Any) -> dict[str, Any]:
    storage = {**copy.deepcopy(CLUSTER), "nodes": {"a": {}, "b": {}, "c": {}}}
    hosts = {"vps-1": {"server": {"address": "203.0.113.70"}, "via": "internet"}, "web-1": {"droplet": {}}}
    return fleet({**HUB, "storage": storage, **(hub or {})}, hosts=hosts, **sections)


def _on_servers(**hub: Any) -> dict[str, Any]:
    nodes = {"a": {}, "b": {"server": SERVERS["b"]}, "c": {"server": SERVERS["c"]}}
    database = {"postgres": {"grafana": {"dsn": "postgresql://grafana:db-s3cret@10.20.0.80/grafana"}}}
    storage = {**copy.deepcopy(CLUSTER), "nodes": nodes, "database": database}
    hosts = {"vps-1": {"server": {"address": "203.0.113.70"}, "via": "internet"}}
    return fleet({"server": SERVERS["a"], "storage": storage, **hub}, hosts=hosts)


def _one(made: Run, kind: str, name: str) -> Made:
    return made.of(f"digitalocean:index/{kind}")[name]


def _caddy(made: Run, host: str, kind: str) -> str:
    found: str = made.commands[f"{host}-caddy-{kind}"].plain()["stdin"]
    return found


def test_a_load_balancer_passes_on_the_public_ports_to_the_nodes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    made = run(_sections(cloud={"project": "monitoring"}, env="prod"), monkeypatch)
    given = _one(made, "loadBalancer:LoadBalancer", "balancer")
    inputs = given.plain()
    assert inputs["dropletTag"] == _one(made, "tag:Tag", "tag-hub").plain()["name"]
    assert inputs["vpcUuid"] == "vpc-id"
    assert (inputs["sizeUnit"], inputs["enableProxyProtocol"], inputs["projectId"]) == (2, True, "project-1")
    rules = inputs["forwardingRules"]
    assert {(r["entryProtocol"], r["entryPort"], r["targetProtocol"], r["targetPort"]) for r in rules} == {
        ("tcp", 443, "tcp", 443),
        ("tcp", 80, "tcp", 80),
    }
    assert inputs["healthcheck"]["path"] == "/fleetwatch/ready"
    assert given.request.protect, "names and hosts point at its address"
    web = _one(made, "droplet:Droplet", "web-1-droplet").plain()
    assert inputs["dropletTag"] not in web["tags"]


def test_one_hub_has_no_load_balancer(monkeypatch: pytest.MonkeyPatch) -> None:
    made = run(fleet(), monkeypatch)
    assert not made.of("digitalocean:index/loadBalancer:LoadBalancer")
    assert "entry" not in made.exports
    assert "authority" not in made.commands
    inbound = _one(made, "firewall:Firewall", "firewall-hub").plain()["inboundRules"]
    assert {r.get("portRange") for r in inbound if "0.0.0.0/0" in r.get("sourceAddresses", ())} == {"443", "80", None}


def test_names_checks_and_hosts_on_the_internet_go_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = {"domain": "monitor.example.com", "dns_zone": "example.com", "uptime": {"email": ["a@example.com"]}}
    made = run(_sections(hub), monkeypatch)
    assert _one(made, "dnsRecord:DnsRecord", "hub-name").plain()["value"] == "203.0.113.44"
    assert _one(made, "uptimeCheck:UptimeCheck", "hub-uptime").plain()["target"] == "https://monitor.example.com"
    assert made.exports["url"][0] == "https://monitor.example.com"
    inbound = _one(made, "firewall:Firewall", "firewall-hub").plain()["inboundRules"]
    own = {rule["portRange"] for rule in inbound if rule.get("sourceTags") and not rule.get("sourceAddresses")}
    assert "80" in own, "a node passes on what a CA asks it"


def test_without_a_domain_its_address_is_the_hubs(monkeypatch: pytest.MonkeyPatch) -> None:
    made = run(_sections({"uptime": {"email": ["a@example.com"]}}), monkeypatch)
    assert made.exports["url"][0] == "https://203.0.113.44"
    assert made.exports["entry"][0] == "203.0.113.44"
    check = _one(made, "uptimeCheck:UptimeCheck", "hub-uptime").plain()
    assert (check["type"], check["target"]) == ("http", "http://203.0.113.44:80/fleetwatch/ready")
    files = made.files("vps-1")
    assert "https://hub.fleetwatch.internal/api/v1/write" in "".join(files.values())
    assert "203.0.113.44 hub.fleetwatch.internal\n" in files["hosts"]
    assert "203.0.113.9" not in "".join(files.values()), "the first node's own address"


def test_every_node_takes_the_balancers_word_about_a_clients_address(monkeypatch: pytest.MonkeyPatch) -> None:
    made = run(_sections(), monkeypatch)
    for host in NODES:
        assert _caddy(made, host, "config").count("allow 10.77.0.0/20\n") == 2


def test_all_nodes_certify_themselves_by_one_ca_that_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = run(_sections(), monkeypatch)
    command = made.commands["authority"]
    assert list(command.request.ignoreChanges) == ["*"]
    assert list(command.request.additionalSecretOutputs) == ["stdout"]
    assert not any("s3cret-key" in text for one in made.made for text in one.in_clear())
    for host in NODES:
        secrets = _caddy(made, host, "secrets")
        assert f"==> authority/root.crt <==\n{ROOT}" in secrets
        assert f"==> authority/root.key <==\n{ROOT_KEY}" in secrets
        assert f"{host}-ca" not in made.commands
    assert made.exports["ca"] == (ROOT, False), "the certificate is public, and `make export` reads it in the state"
    trusted = [text for path, text in made.files("vps-1").items() if path.endswith("hub-ca.crt")]
    assert trusted
    assert all(text == ROOT for text in trusted)


def test_with_a_domain_each_node_has_a_certificate_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    made = run(_sections({"domain": "monitor.example.com"}), monkeypatch)
    assert "authority" not in made.commands
    text = _caddy(made, "hub-b", "config")
    assert "disable_tlsalpn_challenge" in text
    peers = [line.split("//")[1].split(":")[0] for line in text.splitlines() if "reverse_proxy http://node-" in line]
    assert peers == [f"node-{node}.fleetwatch.internal" for node in ("a", "c", "c")]
    mounts = made.containers["hub-b-caddy"].plain()["mounts"]
    assert "/etc/hosts" in {mount["target"] for mount in mounts}, "or it would not find them"


def test_servers_have_a_balancer_of_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    own = {"balancer": {"address": "203.0.113.90", "proxies": ["10.20.0.90/32"]}}
    made = run(_on_servers(**own), monkeypatch)
    assert made.exports["url"][0] == "https://203.0.113.90"
    for host in NODES:
        assert "allow 10.20.0.90/32\n" in _caddy(made, host, "config")
    plain = run({**_on_servers(), "hosts": {}}, monkeypatch)
    assert plain.exports["url"][0] == "https://203.0.113.5"
    assert "proxy_protocol" not in _caddy(plain, "hub", "config"), "nobody's word about a client's address counts"
