"""Valkey: sessions, limits, cached answers and jobs. Every call either works or raises Problem 503 within seconds."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from typing import Any

import sqlalchemy as sa
import valkey
from valkey.exceptions import ValkeyError

from ask.service import config, problems
from ask.service.breaker import Breaker
from ask.service.store import Window

PREFIX = "ask:"
CONNECT, ANSWER, WAIT = 2.0, 3.0, 2.0  # seconds: to connect, for an answer, for a connection of the pool
# Times are the server's, so replicas agree. Counts what happened in the window, adds this one if it is allowed.
_WINDOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local window, limit = tonumber(ARGV[1]) * 1000, tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '(' .. now + 1000, '+inf')
local count = redis.call('ZCARD', KEYS[1])
local allowed = 0
if count < limit then
  redis.call('ZADD', KEYS[1], now, ARGV[3])
  redis.call('PEXPIRE', KEYS[1], window)
  count, allowed = count + 1, 1
end
local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
local reset = first[2] and (first[2] + window - now) or window
return {allowed, count, math.ceil(reset / 1000)}
"""


# Members with the time at which each ends by itself. Adds one if there is a place; what is over is taken out first.
_ENTER = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local places, lease = tonumber(ARGV[1]), tonumber(ARGV[2]) * 1000
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '(' .. now + lease + 1000, '+inf')
if redis.call('ZCARD', KEYS[1]) >= places then return 0 end
redis.call('ZADD', KEYS[1], now + lease, ARGV[3])
redis.call('PEXPIRE', KEYS[1], lease)
return 1
"""
_RENEW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease = tonumber(ARGV[1]) * 1000
for index = 2, #ARGV do redis.call('ZADD', KEYS[1], 'XX', now + lease, ARGV[index]) end
return redis.call('PEXPIRE', KEYS[1], lease)
"""
_REMEMBER = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease = tonumber(ARGV[1]) * 1000
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + lease, ARGV[2])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
return redis.call('PEXPIREAT', KEYS[1], last[2])
"""


class InValkey:
    """A Store. A client with a bounded pool; all keys begin with `ask:`."""

    def __init__(self, settings: config.Valkey) -> None:
        password = config.secret(settings.password_file) if settings.password_file else None
        make: Any = valkey.BlockingConnectionPool  # without types
        pool = make(
            host=settings.host,
            port=settings.port,
            password=password,
            max_connections=20,
            timeout=WAIT,
            socket_timeout=ANSWER,
            socket_connect_timeout=CONNECT,
            health_check_interval=30,
            decode_responses=True,
        )
        self.client: Any = valkey.Valkey(connection_pool=pool)  # its types are unions with those of asyncio
        self._window: Any = self.client.register_script(_WINDOW)
        self._enter: Any = self.client.register_script(_ENTER)
        self._renew: Any = self.client.register_script(_RENEW)
        self._remember: Any = self.client.register_script(_REMEMBER)
        self._breaker = Breaker()

    def _answering(self) -> AbstractContextManager[None]:
        return self._breaker.guard((ValkeyError, OSError), problems.valkey_down)

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def within(self, connection: sa.Connection) -> InValkey:
        """Itself: it uses no connection of the database."""
        return self

    def ping(self) -> None:
        """Raises Problem 503 if the server does not answer."""
        with self._answering():
            self.client.ping()

    def window(self, name: str, seconds: int, limit: int, unique: str) -> Window:
        """Count a request in a sliding window."""
        with self._answering():
            allowed, count, reset = self._window(keys=[f"{PREFIX}limit:{name}"], args=[seconds, limit, unique])
        return Window(bool(allowed), limit, max(0, limit - int(count)), int(reset))

    def clear_window(self, name: str) -> None:
        """Forget what was counted."""
        self.delete(f"limit:{name}")

    def enter(self, group: str, member: str, places: int, lease: int) -> bool:
        """Take one of the places of a group; without `renew` it is free again after `lease` seconds."""
        with self._answering():
            return bool(self._enter(keys=[PREFIX + group], args=[places, lease, member]))

    def renew(self, group: str, members: list[str], lease: int) -> None:
        """Keep places for another `lease` seconds; one that was lost meanwhile stays lost."""
        with self._answering():
            self._renew(keys=[PREFIX + group], args=[lease, *members])

    def leave(self, group: str, member: str) -> None:
        """Give a place back."""
        with self._answering():
            self.client.zrem(PREFIX + group, member)

    def get(self, name: str) -> dict[str, Any] | None:
        """A JSON document."""
        with self._answering():
            found = self.client.get(PREFIX + name)
        if found is None:
            return None
        document = json.loads(found)
        return document if isinstance(document, dict) else None

    def put(
        self, name: str, document: dict[str, Any], seconds: int, only_new: bool = False, largest: int | None = None
    ) -> bool:
        """Keep a JSON document for a time; False if `only_new` and there is one, or if it is too large."""
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        if largest is not None and len(text) > largest:
            return False
        with self._answering():
            return bool(self.client.set(PREFIX + name, text, ex=max(1, seconds), nx=only_new))

    def delete(self, *names: str) -> None:
        """Remove documents."""
        with self._answering():
            self.client.delete(*(PREFIX + one for one in names))

    def remember(self, group: str, member: str, seconds: int) -> None:
        """Add to a set for a time; what is over is taken out."""
        with self._answering():
            self._remember(keys=[PREFIX + group], args=[seconds, member])

    def members(self, group: str) -> list[str]:
        """The members of a set."""
        with self._answering():
            return sorted(self.client.zrange(PREFIX + group, 0, -1))

    def length(self, name: str) -> int:
        """Of a list."""
        with self._answering():
            return int(self.client.llen(PREFIX + name))

    def listed(self, name: str) -> list[str]:
        """The members of a list."""
        with self._answering():
            return list(self.client.lrange(PREFIX + name, 0, -1))

    def push(self, name: str, member: str) -> None:
        """Add at the end of a list."""
        with self._answering():
            self.client.rpush(PREFIX + name, member)

    def remove(self, name: str, member: str) -> bool:
        """Take out of a list; False if it is not in it."""
        with self._answering():
            return bool(self.client.lrem(PREFIX + name, 1, member))

    def take(self, name: str, other: str, seconds: int) -> str | None:
        """Move the first member to another list; waits for one, None if there is none."""
        with self._answering():
            found = self.client.blmove(PREFIX + name, PREFIX + other, seconds, "LEFT", "RIGHT")
        return None if found is None else str(found)
