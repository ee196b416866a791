"""DigitalOcean: which ports a firewall never opens to the world, and what production has to have."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from configs import names
from policy.records import (
    BUCKET,
    BUCKET_KEY,
    DATABASE,
    DROPLET,
    FIREWALL,
    LOAD_BALANCER,
    PRODUCTION,
    RESERVED_IP,
    VOLUME,
    VPC,
    Record,
    items,
)

SSH = 22
# Ports by what listens there when nobody changed it: IANA's registry, and each vendor's documentation.
CLOSED: dict[int, str] = {
    SSH: "SSH",
    **dict.fromkeys((2375, 2376, 2377), "Docker"),
    names.PROMETHEUS_PORT: "Prometheus",
    names.RECEIVE_PORT: "Thanos Receive",
    names.RECEIVE_CAPNPROTO_PORT: "Thanos Receive",
    names.THANOS_PORT: "Thanos",
    names.THANOS_GRPC_PORT: "Thanos",
    names.RULE_GRPC_PORT: "Thanos Rule",
    names.LOKI_PORT: "Loki",
    names.GRAFANA_PORT: "Grafana without Caddy",
    names.ALERTMANAGER_PORT: "Alertmanager",
    names.CADDY_PUSH_PORT: "pushes without TLS",
    names.CADDY_QUERY_PORT: "queries without a password",
    names.ASK_METRICS_PORT: "the assistant's metrics",
    names.NODE_EXPORTER_PORT: "node exporter",
    names.POSTGRES_EXPORTER_PORT: "PostgreSQL exporter",
    5432: "PostgreSQL",
    6432: "PgBouncer",
    1433: "SQL Server",
    1521: "Oracle",
    3306: "MySQL",
    5984: "CouchDB",
    6379: "Redis",
    8086: "InfluxDB",
    8123: "ClickHouse",
    9042: "Cassandra",
    9200: "Elasticsearch",
    11211: "Memcached",
    26257: "CockroachDB",
    27017: "MongoDB",
}
_LASTING = {
    VPC: "network",
    VOLUME: "volume",
    RESERVED_IP: "address",
    LOAD_BALANCER: "load balancer",
    BUCKET: "bucket",
    DATABASE: "database",
}
MAKES_BUCKETS = "spaces-key"  # stays in the state, and is sent to no host
_WHOLE = (1, 65535)
_OWN_V6 = ipaddress.IPv6Network("fc00::/7")


def open_ports(record: Record, _env: str) -> Iterator[str]:
    """No database, no part of the monitoring but Caddy, no Docker and no SSH is open to the world."""
    if record.type != FIREWALL:
        return
    for rule in record.objects("inboundRules"):
        world = [one for one in items(rule.get("sourceAddresses")) if isinstance(one, str) and _world(one)]
        if not world or rule.get("protocol") == "icmp":
            continue
        first, last = _range(rule.get("portRange"))
        for port, what in sorted(CLOSED.items()):
            if first <= port <= last:
                fix = (
                    "name the networks of your admins in fleetwatch:access admin_cidrs"
                    if port == SSH
                    else "take it out; people and pushes come through Caddy's 443 and 80"
                )
                yield (
                    f"{record.called}: inbound {rule.get('protocol')} {rule.get('portRange') or 'all ports'} lets "
                    f"{', '.join(world)} in to {port} ({what}); expected no source as wide as the world; {fix}"
                )


def protected(record: Record, env: str) -> Iterator[str]:
    """In production Pulumi refuses to delete what bears data, and the address that names point at."""
    if env != PRODUCTION or record.protect:
        return
    what = _LASTING.get(record.type) or ("hub" if record.type == DROPLET and _is_hub(record) else "")
    if what:
        yield (
            f"{record.called}: the {what} is not protected; expected protect in {PRODUCTION}; take "
            "`protect: false` out of fleetwatch:cloud (put it there only for the one run that removes it on purpose)"
        )


def backups(record: Record, env: str) -> Iterator[str]:
    """In production every droplet has the provider's backups."""
    if env != PRODUCTION or record.type != DROPLET or record.hidden("backups"):
        return
    if record.properties.get("backups") is not True:
        yield (
            f"{record.called}: it has no backups; expected them in {PRODUCTION}; set `backups: true` under its "
            "`droplet` in the stack file"
        )


def private_network(record: Record, _env: str) -> Iterator[str]:
    """Every droplet is in a network of this stack's own, not in the default one that the account's others share."""
    if record.type != DROPLET or record.hidden("vpcUuid"):
        return
    if not record.properties.get("vpcUuid"):
        yield (
            f"{record.called}: it is in no VPC of this stack; expected vpcUuid; take its `region` out, so that it is "
            "where the hub is, or name a machine elsewhere as `server`"
        )


def private_bucket(record: Record, _env: str) -> Iterator[str]:
    """A bucket is private, and a key is for one bucket, but for the key that makes buckets."""
    acl = record.properties.get("acl")
    if record.type == BUCKET and acl not in (None, "private") and not record.hidden("acl"):
        yield f"{record.called}: its ACL is {acl}; expected private; take `acl` out"
    if record.type != BUCKET_KEY or record.name == MAKES_BUCKETS:
        return
    for grant in record.objects("grants"):
        if grant.get("permission") == "fullaccess" or not grant.get("bucket"):
            yield (
                f"{record.called}: it is for every bucket of the account; expected a grant for one bucket, with the "
                "permission read or readwrite; name the bucket in `grants`"
            )


def _is_hub(record: Record) -> bool:
    """By the tag that lets the nodes of a hub reach each other, or by its name."""
    named = [record.properties.get("name"), *record.values("tags")]
    return record.name == "hub-droplet" or any(isinstance(one, str) and one.endswith("-hub") for one in named)


def _world(source: str) -> bool:
    """Whether a network is so wide that it limits nothing: all addresses, also in two or more halves."""
    try:
        network = ipaddress.ip_network(source, strict=False)
    except ValueError:
        return False
    if isinstance(network, ipaddress.IPv4Network):
        return network.prefixlen < 8
    return network.prefixlen < 16 and not network.subnet_of(_OWN_V6)


def _range(value: Any) -> tuple[int, int]:
    """First and last port. DigitalOcean takes `all`, 0 and nothing for every port; so is what cannot be read."""
    first, _, last = str(value or "").partition("-")
    if not first.isdecimal() or int(first) == 0 or (last and not last.isdecimal()):
        return _WHOLE
    return int(first), int(last or first)
