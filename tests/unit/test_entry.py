"""What is in front of a cluster: settings of its load balancer, its cost, and what each node's Caddyfile has for it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from configs import certificate_lines, cost
from configs.services import caddy
from configs.services.caddy import caddyfile
from configs.services.caddy.entry import READY, Entry
from configs.services.spec import Late, ServiceSpec
from configs.settings import Settings, SettingsError, load
from configs.validation import validate
from tests.fixtures import rendering
from tests.fixtures.fleets import CLUSTER, HUB, SOURCE, cluster, fleet, on_servers

VPC = ("10.77.0.0/20",)
PUBLIC = {"domain": "monitor.example.com"}


def _spec(settings: Settings, host: str) -> ServiceSpec:
    (spec,) = caddy.specs(rendering.context(settings, host))
    return spec


def _text(settings: Settings, host: str, **late: Any) -> str:
    return _spec(settings, host).files["Caddyfile"].render(Late(**late))


def _problems(hub: dict[str, Any]) -> str:
    try:
        settings = load(fleet(hub), SOURCE)
    except SettingsError as error:
        return str(error)
    return "\n".join(validate(settings, machine=None, cloud=None, encrypted=None))


def _on_droplets(**balancer: Any) -> dict[str, Any]:
    return {**HUB, "storage": copy.deepcopy(CLUSTER), "balancer": balancer}


@pytest.mark.parametrize(
    ("hub", "said"),
    [
        ({**HUB, "balancer": {}}, "hub.balancer: expected `kind: cluster`"),
        (_on_droplets(address="203.0.113.9"), "hub.balancer.address: expected no such key with droplets"),
        (_on_droplets(proxies=["10.0.0.9/32"]), "hub.balancer.proxies: expected no such key with droplets"),
        (_on_droplets(nodes=0), "hub.balancer.nodes"),
        ({**_on_droplets(), **PUBLIC, "ports": {"http": 8000}}, "hub.ports.http: expected 80 with three nodes"),
        (on_servers(balancer={"nodes": 2}), "hub.balancer.nodes: expected no such key with servers"),
        (on_servers(balancer={"proxies": ["0.0.0.0/0"]}), "expected the networks of the load balancer alone"),
        (on_servers(balancer={"proxies": ["10.0.0.9"]}), "expected a network such as"),
    ],
)
def test_what_a_balancer_cannot_be(hub: dict[str, Any], said: str) -> None:
    assert said in _problems(hub)


@pytest.mark.parametrize(
    "hub", [_on_droplets(nodes=1), on_servers(balancer={"address": "203.0.113.9", "proxies": ["10.20.0.9/32"]})]
)
def test_what_a_balancer_can_be(hub: dict[str, Any]) -> None:
    assert not _problems(hub)


def test_its_nodes_are_in_the_cost() -> None:
    items = {item.what: item.usd for item in cost.monthly(cluster()).items}
    assert items["load balancer of 2 nodes"] == 24
    assert cost.monthly(cluster({"balancer": {"nodes": 3}})).total == cost.monthly(cluster()).total + 12
    assert not [item for item in cost.monthly(load(fleet(), SOURCE)).items if "balancer" in item.what]


def test_only_the_networks_of_the_balancer_name_clients() -> None:
    text = _text(cluster(), "hub-b", proxies=VPC)
    assert text.count("proxy_protocol {") == text.count("allow 10.77.0.0/20\n") == 2
    assert [line for line in text.splitlines() if line.startswith("\tservers")] == [
        "\tservers {",
        "\tservers :443 {",
        "\tservers :80 {",
    ], "the push port and the reading side know no such word"
    wrapped = text.split("servers :443 {")[1].split("\n\t}\n")[0]
    assert wrapped.index("proxy_protocol") < wrapped.index("\t\t\ttls\n"), "it comes before the handshake"
    assert "timeouts" in wrapped, "options of a listener replace those of all"
    assert "proxy_protocol" not in _text(cluster(), "hub-b"), "a balancer that passes connections on as they are"


def test_a_node_is_ready_while_its_own_receive_runs() -> None:
    text = _text(cluster(), "hub", proxies=VPC)
    ready = text.split(f"handle {READY} {{")[1].split("\n\t\t}\n")[0]
    assert "reverse_proxy fleetwatch-thanos-receive:10902" in ready
    assert "rewrite * /-/ready" in ready
    assert "node-" not in ready, "the last node of three stays in the load balancer: people reach Grafana there"
    assert "log_skip" in ready, "several lines a second would be most of the log"
    assert READY not in caddyfile.render(load(fleet(), SOURCE)), "one hub has no such page"


def test_every_node_passes_the_requests_of_a_ca_on_once() -> None:
    text = _text(cluster(PUBLIC), "hub-c", proxies=VPC)
    assert "disable_tlsalpn_challenge" in text
    site = text.split("http://:80 {")[1].split("\n}\n")[0]
    assert site.index("respond @passed 404") < site.index("handle /.well-known"), "never in a circle"
    asked = [line.split("//")[1].split(".")[0] for line in site.splitlines() if "reverse_proxy http://node" in line]
    assert asked == ["node-a", "node-b", "node-b"], "the second also while the first is away"
    assert site.count("header_up Fleetwatch-Passed 1") == 3
    assert "/etc/hosts" in _spec(cluster(PUBLIC), "hub-c").binds.values()


@pytest.mark.parametrize("hub", [PUBLIC, {"ports": {"push": 8999}}])
def test_a_push_goes_on_to_the_other_nodes_push_ports(hub: dict[str, Any]) -> None:
    settings = cluster(hub)
    text, port = _text(settings, "hub-b", proxies=VPC), settings.hub.ports.push
    there = " ".join(f"node-{node}.fleetwatch.internal:{port}" for node in "ac")
    assert text.count(f"reverse_proxy {there} {{") == 2, "from the push port and from the internet"
    for path in ("/api/v1/write", "/loki/api/v1/push"):
        for route in text.split(f"route {path} {{")[1:]:
            assert f"vars push {path}\n" in route.split("reverse_proxy")[0]
    assert text.index("basic_auth") < text.index("vars push"), "a push without its password is never passed on"
    passing = text.split("\t@next {")[1].split("http://:")[0]
    assert "not header Fleetwatch-Passed *" in passing, "never in a circle"
    assert "header_up Fleetwatch-Passed 1" in passing
    assert "header_up -Authorization" in passing, "a password would cross the private network in clear"
    assert "/etc/hosts" in _spec(settings, "hub-b").binds.values(), "without it no name of a node resolves"
    assert "vars push" not in caddyfile.render(load(fleet(), SOURCE)), "one hub has nobody to pass it on to"


def test_without_a_domain_there_is_one_ca_and_no_request_of_a_ca_to_pass_on() -> None:
    spec, text = _spec(cluster(), "hub-c"), _text(cluster(), "hub-c", proxies=VPC)
    assert "acme" not in text
    assert "cert /run/secrets/fleetwatch/authority/root.crt" in text
    late = Late(authority={"authority/root.crt": "certificate", "authority/root.key": "key"})
    files = {path: file.render(late) for path, file in spec.secrets.items() if path.startswith("authority")}
    assert files == {"authority/root.crt": "certificate", "authority/root.key": "key"}
    assert not [path for path in _spec(cluster(PUBLIC), "hub").secrets if path.startswith("authority")]


def test_custom_ports_are_those_of_the_peers_too() -> None:
    settings = load(fleet({**on_servers(), **PUBLIC, "ports": {"http": 8000}}), SOURCE)
    assert "http://node-b.fleetwatch.internal:8000" in caddyfile.render(settings, Entry(VPC, ("b", "c")))


def test_failed_renewals_of_all_nodes_are_seen() -> None:
    assert 'host=~"hub|hub-b|hub-c"' in certificate_lines.lines(cluster(), certificate_lines.FAILED)
    assert 'host="hub"' in certificate_lines.lines(load(fleet(), SOURCE), certificate_lines.FAILED)
