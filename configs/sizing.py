"""How much memory a hub needs for its hosts, and the warnings of a preview where it has less.

The figures are here alone; docs/growing.md has the table that follows from them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from configs import cost, services
from configs.memory import ASK, droplet_memory, sizes
from configs.metrics_store import in_bucket
from configs.services.spec import MB
from configs.settings import Settings

SERIES = 4000  # of a host, unless its `metrics.sample_rate` is given; tests/bench/growth.py has the same
INTERVAL = 15  # seconds between two samples of a series
# Beyond what was measured with values that stand still, without a query or a compaction: not measured, an assumption.
HEADROOM = 3
SHARE = 0.75  # of the droplet's memory; the rest is for the page cache and for an update
# Grafana 250, the edge of the hub's own host 110 (docs/figures.md), Alertmanager 20, system and Docker 320.
BESIDE = 700  # MB


@dataclass(frozen=True)
class Need:
    """Memory of a container in MB: `base` with its own host alone, `host` for each SERIES series more."""

    base: float
    host: float


# As tests/bench/growth.py measured with 10 to 400 hosts on 2026-12-01 (docs/figures.md): `host` is the rise
# between 10 and 400 hosts, `base` what is left, or what the hub of one host had if that is more. Assumed are Store and
# Compact, which had nothing to answer and to merge in these minutes, and what a Query or a Rule of many hosts holds.
NEEDS: Mapping[str, Mapping[str, Need]] = {
    "single": {"prometheus": Need(53, 7.5), "loki": Need(92, 1.0), "caddy": Need(18, 0.1)},
    "bucket": {
        "thanos-receive": Need(75, 8.8),
        "thanos-store": Need(60, 1.0),
        "thanos-compact": Need(60, 1.0),
        "thanos-query": Need(40, 0.5),
        "thanos-rule": Need(60, 0.5),
        "loki": Need(92, 1.4),
        "caddy": Need(18, 0.1),
    },
}


def warnings(settings: Settings) -> Iterator[str]:
    """A sentence for the hub's droplet if it is too small, and for each container whose limit is."""
    # A node of a cluster has the series of all hosts, as the one hub has.
    kind, count = "bucket" if in_bucket(settings) else "single", series(settings)
    number = len(settings.edges)
    hosts = f"{number} host{'s' if number > 1 else ''} with about {count} series"
    limits = {spec.role: spec.limits[0] // MB for spec in services.specs(settings, "hub")}
    ask = sum(limits.get(role, 0) for role in ASK)
    needed = total(kind, count) + ask
    for path, size in sizes(settings):
        memory = droplet_memory(size)
        if memory is None or needed <= memory:
            continue
        yield (
            f"{path}.size: {hosts} need a hub with about {needed} MB of memory, {size} has {memory} MB; "
            f'{_larger(needed)} (docs/growing.md, section "Where one hub ends")'
        )
    for role, need in NEEDS[kind].items():
        wanted = _of(need, count)
        if wanted > limits[role]:
            yield (
                f"hub.limits.{role.replace('-', '_')}.memory: {hosts} need about {wanted} MB in {role}, its limit is "
                f"{limits[role]} MB; raise it to {_rounded(wanted)}MB, or Docker ends it for lack of memory"
            )


def series(settings: Settings) -> int:
    """How many series all hosts are expected to have."""
    given = (edge.metrics for edge in settings.edges.values())
    return sum(one.sample_rate * INTERVAL if "sample_rate" in one.model_fields_set else SERIES for one in given)


def total(kind: str, count: int) -> int:
    """Megabytes of memory that the hub's machine needs for these series."""
    return math.ceil((BESIDE + sum(_of(need, count) for need in NEEDS[kind].values())) / SHARE)


def most_hosts(kind: str, memory: int) -> int:
    """How many hosts of SERIES series a machine with this memory (MB) serves as a hub; 0 if it is none."""
    hosts = 0
    while total(kind, (hosts + 1) * SERIES) <= memory:
        hosts += 1
    return hosts


def table() -> list[str]:
    """The lines of the table in docs/growing.md."""
    lines = ["| memory | such as | hosts, `single` | hosts, `bucket` |", "|---|---|---|---|"]
    for size in ("s-1vcpu-2gb", "s-2vcpu-4gb", "s-4vcpu-8gb", "s-8vcpu-16gb"):
        memory = droplet_memory(size) or 0
        hosts = " | ".join(str(most_hosts(kind, memory)) for kind in NEEDS)
        lines.append(f"| {memory // 1024} GB | `{size}` | {hosts} |")
    return lines


def _of(need: Need, count: int) -> int:
    return math.ceil(need.base + HEADROOM * need.host * count / SERIES)


def _rounded(megabytes: int) -> int:
    return math.ceil(megabytes / 256) * 256


def _larger(needed: int) -> str:
    """The cheapest size that has this memory, by the price list."""
    sizes = [(usd, size) for size, usd in cost.droplet_prices().items() if (droplet_memory(size) or 0) >= needed]
    if not sizes:
        return "divide the hosts among several stacks"
    return f"choose {min(sizes)[1]} or a larger one"
