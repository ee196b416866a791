"""Alerts about memcached, from memcached_exporter.

Saturation is about connections. A full cache that evicts items does what it is made for, and how much eviction is too
much depends on the application; the dashboard shows it beside the hit ratio. A memcached at its limit of connections
refuses new ones, and an application without its cache is slow or fails.
"""

from __future__ import annotations

from configs.rules.counters import COUNT, increase_of, nonzero_rounded
from configs.rules.exporters.shared import BY, SERVER, down
from configs.rules.model import Alert
from configs.settings.thresholds import Thresholds


def _connections(matchers: str, limits: Thresholds) -> str:
    selector = f'{{job="memcached"{matchers}}}'
    used = f"memcached_current_connections{selector} / memcached_max_connections{selector}"
    return f"max by ({BY}) ({used}) > {limits.memcached_connections}"


def _rejected(matchers: str, _: Thresholds) -> str:
    """By default memcached closes a connection beyond its limit; with `-o no_maxconns_fast` it accepts none meanwhile,
    and has no counter of closed ones.
    The limit is lower than `-c`: memcached keeps file descriptors for its threads."""
    rejected, disabled = (
        increase_of(f"memcached_connections_{name}_total", f'job="memcached"{matchers}', "10m")
        for name in ("rejected", "listener_disabled")
    )
    return nonzero_rounded(f"sum by ({BY}) (({rejected} > 0) or {disabled})")


RULES = (
    down(
        "memcached",
        "memcached",
        "memcached_up",
        "The exporter cannot connect or is down: memcached stopped, or it does not accept connections any more.",
    ),
    Alert(
        name="MemcachedConnections",
        expr=_connections,
        keys=("memcached_connections",),
        summary="memcached " + SERVER + " uses {{ $value | humanizePercentage }} of its connections",
        description="At the limit (option -c) it refuses new connections, also that of its exporter.",
        board="memcached",
    ),
    Alert(
        name="MemcachedRejectsConnections",
        expr=_rejected,
        wait="0s",
        summary="memcached " + SERVER + " rejected " + COUNT + " connections in 10 minutes",
        description="It reached its limit of connections (option -c).",
        board="memcached",
    ),
)
