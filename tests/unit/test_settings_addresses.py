"""Addresses and networks: none that means no machine, none twice, none inside a network of containers, and no IPv6."""

from __future__ import annotations

from typing import Any

import pytest

from configs.settings import load
from configs.validation import check_file
from tests.fixtures.fleets import SOURCE, VPS, fleet, hosts, server
from tests.fixtures.full import small

ADDRESS = "expected an IPv4 address or a name such as web-1.example.com"
IPV6 = "IPv6 is not supported; give the IPv4 address or a name such as web-1.example.com"
MAIL = {"to": "ops@example.com", "sender": "ops@example.com"}
SUBNET = "hosts.hub.subnet: expected a private IPv4 network between /16 and /28, such as 10.213.77.0/24"


def _hub(**keys: Any) -> dict[str, Any]:
    return small(hub={"local": {}, **keys})


def _host(**keys: Any) -> dict[str, Any]:
    return small(hosts={"hub": keys})


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "an IPv6 address with a port": (server(address="[::1]:22"), f"hosts.vps-1.server.address: {IPV6}, got '[::1]:22'"),
    "an IPv6 address with a prefix": (
        server(address="2001:db8::1/64"),
        f"hosts.vps-1.server.address: {IPV6}, got '2001:db8::1/64'",
    ),
    "an IPv6 address with a zone": (
        server(address="fe80::1%eth0"),
        f"hosts.vps-1.server.address: {IPV6}, got 'fe80::1%eth0'",
    ),
    "an address with a port": (
        server(address="203.0.113.9:22"),
        "hosts.vps-1.server.address: expected an IPv4 address or a name without a port; set the port in the key `port` "
        "beside it, got '203.0.113.9:22'",
    ),
    "a private address with a port": (
        server(private_address="10.0.0.1:22"),
        "hosts.vps-1.server.private_address: expected a private IPv4 address without a port, such as 10.20.0.7, got "
        "'10.0.0.1:22'",
    ),
    "an IPv4 address in brackets": (
        server(address="[203.0.113.9]"),
        f"hosts.vps-1.server.address: {ADDRESS}, got '[203.0.113.9]'",
    ),
    **{
        f"the address of no machine {address}": (
            server(address=address),
            "hosts.vps-1.server.address: expected the IPv4 address of one machine, such as 203.0.113.7, or its name, "
            f"got '{address}'",
        )
        for address in ("0.0.0.0", "0.1.2.3", "255.255.255.255", "240.0.0.1", "224.0.0.1")
    },
    "an address in another notation": (
        server(address="0x7f.1"),
        f"hosts.vps-1.server.address: {ADDRESS}, got '0x7f.1'",
    ),
    "an address in hexadecimal parts": (
        server(address="0x7f.0x1"),
        f"hosts.vps-1.server.address: {ADDRESS}, got '0x7f.0x1'",
    ),
    "one Docker Engine twice": (
        hosts(a={"local": {}}, b={"local": {"docker": "unix:///run/docker.sock"}}),
        "hosts.b.local: duplicate Docker Engine unix:///run/docker.sock, already used by hosts.a; put the apps, "
        "databases and logs of b under hosts.a",
    ),
    "one Docker Engine in other spellings": (
        hosts(a={"local": {"docker": "unix:///run/./x.sock"}}, b={"local": {"docker": "unix:////var/run//x.sock"}}),
        "hosts.b.local: duplicate Docker Engine unix:////var/run//x.sock, already used by hosts.a; put the apps, "
        "databases and logs of b under hosts.a",
    ),
    "this machine as local host and as server": (
        hosts(a={"local": {}}, b={"server": {"address": "127.0.0.1"}}),
        "hosts.b.server.address: 127.0.0.1 is this machine, expected the address of one that is no host yet, already "
        "used by hosts.a.local; put the apps, databases and logs of b under hosts.a",
    ),
    "a bastion that is the host itself": (
        server(bastion={"address": VPS}),
        f"hosts.vps-1.server.bastion.address: duplicate address {VPS}, already used by hosts.vps-1.server; expected "
        "the address of another machine, or remove the bastion",
    ),
    "a host inside its own containers' network": (
        hosts(a={"server": {"address": VPS, "private_address": "10.1.2.5"}, "subnet": "10.1.2.0/24"}),
        "hosts.a.subnet: expected a network without 10.1.2.5 (hosts.a.server.private_address), got 10.1.2.0/24; choose "
        "a different network",
    ),
    "the hub inside a host's network of containers": (
        fleet(
            {"server": {"address": "10.1.2.5"}},
            hosts={"a": {"server": {"address": "10.9.0.2"}, "subnet": "10.1.2.0/24"}},
        ),
        "hosts.a.subnet: expected a network without 10.1.2.5 (hub.server.address), got 10.1.2.0/24; choose a different "
        "network",
    ),
    "a host inside the hub's network of containers": (
        hosts(a={"server": {"address": "10.213.77.5"}, "subnet": "10.1.2.0/24"}),
        "hosts.hub.subnet: expected a network without 10.213.77.5 (hosts.a.server.address), got 10.213.77.0/24; choose "
        "a different network",
    ),
    **{
        f"the subnet {subnet}": (_host(subnet=subnet), f"{SUBNET}, got '{subnet}'")
        for subnet in (
            "127.0.0.0/24",
            "0.0.0.0/24",
            "240.0.0.0/28",
            "10.0.0.0/8",
            "10.1.2.0/29",
            "169.254.0.0/24",
            "192.0.2.0/24",
        )
    },
    "a subnet that is Docker's default": (
        _host(subnet="172.17.0.0/16"),
        "hosts.hub.subnet: expected a network outside 172.17.0.0/16, Docker's default network on every host, got "
        "'172.17.0.0/16'",
    ),
    "an IPv6 target that is none": (
        _host(apps={"a": {"target": "[:::]:80"}}),
        "hosts.hub.apps.a.target: expected host:port, such as api:8000 (the name as seen from the edge's Docker "
        "networks), got '[:::]:80'",
    ),
    "a mail server that is none": (
        _hub(alerts={"receivers": {"a": {"email": {**MAIL, "smarthost": "[:::]:80"}}}}),
        "hub.alerts.receivers.a.email.smarthost: expected host:port of a mail server, such as smtp.example.com:587, "
        "got a text (not shown)",
    ),
    "a URL with a port that is none": (
        _hub(alerts={"runbooks": "https://wiki.example.com:99999/"}),
        "hub.alerts.runbooks: expected a URL that begins with https:// or http://, then a host, got a text (not shown)",
    ),
    "all labels and one": (
        _hub(alerts={"group_by": ["...", "a"]}),
        'hub.alerts.group_by: expected "..." alone, it groups by all labels; remove it or the other labels, got a list',
    ),
    "a label twice": (
        _hub(alerts={"group_by": ["a", "b", "a"]}),
        "hub.alerts.group_by: duplicate label a, expected each label once; remove the second one, got a list",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_is_one_line_with_its_path(mistake: str) -> None:
    sections, expected = MISTAKES[mistake]
    assert check_file(sections, SOURCE)[1] == [f"{expected} ({SOURCE})"]


@pytest.mark.parametrize(
    "sections",
    [
        hosts(a={"local": {}}, b={"server": {"address": "127.0.0.1", "port": 2222}}),  # a virtual machine's port
        hosts(a={"server": {"address": "127.0.0.1"}}),
        server(port=2222, bastion={"address": VPS}),  # two machines behind one router
        fleet(hosts={n: {"server": {"address": f"10.1.2.{n[1]}"}, "subnet": "10.1.3.0/24"} for n in ("a1", "a2")}),
        hosts(  # hosts that never connect to each other
            a={"server": {"address": VPS}, "subnet": "10.1.2.0/24"},
            b={"server": {"address": "203.0.113.8", "private_address": "10.1.2.5"}},
        ),
        hosts(a={"local": {}}, b={"local": {"docker": "unix:///run/user/1000/docker.sock"}}),
        fleet(access={"admin_cidrs": ["2001:db8::/32", "192.0.2.0/24"]}),
        server(address="web-1.example.com"),
        server(address="1und1.de-1.example.co"),
        _host(subnet="172.30.4.0/28"),
        _host(subnet="192.168.0.0/16"),
        hosts(**{"a-postgres": {"droplet": {}}}, a={"droplet": {}, "postgres": {"b": {"dsn": "postgresql://u@db/d"}}}),
    ],
)
def test_usual_addresses_are_accepted(sections: dict[str, Any]) -> None:
    assert check_file(sections, SOURCE)[1] == []


def test_a_subnet_is_kept_in_the_form_that_docker_takes() -> None:
    settings = load(_host(subnet="10.1.2.0/255.255.255.0"), SOURCE)
    assert settings.edges["hub"].subnet == "10.1.2.0/24"
