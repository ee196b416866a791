"""The guard rails for DigitalOcean: of each rule what passes, what does not, and what an absent property means."""

from __future__ import annotations

from typing import Any

import pytest

from policy import cloud
from policy.records import (
    BUCKET,
    BUCKET_KEY,
    DATABASE,
    DROPLET,
    FIREWALL,
    LOAD_BALANCER,
    RESERVED_IP,
    VOLUME,
    VPC,
    Check,
    Hidden,
    Record,
)

WORLD = ["0.0.0.0/0", "::/0"]


def _said(check: Check, record: Record, env: str = "prod") -> list[str]:
    found = list(check(record, env))
    for one in found:
        assert record.called in one, "where"
        assert "; expected " in one, "what was expected"
        assert one.count("; ") >= 2, "the way out"
    return found


def firewall(ports: Any, sources: Any, protocol: str = "tcp") -> Record:
    rule = {"protocol": protocol, "portRange": ports, "sourceAddresses": sources}
    return Record(FIREWALL, "firewall-hub", {"inboundRules": [{k: v for k, v in rule.items() if v is not None}]})


def droplet(called: str = "web-1-droplet", **changes: Any) -> Record:
    wanted = {"name": "fleetwatch-prod-web-1", "backups": True, "vpcUuid": "5a4981aa", **changes}
    return Record(DROPLET, called, {key: value for key, value in wanted.items() if value is not None})


@pytest.mark.parametrize(
    "record",
    [
        firewall("443", WORLD),
        firewall("80", WORLD),
        firewall("8443", WORLD),
        firewall(None, WORLD, "icmp"),
        firewall("22", ["192.0.2.0/24", "2001:db8::/32"]),
        firewall("5432", ["10.0.0.0/8"]),
        firewall("9090", ["fd00::/8", "fc00::/7"]),
        firewall("8080", [Hidden.UNKNOWN]),
        firewall("22", Hidden.UNKNOWN),
        firewall("22", None),
        Record(FIREWALL, "firewall-edge", {}),
        Record(VPC, "vpc", {"inboundRules": [{"portRange": "22", "sourceAddresses": WORLD}]}),
    ],
)
def test_ports_that_may_be_open(record: Record) -> None:
    assert _said(cloud.open_ports, record) == []


@pytest.mark.parametrize("port", sorted(cloud.CLOSED))
def test_a_door_that_is_closed_to_the_world(port: int) -> None:
    (found,) = _said(cloud.open_ports, firewall(str(port), WORLD))
    assert f"{port} ({cloud.CLOSED[port]})" in found


@pytest.mark.parametrize("named", ["SSH", "Docker", "Prometheus", "Loki", "PostgreSQL", "MySQL", "Redis"])
def test_what_the_promise_names_is_among_them(named: str) -> None:
    assert named in cloud.CLOSED.values()


@pytest.mark.parametrize("port", [10901, 10902, 10911, 19291, 19391])
def test_no_port_of_thanos_is_open_to_the_world(port: int) -> None:
    (found,) = _said(cloud.open_ports, firewall(str(port), WORLD))
    assert f"{port} (Thanos" in found


def test_ssh_says_where_admins_are_named() -> None:
    assert "admin_cidrs" in _said(cloud.open_ports, firewall("22", WORLD))[0]


@pytest.mark.parametrize(
    "source", ["0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "2000::/3", "64.0.0.0/2", "0.0.0.1/0"]
)
def test_the_world_in_parts_is_the_world(source: str) -> None:
    assert _said(cloud.open_ports, firewall("22", ["192.0.2.0/24", source]))


@pytest.mark.parametrize("ports", ["20-30", "1-65535", "all", "0", "", None, "22-22", "nonsense", "²", "22-²"])
def test_a_range_around_a_door_opens_it(ports: str | None) -> None:
    assert any("22 (SSH)" in one for one in _said(cloud.open_ports, firewall(ports, WORLD)))


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_every_protocol_with_ports_counts(protocol: str) -> None:
    assert _said(cloud.open_ports, firewall("5432", WORLD, protocol))


LASTING = [
    Record(VPC, "vpc", {}),
    Record(VOLUME, "hub-volume", {}),
    Record(RESERVED_IP, "hub-address", {}),
    Record(LOAD_BALANCER, "balancer", {}),
    Record(DATABASE, "database", {}),
    droplet("hub-droplet", name="fleetwatch-prod-hub"),
    droplet("renamed", name="fleetwatch-prod-hub"),
    droplet("hub-b-droplet", name="fleetwatch-prod-hub-b", tags=["fleetwatch-prod-hub"]),
]


@pytest.mark.parametrize("record", LASTING, ids=lambda record: record.name)
def test_what_lasts_is_protected_in_production(record: Record) -> None:
    (found,) = _said(cloud.protected, record)
    assert "not protected" in found
    assert _said(cloud.protected, Record(record.type, record.name, record.properties, protect=True)) == []
    assert _said(cloud.protected, record, "staging") == [], "elsewhere it may go"


@pytest.mark.parametrize(
    "record",
    [
        droplet(),
        droplet(name=None),
        droplet("hub-mirror-droplet", name="fleetwatch-prod-hub-mirror", tags=["fleetwatch-prod-edge"]),
        Record(FIREWALL, "firewall-hub", {}),
    ],
)
def test_what_can_be_made_again_needs_no_protection(record: Record) -> None:
    assert _said(cloud.protected, record) == []


@pytest.mark.parametrize("backups", [True, Hidden.UNKNOWN])
def test_backups_pass(backups: Any) -> None:
    assert _said(cloud.backups, droplet(backups=backups)) == []


@pytest.mark.parametrize("backups", [False, None])
def test_no_backups_do_not(backups: Any) -> None:
    assert "no backups" in _said(cloud.backups, droplet(backups=backups))[0]
    assert _said(cloud.backups, droplet(backups=backups), "dev") == []


def test_only_droplets_have_backups() -> None:
    assert _said(cloud.backups, Record(VOLUME, "hub-volume", {})) == []


@pytest.mark.parametrize("vpc", ["5a4981aa", Hidden.UNKNOWN])
def test_a_droplet_in_a_vpc_passes(vpc: Any) -> None:
    assert _said(cloud.private_network, droplet(vpcUuid=vpc), "dev") == []


@pytest.mark.parametrize("vpc", ["", None])
def test_a_droplet_in_none_does_not(vpc: Any) -> None:
    assert "in no VPC" in _said(cloud.private_network, droplet(vpcUuid=vpc), "dev")[0]


def test_only_droplets_are_in_a_vpc() -> None:
    assert _said(cloud.private_network, Record(VOLUME, "hub-volume", {})) == []


@pytest.mark.parametrize(
    ("kind", "name", "properties", "found"),
    [
        (BUCKET, "bucket", {"acl": "private"}, ""),
        (BUCKET, "bucket", {}, ""),
        (BUCKET, "bucket", {"acl": Hidden.UNKNOWN}, ""),
        (BUCKET, "bucket", {"acl": "public-read"}, "its ACL is public-read; expected private"),
        (BUCKET_KEY, "backup-key", {"grants": [{"bucket": "acme", "permission": "readwrite"}]}, ""),
        (BUCKET_KEY, "backup-key", {"grants": [{"bucket": Hidden.UNKNOWN, "permission": "readwrite"}]}, ""),
        (BUCKET_KEY, "backup-key", {"grants": [{"bucket": "", "permission": "readwrite"}]}, "for every bucket"),
        (BUCKET_KEY, "backup-key", {"grants": [{"bucket": "", "permission": "fullaccess"}]}, "for every bucket"),
        (BUCKET_KEY, "spaces-key", {"grants": [{"bucket": "", "permission": "fullaccess"}]}, ""),
    ],
)
def test_buckets_are_private_and_keys_for_one_of_them(
    kind: str, name: str, properties: dict[str, Any], found: str
) -> None:
    said = _said(cloud.private_bucket, Record(kind, name, properties))
    assert len(said) == bool(found)
    assert all(found in one for one in said)
