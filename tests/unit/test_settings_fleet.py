"""Every mistake about what a fleet shares gives one line with its path: pushes, names, access, cloud, SSH, domain."""

from __future__ import annotations

from typing import Any

import pytest

from configs.validation import check_file
from tests.fixtures.fleets import ADMINS, HUB, PRIVATE_KEY, SERVER_HUB, SOURCE, droplet, fleet, hosts, server
from tests.fixtures.hubs import PUBLIC_KEY

FORMER = "hosts.b.renamed_from: expected the former name of this host, but"
NETWORK = "expected a network such as 203.0.113.0/24, or one address as 203.0.113.7/32"
RANGE = "expected a private IPv4 network between /16 and /24, such as 10.77.0.0/20"
DOCKERS = "expected a network outside 172.17.0.0 to 172.31.255.255, from which Docker takes its own on every host"
NO_PUBLIC = (
    "expected a name that others can resolve, such as monitor.example.com; leave it out to use the hub's address"
)
ACME = "expected hub.domain beside it, without a public name the certificate is from the hub's own CA"
PUBLIC = "expected a public key: the one line of a file such as ~/.ssh/id_ed25519.pub, got a text (not shown)"
EVERYONE = "give the networks that the program runs in, such as your own address with /32"
OTHER_HOST = (
    "expected no host besides `hub`, a hub on this machine accepts no pushes of other hosts; collect what runs here "
    "under hosts.hub, or make the hub a droplet or a server"
)

STAGING = (
    "expected false with hosts that push over the internet ({}), they do not trust a certificate of the test "
    "directory; remove the key, or these hosts while you try it out"
)
MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    # pushes
    "a private push to a hub without a private address": (
        fleet(SERVER_HUB, hosts={"b": {"server": {"address": "10.9.0.2"}}}),
        "hosts.b.via: expected internet, the hub has no private address; if it has one, set hub.server.private_address",
    ),
    "a private push from a public server": (
        server(via="vpc"),
        "hosts.vps-1.via: expected internet, the server is not known to be in the hub's private network; if it is, set "
        "hosts.vps-1.server.private_address",
    ),
    "a private push from another region": (
        droplet(region="ams3"),
        "hosts.web-1.via: expected internet for a droplet in ams3, the private network is in fra1",
    ),
    "a private server outside the hub's network": (
        fleet(cloud={"range": "10.77.0.0/20"}, hosts={"db": {"server": {"address": "10.9.0.2"}}}),
        "hosts.db.server.address: expected an address in cloud.range (10.77.0.0/20), got 10.9.0.2; a server elsewhere "
        "needs a public address or a bastion, and via: internet",
    ),
    "a private server and no hub to go through": (
        fleet({"local": {}}, hosts={"db": {"server": {"address": "10.9.0.2"}}}),
        f"hosts.db: {OTHER_HOST}",
    ),
    "a droplet beside a hub on this machine": (
        fleet({"local": {}}, hosts={"web": {"droplet": {"region": "fra1"}}}),
        f"hosts.web: {OTHER_HOST}",
    ),
    "another network": (
        server(via="vpn"),
        "hosts.vps-1.via: expected one of internet, vpc, got 'vpn'; did you mean vpc?",
    ),
    # names
    "a name that is taken": (
        hosts(**{"grafana-admin": {"droplet": {}}}),
        "hosts.grafana-admin: `grafana-admin` is reserved; choose another name",
    ),
    "renamed from one that is there": (
        hosts(a={"droplet": {}}, b={"droplet": {}, "renamed_from": "a"}),
        f"{FORMER} hosts.a exists; remove this key, or the other host",
    ),
    "renamed from itself": (
        hosts(b={"droplet": {}, "renamed_from": "b"}),
        f"{FORMER} hosts.b exists; remove this key, or the other host",
    ),
    "renamed from the hub": (
        hosts(b={"droplet": {}, "renamed_from": "hub"}),
        f"{FORMER} hosts.hub exists; remove this key, or the other host",
    ),
    "two from one": (
        hosts(a={"droplet": {}, "renamed_from": "z"}, b={"droplet": {}, "renamed_from": "z"}),
        "hosts.b.renamed_from: duplicate former name z, already used by hosts.a",
    ),
    "an abandoned droplet": (
        hosts(a={"droplet": {}, "abandoned": True}),
        "hosts.a.abandoned: expected a server; a droplet host is removed by taking out its entry",
    ),
    "an abandoned hub": (
        hosts(hub={"abandoned": True}),
        "hosts.hub.abandoned: not allowed, the hub is placed under `hub`; remove this key",
    ),
    "a renamed hub": (
        hosts(hub={"renamed_from": "old"}),
        "hosts.hub.renamed_from: not allowed, the hub is placed under `hub`; remove this key",
    ),
    "a negative rotation": (hosts(a={"droplet": {}, "rotation": -1}), "hosts.a.rotation: expected at least 0, got -1"),
    # access
    "nobody may reach SSH": (
        fleet(access={"cidrs": ADMINS}),
        "access.admin_cidrs: missing, droplets accept SSH from these networks only; give the networks that the program "
        "runs in, such as [203.0.113.7/32]",
    ),
    "everybody may reach SSH": (
        fleet(access={"admin_cidrs": ["192.0.2.0/24", "0.0.0.0/0"]}),
        f"access.admin_cidrs.1: expected fewer than all addresses, 0.0.0.0/0 opens SSH to everyone; {EVERYONE}",
    ),
    "everybody with IPv6 may": (
        fleet(access={"admin_cidrs": ["192.0.2.0/24", "::/0"]}),
        f"access.admin_cidrs.1: expected fewer than all addresses, ::/0 opens SSH to everyone; {EVERYONE}",
    ),
    "SSH over IPv6 alone": (
        fleet(access={"admin_cidrs": ["2001:db8::/32"]}),
        "access.admin_cidrs: all of these networks are IPv6, expected at least one IPv4 network, droplets are reached "
        "over IPv4; add the network that the program runs in, such as 203.0.113.7/32",
    ),
    "a project and a gate that would be one resource": (
        hosts(**{"hub-gate-a": {"droplet": {}}, "a-project": {"droplet": {}}}),
        "hosts.hub-gate-a: duplicate resource name hub-gate-a-project, already used by hosts.a-project; rename one of "
        "them",
    ),
    "an app with the name of a container of ours": (
        hosts(a={"droplet": {}, "networks": ["shop"], "apps": {"own": {"target": "cadvisor:8080"}}}),
        "hosts.a.apps.own.target: `cadvisor` is also a container of fleetwatch on that host; write the whole name of "
        "your container instead, such as project-cadvisor-1 (`docker ps` there shows it)",
    ),
    "an address with a network's bits": (
        fleet(access={"admin_cidrs": ["192.0.2.7/24"]}),
        f"access.admin_cidrs.0: {NETWORK}; the network of this address is 192.0.2.0/24, got '192.0.2.7/24'",
    ),
    "an address alone": (
        fleet(access={"admin_cidrs": ["192.0.2.7"]}),
        f"access.admin_cidrs.0: {NETWORK}, got '192.0.2.7'",
    ),
    "a word": (
        fleet(access={"admin_cidrs": ADMINS, "cidrs": ["office"]}),
        f"access.cidrs.0: {NETWORK}, got 'office'",
    ),
    "a text for a list": (
        fleet(access={"admin_cidrs": "192.0.2.0/24"}),
        "access.admin_cidrs: expected a list, got '192.0.2.0/24'",
    ),
    # cloud
    "a public range": (fleet(cloud={"range": "8.8.0.0/20"}), f"cloud.range: {RANGE}, got '8.8.0.0/20'"),
    "a range for documentation": (fleet(cloud={"range": "192.0.2.0/24"}), f"cloud.range: {RANGE}, got '192.0.2.0/24'"),
    "a small range": (fleet(cloud={"range": "10.77.0.0/28"}), f"cloud.range: {RANGE}, got '10.77.0.0/28'"),
    "a large range": (fleet(cloud={"range": "10.0.0.0/8"}), f"cloud.range: {RANGE}, got '10.0.0.0/8'"),
    "a range with bits behind it": (
        fleet(cloud={"range": "10.77.0.1/20"}),
        f"cloud.range: {RANGE}; the network of this address is 10.77.0.0/20, got '10.77.0.1/20'",
    ),
    "an IPv6 range": (fleet(cloud={"range": "fd00::/20"}), f"cloud.range: {RANGE}, got 'fd00::/20'"),
    "Docker's first range": (fleet(cloud={"range": "172.17.0.0/20"}), f"cloud.range: {DOCKERS}, got '172.17.0.0/20'"),
    "Docker's last range": (fleet(cloud={"range": "172.31.0.0/16"}), f"cloud.range: {DOCKERS}, got '172.31.0.0/16'"),
    "an edge's range": (
        fleet(cloud={"range": "10.213.64.0/20"}),
        "hosts.hub.subnet: expected a network outside cloud.range (10.213.64.0/20), got 10.213.77.0/24",
    ),
    "the edge's own network as a network of apps": (
        hosts(a={"droplet": {}, "networks": ["shop", "fleetwatch-edge"]}),
        "hosts.a.networks.1: `fleetwatch-edge` is a network of fleetwatch itself, expected networks of your apps only; "
        "remove this entry",
    ),
    "the hub's network of another prefix": (
        fleet(prefix="fw", hosts={"hub": {"networks": ["fw-hub", "fleetwatch-hub"]}}),
        "hosts.hub.networks.0: `fw-hub` is a network of fleetwatch itself, expected networks of your apps only; remove "
        "this entry",
    ),
    "protect as text": (fleet(cloud={"protect": "no"}), "cloud.protect: expected true or false, got 'no'"),
    # ssh
    "no key at all": (
        fleet(ssh={}),
        "ssh.public_key: missing, new droplets need a key to accept; give the text of the public key, or in "
        "ssh.key the private key's file, beside which the public one is (.pub)",
    ),
    "a private key as public one": (fleet(ssh={"public_key": PRIVATE_KEY}), f"ssh.public_key: {PUBLIC}"),
    "a public key that is cut off": (fleet(ssh={"public_key": PUBLIC_KEY[:40]}), f"ssh.public_key: {PUBLIC}"),
    "two public keys": (fleet(ssh={"public_key": f"{PUBLIC_KEY}\n{PUBLIC_KEY}"}), f"ssh.public_key: {PUBLIC}"),
    "a private key as the name of its file": (
        fleet(ssh={"key": PRIVATE_KEY}),
        "ssh.key: expected the path of a private key's file, such as ~/.ssh/id_ed25519, got a text (not shown)",
    ),
    "a bare number of seconds": (
        fleet(ssh={"public_key": PUBLIC_KEY, "timeout": 10}),
        "ssh.timeout: expected a duration such as 10s, 5m, 24h or 90d, got 10",
    ),
    "a long time-out": (
        fleet(ssh={"public_key": PUBLIC_KEY, "timeout": "5m"}),
        "ssh.timeout: expected at most 2m, got '5m'",
    ),
    # the hub's name
    "a zone of another domain": (
        fleet({**HUB, "domain": "monitor.example.com", "dns_zone": "example.org"}),
        "hub.dns_zone: expected the end of hub.domain (monitor.example.com), got 'example.org'",
    ),
    "a zone that ends alike": (
        fleet({**HUB, "domain": "monitor.myexample.com", "dns_zone": "example.com"}),
        "hub.dns_zone: expected the end of hub.domain (monitor.myexample.com), got 'example.com'",
    ),
    "a zone without a domain": (
        fleet({**HUB, "dns_zone": "example.org"}),
        "hub.dns_zone: expected the end of hub.domain (no hub.domain), got 'example.org'",
    ),
    "a zone of a server": (
        fleet({**SERVER_HUB, "domain": "monitor.example.com", "dns_zone": "example.com"}),
        "hub.dns_zone: expected a hub that is a droplet; make the DNS record of any other yourself",
    ),
    "a check of a server": (
        fleet({**SERVER_HUB, "uptime": {"email": ["ops@example.com"]}}),
        "hub.uptime: expected a hub that is a droplet, the check is a service of DigitalOcean",
    ),
    "a check that tells nobody": (
        fleet({**HUB, "uptime": {"email": []}}),
        "hub.uptime.email: expected at least 1 entry, got an empty list",
    ),
    "a check that tells no address": (
        fleet({**HUB, "uptime": {"email": ["ops"]}}),
        "hub.uptime.email.0: expected an e-mail address such as ops@example.com, got 'ops'",
    ),
    "a certificate without a name": (fleet({**HUB, "acme": {"staging": True}}), f"hub.acme: {ACME}"),
    "a certificate for this machine": (fleet({"local": {}, "acme": {"staging": True}}), f"hub.acme: {ACME}"),
    "a certificate that a host on the internet does not trust": (
        fleet(
            {**HUB, "domain": "monitor.example.com", "acme": {"staging": True}},
            hosts={"web-1": {"droplet": {}}, "vps-1": {"server": {"address": "203.0.113.7"}}},
        ),
        f"hub.acme.staging: {STAGING.format('vps-1')}",
    ),
    "a certificate that the hub itself does not trust": (
        fleet({**HUB, "domain": "monitor.example.com", "acme": {"staging": True}}, hosts={"hub": {"via": "internet"}}),
        f"hub.acme.staging: {STAGING.format('hub')}",
    ),
    "a name of this machine for a droplet": (fleet({**HUB, "domain": "fw.localhost"}), f"hub.domain: {NO_PUBLIC}"),
    "a name that is nobody's": (fleet({**SERVER_HUB, "domain": "fw.internal"}), f"hub.domain: {NO_PUBLIC}"),
    "two listeners on one port": (
        fleet({**HUB, "ports": {"push": 443}}),
        "hub.ports: expected four different ports, but https and push are both 443",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence_with_its_place(mistake: str) -> None:
    sections, said = MISTAKES[mistake]
    assert check_file(sections, SOURCE)[1] == [f"{said} ({SOURCE})"], "one mistake, one line"
