"""Which of the hub's containers take, evaluate and answer for metrics, by the kind of `hub.storage`.

Prometheus does all three on the hub's disk. In a bucket Thanos has a container for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from configs import names

if TYPE_CHECKING:
    from configs.settings import Settings

PROMETHEUS = "prometheus"
RECEIVE, STORE, COMPACT, QUERY, RULE = (
    "thanos-receive",
    "thanos-store",
    "thanos-compact",
    "thanos-query",
    "thanos-rule",
)
RULES = 2  # of a cluster: alerts go on while one is away
THANOS = (RECEIVE, STORE, COMPACT, QUERY, RULE)

# Matchers of the scrape job, for both kinds: the metrics of Prometheus' database, and those of its rules.
TSDB_JOB = f'job=~"{PROMETHEUS}|{RECEIVE}"'
RULES_JOB = f'job=~"{PROMETHEUS}|{RULE}"'


def in_bucket(settings: Settings) -> bool:
    """Whether metrics and logs are in a bucket."""
    return settings.hub.storage.in_bucket is not None


def reader(settings: Settings) -> str:
    """The role that answers queries, at PROMETHEUS_PORT and by Prometheus' API."""
    return QUERY if in_bucket(settings) else PROMETHEUS


def writer(settings: Settings) -> tuple[str, str]:
    """The address that takes remote write, and the path there."""
    if in_bucket(settings):
        return names.address(settings.prefix, RECEIVE, names.RECEIVE_PORT), "/api/v1/receive"
    return names.address(settings.prefix, PROMETHEUS, names.PROMETHEUS_PORT), names.METRICS_PUSH


def roles(settings: Settings, host: str = "hub") -> tuple[str, ...]:
    """All roles on this host that metrics need. Of a cluster's nodes one has Compact and two have Rule."""
    if not in_bucket(settings):
        return (PROMETHEUS,)
    hosts = settings.hub.hosts
    runs = {COMPACT: hosts[:1], RULE: hosts[:RULES]}
    return tuple(role for role in THANOS if host in runs.get(role, hosts))


def rule_nodes(settings: Settings) -> tuple[str, ...]:
    """The nodes of a cluster that have Rule."""
    return tuple(settings.hub.nodes.values())[:RULES]
