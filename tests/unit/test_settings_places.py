"""Every mistake about where a host is gives one sentence at its place: droplets, servers, none and two of them."""

from __future__ import annotations

from typing import Any

import pytest

from configs.validation import check_file
from tests.fixtures.fleets import (
    ADMINS,
    HUB,
    PRIVATE_KEY,
    SERVER_HUB,
    SOURCE,
    VPS,
    droplet,
    fleet,
    hosts,
    hub_droplet,
    server,
)
from tests.fixtures.hubs import PUBLIC_KEY

PLACE = "expected exactly one place: local, droplet or server"
ADDRESS = "expected an IPv4 address or a name such as web-1.example.com"
HOST_KEY = (
    "expected a host key as in /etc/ssh/ssh_host_*_key.pub: one of ssh-ed25519, ecdsa-sha2-nistp256, ssh-rsa, then its "
    "base64, got a text (not shown)"
)
ABSOLUTE = "expected an absolute path of letters, digits and . _ -"
IPV6 = "IPv6 is not supported; give the IPv4 address or a name such as web-1.example.com"

MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    # places
    "two places of the hub": (
        fleet({**HUB, **SERVER_HUB}),
        f"hub: {PLACE} (such as `local: {{}}`), got droplet and server",
    ),
    "no place of the hub": (fleet({"domain": "a.example.com"}), f"hub: {PLACE} (such as `local: {{}}`), got none"),
    "two places of a host": (
        hosts(web={"droplet": {}, "server": {"address": VPS}}),
        f"hosts.web: {PLACE} (such as `droplet: {{}}`), got droplet and server",
    ),
    "a host left empty": (hosts(web=None), f"hosts.web: {PLACE} (such as `droplet: {{}}`), got none"),
    "a place left empty": (
        hosts(web={"droplet": None}),
        "hosts.web.droplet: expected a mapping, got nothing; write `droplet: {}` for its defaults, or remove the key",
    ),
    "a place for the hub's own edge": (
        hosts(hub={"droplet": {}}),
        "hosts.hub.droplet: not allowed, the hub is placed under `hub`; remove this key",
    ),
    # unknown keys
    "of a droplet": (
        droplet(disk=80),
        "hosts.web-1.droplet.disk: unknown key, expected one of size, region, image, backups, setup",
    ),
    "of a server": (
        server(host="x"),
        "hosts.vps-1.server.host: unknown key, expected one of address, private_address, user, port, bastion, "
        "host_key, install_docker, files; did you mean address?",
    ),
    "of a bastion": (
        server(bastion={"address": "203.0.113.8", "key": PRIVATE_KEY}),
        "hosts.vps-1.server.bastion.key: unknown key, expected one of address, user, port, host_key",
    ),
    "of access": (
        fleet(access={"admin_cidrs": ADMINS, "ports": []}),
        "access.ports: unknown key, expected one of cidrs, admin_cidrs, outbound; `ports` is a key of hub",
    ),
    "of cloud": (fleet(cloud={"vpc": "x"}), "cloud.vpc: unknown key, expected one of range, project, protect"),
    "of ssh": (
        fleet(ssh={"public_key": PUBLIC_KEY, "user": "x"}),
        "ssh.user: unknown key, expected one of key, public_key, timeout",
    ),
    # droplets
    "a size that is no slug": (
        droplet(size="2 vCPU"),
        "hosts.web-1.droplet.size: expected a slug as DigitalOcean writes it: lower-case letters, digits, - and _, "
        "got '2 vCPU'",
    ),
    "a hub without a region": (fleet({"droplet": {}}), "hub.droplet.region: missing, this key is required"),
    "a droplet without any region": (
        fleet({"server": {"address": "203.0.113.5", "private_address": "10.9.0.1"}}, hosts={"web": {"droplet": {}}}),
        "hosts.web.droplet.region: missing, this key is required unless the hub is a droplet",
    ),
    "no volume": (hub_droplet(volume=0), "hub.droplet.volume: expected at least 1, got 0"),
    "a volume that nobody sells": (
        hub_droplet(volume=16385),
        "hub.droplet.volume: expected at most 16384, got 16385",
    ),
    "a volume with its unit": (hub_droplet(volume="1TB"), "hub.droplet.volume: expected a whole number, got '1TB'"),
    "a volume of a host": (
        droplet(volume=10),
        "hosts.web-1.droplet.volume: unknown key, expected one of size, region, image, backups, setup; `volume` is a "
        "key of hub.droplet",
    ),
    "a setup without an interpreter": (
        droplet(setup="curl -H 'Authorization: s3cret' x"),
        "hosts.web-1.droplet.setup: expected a script that begins with #! and its interpreter, such as #!/bin/sh, "
        "got a text (not shown)",
    ),
    "a setup that is too long": (
        droplet(setup="#!/bin/sh\n" + "x" * 32768),
        "hosts.web-1.droplet.setup: expected at most 32 KiB (the platform takes 64 KiB of user data); let it fetch "
        "more, got a text (not shown)",
    ),
    "a name that is too long": (
        fleet(env="e" * 30, hosts={"h" * 30: {"droplet": {}}}),
        f"hosts.{'h' * 30}: expected a shorter name, the droplet's would be fleetwatch-{'e' * 30}-{'h' * 30} "
        "(72 characters, at most 63); fleetwatch:prefix and fleetwatch:env count too",
    ),
    "a prefix that no volume may have": (
        fleet(prefix="7up"),
        "prefix: expected a letter at its beginning, names of volumes begin with it, got '7up'",
    ),
    # servers
    "no address": (hosts(vps={"server": {}}), "hosts.vps.server.address: missing, this key is required"),
    "an address out of range": (
        server(address="203.0.113.300"),
        f"hosts.vps-1.server.address: {ADDRESS}, got '203.0.113.300'",
    ),
    "an IPv6 address": (server(address="2001:db8::1"), f"hosts.vps-1.server.address: {IPV6}, got '2001:db8::1'"),
    "an IPv6 address in brackets": (
        server(address="[2001:db8::1]"),
        f"hosts.vps-1.server.address: {IPV6}, got '[2001:db8::1]'",
    ),
    "a hub by an IPv6 address": (
        fleet({"server": {"address": "2001:db8::1"}}),
        f"hub.server.address: {IPV6}, got '2001:db8::1'",
    ),
    "a bastion by an IPv6 address": (
        server(bastion={"address": "2001:db8::1"}),
        f"hosts.vps-1.server.bastion.address: {IPV6}, got '2001:db8::1'",
    ),
    "a private IPv6 address": (
        server(private_address="fd00::7"),
        "hosts.vps-1.server.private_address: IPv6 is not supported; give the private IPv4 address, such as 10.20.0.7, "
        "got 'fd00::7'",
    ),
    "a droplet with IPv6": (
        droplet(ipv6=True),
        "hosts.web-1.droplet.ipv6: unknown key, IPv6 is not supported; expected one of size, region, image, backups, "
        "setup",
    ),
    "an address with a user": (
        server(address="root@203.0.113.7"),
        f"hosts.vps-1.server.address: {ADDRESS}, got a text (not shown)",
    ),
    "a name without a domain": (server(address="vps-1"), f"hosts.vps-1.server.address: {ADDRESS}, got 'vps-1'"),
    "a public private address": (
        server(private_address="8.8.8.8"),
        "hosts.vps-1.server.private_address: expected a private IPv4 address such as 10.20.0.7, got '8.8.8.8'",
    ),
    "a user with a capital": (
        server(user="Deploy"),
        "hosts.vps-1.server.user: expected the name of a user: lower-case letters, digits, _ and -, got 'Deploy'",
    ),
    "port 0": (server(port=0), "hosts.vps-1.server.port: expected at least 1, got 0"),
    "a port as text": (server(port="22"), "hosts.vps-1.server.port: expected a whole number, got '22'"),
    "a bastion as text": (
        server(bastion=VPS),
        "hosts.vps-1.server.bastion: expected a mapping, got a text (not shown)",
    ),
    "a bastion's address": (
        server(bastion={"address": "jump"}),
        f"hosts.vps-1.server.bastion.address: {ADDRESS}, got 'jump'",
    ),
    "a kind of host key that is not taken": (
        server(host_key="ssh-dss AAAAB3NzaC1kc3MAAAAA"),
        f"hosts.vps-1.server.host_key: {HOST_KEY}",
    ),
    "a host key that is no base64": (
        server(host_key="ssh-ed25519 AAAA!"),
        f"hosts.vps-1.server.host_key: {HOST_KEY}",
    ),
    "a host key of another kind than it says": (
        server(host_key=PUBLIC_KEY.replace("ssh-ed25519", "ssh-rsa")),
        f"hosts.vps-1.server.host_key: {HOST_KEY}",
    ),
    "a host key that is cut off": (server(host_key=PUBLIC_KEY[:-8]), f"hosts.vps-1.server.host_key: {HOST_KEY}"),
    "a private key as host key": (server(host_key=PRIVATE_KEY), f"hosts.vps-1.server.host_key: {HOST_KEY}"),
    "a bastion's host key": (
        server(bastion={"address": "203.0.113.8", "host_key": "x"}),
        f"hosts.vps-1.server.bastion.host_key: {HOST_KEY}",
    ),
    "a relative folder": (server(files="var/x"), f"hosts.vps-1.server.files: {ABSOLUTE}, got 'var/x'"),
    "a folder that leads elsewhere": (
        server(files="/srv/../etc"),
        f"hosts.vps-1.server.files: {ABSOLUTE}, got '/srv/../etc'",
    ),
    "a boolean as text": (
        server(install_docker="yes"),
        "hosts.vps-1.server.install_docker: expected true or false, got 'yes'",
    ),
    "one address twice": (
        hosts(a={"server": {"address": VPS}}, b={"server": {"address": VPS, "user": "x"}}),
        f"hosts.b.server.address: duplicate address {VPS}, already used by hosts.a.server",
    ),
    "the hub's address": (
        fleet({"server": {"address": VPS}}, hosts={"b": {"server": {"address": VPS}}}),
        f"hosts.b.server.address: duplicate address {VPS}, already used by hub.server",
    ),
    "another's private address": (
        hosts(
            a={"server": {"address": VPS, "private_address": "10.9.0.1"}},
            b={"server": {"address": "10.9.0.1"}},
        ),
        "hosts.b.server.address: duplicate address 10.9.0.1, already used by hosts.a.server",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence_with_its_place(mistake: str) -> None:
    sections, said = MISTAKES[mistake]
    assert check_file(sections, SOURCE)[1] == [f"{said} ({SOURCE})"], "one mistake, one line"
