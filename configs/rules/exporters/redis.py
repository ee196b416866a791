"""Alerts about Redis and Valkey, from redis_exporter."""

from __future__ import annotations

from configs.rules.exporters.shared import BY, SERVER, down
from configs.rules.model import Alert
from configs.settings.thresholds import Thresholds

NO_LIMIT = "no server has a limit (maxmemory)"


def _memory(matchers: str, limits: Thresholds) -> str:
    """Of a server that may evict any key: it is a cache, which is full in its usual state."""
    selector = f'{{job="redis"{matchers}}}'
    used = f"redis_memory_used_bytes{selector} / (redis_memory_max_bytes{selector} > 0)"
    cache = f'redis_instance_info{{job="redis",maxmemory_policy=~"allkeys-.+"{matchers}}}'
    return f"max by ({BY}) ({used}) > {limits.redis_memory} unless on ({BY}) {cache}"


RULES = (
    down(
        "redis",
        "Redis",
        "redis_up",
        "The exporter cannot log in or is down: the server stopped, the password changed, or no connection is left.",
    ),
    Alert(
        name="RedisMemory",
        expr=_memory,
        keys=("redis_memory",),
        summary="Redis " + SERVER + " uses {{ $value | humanizePercentage }} of its memory",
        description="At maxmemory it refuses to write, or evicts keys that have an expiry. A cache that may evict any "
        "key (allkeys-...) does not raise this alert.",
        board="redis",
        empty=NO_LIMIT,
    ),
)
