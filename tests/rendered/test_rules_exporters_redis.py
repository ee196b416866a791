"""The alerts of Redis and Valkey in promtool."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.rendered.rules_rig import Case, check, fired, groups_of, settings_of

OF = '{job="redis",env="test",host="hub",server="cache"}'
CACHE = {"server": "cache"}
SETTINGS = settings_of({"hub": {"exporters": {"cache": {"redis": "cache"}}}})
UNREACHABLE = "Redis cache on hub is unreachable"

CASES = [
    Case(
        alert="RedisDown",
        when="the server does not answer its exporter",
        series={f"up{OF}": "1x60", f"redis_up{OF}": "1x20 0x40"},
        fires=[fired(UNREACHABLE, **CACHE)],
    ),
    Case(
        alert="RedisDown",
        when="the exporter is down",
        series={f"up{OF}": "1x20 0x40"},
        fires=[fired(UNREACHABLE, **CACHE)],
    ),
    Case(alert="RedisDown", when="it answers", series={f"up{OF}": "1x60", f"redis_up{OF}": "1x60"}),
    Case(
        alert="RedisMemory",
        when="95 % of maxmemory are used",
        series={f"redis_memory_used_bytes{OF}": "95x60", f"redis_memory_max_bytes{OF}": "100x60"},
        fires=[fired("Redis cache on hub uses 95% of its memory", **CACHE)],
    ),
    Case(
        alert="RedisMemory",
        when="half is used",
        series={f"redis_memory_used_bytes{OF}": "50x60", f"redis_memory_max_bytes{OF}": "100x60"},
    ),
    Case(
        alert="RedisMemory",
        when="it is a cache that may evict any key",
        series={
            f"redis_memory_used_bytes{OF}": "99x60",
            f"redis_memory_max_bytes{OF}": "100x60",
            f'redis_instance_info{OF[:-1]},maxmemory_policy="allkeys-lru"}}': "1x60",
        },
    ),
    Case(
        alert="RedisMemory",
        when="it has no limit",
        series={f"redis_memory_used_bytes{OF}": "95x60", f"redis_memory_max_bytes{OF}": "0x60"},
    ),
]


def test_redis_alerts_fire_or_stay_silent(tool: Any, tmp_path: Path) -> None:
    check(tool, tmp_path, SETTINGS, groups_of(SETTINGS, "redis"), CASES)


def test_every_redis_alert_has_a_firing_and_a_silent_case() -> None:
    alerts = {rule.name for group in groups_of(SETTINGS, "redis") for rule in group.rules}
    assert {case.alert for case in CASES if case.fires} == alerts == {case.alert for case in CASES if not case.fires}
