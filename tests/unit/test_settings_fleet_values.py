"""A fleet's settings: defaults by the kind of hub and host, mistakes told together, and no secret told with them."""

from __future__ import annotations

from typing import Any

import pytest

from configs.settings import Host, load
from configs.validation import MachineFacts, check_file, validate
from tests.fixtures.fleets import HUB, PRIVATE_KEY, SOURCE, VPS, droplet, fleet, hosts, server
from tests.fixtures.full import ROOT
from tests.fixtures.hubs import PUBLIC_KEY
from tests.fixtures.stackfiles import sections_of


def test_several_are_told_together_and_nothing_secret_with_them() -> None:
    sections = fleet(
        {"droplet": {"region": "FRA 1", "volume": 0}, "dns_zone": "example.org"},
        hosts={
            "a": {"server": {"address": "x", "port": 0, "host_key": PRIVATE_KEY}},
            "b": {"droplet": {"setup": "s3cret"}, "renamed_from": "a"},
        },
        access={"admin_cidrs": ["office"]},
        cloud={"range": "8.8.8.0/24"},
        ssh={"public_key": PRIVATE_KEY, "timeout": 1},
    )
    problems = check_file(sections, SOURCE)[1]
    assert sorted(problem.split(":")[0] for problem in problems) == [
        "access.admin_cidrs.0",
        "cloud.range",
        "hosts.a.server.address",
        "hosts.a.server.host_key",
        "hosts.a.server.port",
        "hosts.b.droplet.setup",
        "hub.droplet.region",
        "hub.droplet.volume",
        "ssh.public_key",
        "ssh.timeout",
    ], "what depends on an invalid value (the hub's droplet, host a) is checked once that is valid"
    assert "s3cret" not in "".join(problems)
    assert "PRIVATE" not in "".join(problems)


SECRET_AT = {
    "ssh.public_key": fleet(ssh={"public_key": PRIVATE_KEY}),
    "ssh.key": fleet(ssh={"key": PRIVATE_KEY, "public_key": PUBLIC_KEY}),
    "ssh": fleet(ssh=PRIVATE_KEY),
    "cloud.range": fleet(cloud={"range": PRIVATE_KEY}),
    "access.admin_cidrs.0": fleet(access={"admin_cidrs": [PRIVATE_KEY]}),
    "hosts.vps-1.server.address": server(address=PRIVATE_KEY),
    "hosts.vps-1.server.user": server(user=PRIVATE_KEY),
    "hosts.vps-1.server.bastion": server(bastion=PRIVATE_KEY),
    "hosts.vps-1.server.address (its base64 alone)": server(address="c3NzLXByaXZhdGU" * 10 + "s3cret"),
    "hosts.web-1.droplet.size": droplet(size=PRIVATE_KEY),
    "hub.domain": fleet({**HUB, "domain": PRIVATE_KEY}),
}


@pytest.mark.parametrize("place", SECRET_AT)
def test_a_private_key_that_is_pasted_somewhere_is_not_shown(place: str) -> None:
    (problem,) = check_file(SECRET_AT[place], SOURCE)[1]
    assert problem.startswith(place.split(" ")[0])
    assert "s3cret" not in problem
    assert "\n" not in problem


def test_a_server_may_be_given_by_its_name() -> None:
    host = load(server(address="vps-1.example.com"), SOURCE).hosts["vps-1"]
    assert isinstance(host, Host)
    assert host.server is not None
    assert (host.via, host.server.private_address) == ("internet", None), "a name is taken for a public one"


def test_a_host_key_loses_its_comment() -> None:
    host = load(server(host_key=f"{PUBLIC_KEY} root@vps-1\n"), SOURCE).hosts["vps-1"]
    assert isinstance(host, Host)
    assert host.server is not None
    assert host.server.host_key == PUBLIC_KEY


@pytest.mark.parametrize(
    ("host", "via"),
    [
        ({"droplet": {}}, "vpc"),
        ({"droplet": {"region": "ams3"}, "via": "internet"}, "internet"),
        ({"server": {"address": "10.9.0.2"}}, "vpc"),
        ({"server": {"address": "100.64.3.4"}}, "vpc"),
        ({"server": {"address": VPS}}, "internet"),
        ({"server": {"address": VPS, "private_address": "10.9.0.2"}, "via": "vpc"}, "vpc"),
        ({"local": {}}, "internet"),
    ],
)
def test_a_push_goes_the_private_way_where_there_is_one(host: dict[str, Any], via: str) -> None:
    settings = load(hosts(a=host), SOURCE)
    assert settings.hosts["a"].via == via
    assert settings.hosts["hub"].via == "vpc", "the hub's own edge is beside it"


def test_a_hub_on_this_machine_is_reached_over_https() -> None:
    assert load({"hub": {"local": {}}}, SOURCE).hosts["hub"].via == "internet", "as ever"


def test_one_address_may_have_several_machines_behind_it() -> None:
    behind = {"address": "203.0.113.8"}
    load(
        hosts(
            a={"server": {"address": VPS, "port": 2201}},
            b={"server": {"address": VPS, "port": 2202}},
            c={"server": {"address": "10.9.0.2"}},
            d={"server": {"address": "10.9.0.2", "bastion": behind}, "via": "internet"},
        ),
        SOURCE,
    )  # forwarded ports, and private networks that are not the same


def test_ports_and_name_follow_the_kind_of_hub() -> None:
    cloud, local = load(fleet(), SOURCE).hub, load({"hub": {"local": {}}}, SOURCE).hub
    assert [port for _, port in cloud.ports] == [443, 80, 8080, 9080]
    assert [port for _, port in local.ports] == [8443, 8480, 8481, 8482]
    assert (cloud.domain, cloud.public, cloud.own_ca) == ("hub.fleetwatch.internal", False, True)
    named = load(fleet({**HUB, "domain": "monitor.example.com", "dns_zone": "example.com"}), SOURCE).hub
    assert (named.public, named.own_ca) == (True, False)


@pytest.mark.parametrize("found", [None, "", PRIVATE_KEY, PUBLIC_KEY[:40]])
def test_a_key_file_without_a_public_key_beside_it_is_refused(found: str | None) -> None:
    settings = load(fleet(ssh={"key": "/nowhere/id"}), SOURCE)
    (problem,) = validate(settings, machine=MachineFacts(public_key=found), cloud=None, encrypted=None)
    assert problem == (
        "ssh.public_key: missing, and /nowhere/id.pub has no readable public key (`ssh-keygen -y -f /nowhere/id` "
        f"prints it); give its text here, or write that file ({SOURCE})"
    )


def test_the_public_key_may_be_beside_the_private_one_or_in_the_stack_file() -> None:
    beside = load(fleet(ssh={"key": "/nowhere/id"}), SOURCE)
    facts = MachineFacts(public_key=f"{PUBLIC_KEY} me@here")
    assert validate(beside, machine=facts, cloud=None, encrypted=None) == []
    given = load(fleet(ssh={"key": "/nowhere/id", "public_key": PUBLIC_KEY}), SOURCE)
    assert validate(given, machine=MachineFacts(), cloud=None, encrypted=None) == []
    assert validate(beside, machine=None, cloud=None, encrypted=None) == [], "nobody looked"


def test_an_invalid_key_path_is_one_problem_and_not_a_missing_public_key_too() -> None:
    (problem,) = check_file(fleet(ssh={"key": "id"}), SOURCE)[1]
    assert problem.startswith("ssh.key: expected the path of a private key's file")


@pytest.mark.parametrize(
    ("env", "given", "protected"),
    [("prod", {}, True), ("dev", {}, False), ("prod", {"protect": False}, False), ("dev", {"protect": True}, True)],
)
def test_production_is_protected_unless_told_otherwise(env: str, given: dict[str, Any], protected: bool) -> None:
    assert load(fleet(env=env, cloud=given), SOURCE).protected is protected


def test_a_test_certificate_is_accepted_where_no_host_depends_on_it() -> None:
    hub = {**HUB, "domain": "monitor.example.com", "acme": {"staging": True}}
    assert check_file(fleet(hub, hosts={"web-1": {"droplet": {}}}), SOURCE)[1] == []


@pytest.mark.parametrize("stack", ["dev", "staging", "prod"])
def test_a_stack_file_that_ships_accepts_a_host_on_the_internet(stack: str) -> None:
    sections = sections_of(ROOT / "stacks" / f"Pulumi.{stack}.yaml")
    sections["hosts"] = {**sections["hosts"], "vps-9": {"server": {"address": "203.0.113.99"}}}
    assert check_file(sections, SOURCE)[1] == []
