"""What all resource families share: the request, the reply, the cloud, and the pages of a list."""

from __future__ import annotations

import ipaddress
import json
import re
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from localcloud.cloud.backend import Backend, Rule
from localcloud.cloud.errors import bad_request, unprocessable
from localcloud.cloud.store import Json, Store

PER_PAGE, MOST_PER_PAGE = 20, 200


@dataclass
class Cloud:
    """One rehearsal cloud. The addresses of the network `internet` are the public ones."""

    name: str
    store: Store
    machines: Backend
    internet: ipaddress.IPv4Network
    # The rules that are applied on the running droplets, and the lock for applying them.
    applied: dict[int, tuple[tuple[Rule, ...] | None, tuple[Rule, ...] | None]] = field(default_factory=dict)
    # What each load balancer does now.
    balanced: dict[str, Json] = field(default_factory=dict)
    # The addresses that are let in to each managed database; None: all.
    sources: dict[str, tuple[str, ...] | None] = field(default_factory=dict)
    firewall_lock: threading.RLock = field(default_factory=threading.RLock)
    # Limits the number of concurrent actions: more would only slow each other down.
    turn: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(4))
    # Held while a network is created or removed: two at once could take the same range.
    network_lock: threading.RLock = field(default_factory=threading.RLock)

    def say(self, text: str) -> None:
        """Prints one line for the user of the service."""
        print(f"rehearsal cloud {self.name}: {text}", file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Request:
    """One authenticated request. `base` is scheme, host and port as the client wrote them."""

    method: str
    path: str
    query: dict[str, str]
    body: Json
    base: str

    def text(self, key: str, default: str | None = None) -> str:
        """A text of the body, which is required without a default. Raises 422."""
        found = self.body.get(key)
        if found is None and default is not None:
            return default
        if not isinstance(found, str) or (default is None and not found):
            raise unprocessable(f"{key} is missing or is not a text")
        return found

    def number(self, key: str) -> int:
        """A required whole number of the body; a client may send it as text. Raises 422."""
        found = self.body.get(key)
        if isinstance(found, str) and found.isdecimal():
            return int(found)
        if not isinstance(found, int) or isinstance(found, bool):
            raise unprocessable(f"{key} is missing or is not a number")
        return found

    def flag(self, key: str, default: bool = False) -> bool:
        """A boolean of the body. Raises 422."""
        found = self.body.get(key)
        if found is None:
            return default
        if not isinstance(found, bool):
            raise unprocessable(f"{key} is neither true nor false")
        return found

    def items(self, key: str) -> list[Any]:
        """A list of the body. A missing key and null are the empty list, as in the real API. Raises 422."""
        found = self.body.get(key)
        if found is None:
            return []
        if not isinstance(found, list):
            raise unprocessable(f"{key} is not a list")
        return found


class Reply:
    """A reply. It serialises `body` immediately, because the data in it may change after the lock is released."""

    def __init__(self, status: int, body: Json | None = None) -> None:
        self.status = status
        self.content = b"" if body is None else json.dumps(body).encode()


NO_CONTENT = Reply(204)
Handler = Callable[..., Reply]


@dataclass(frozen=True)
class Route:
    """`pattern` is a path whose {parts} become keyword arguments of the handler."""

    method: str
    pattern: str
    handler: Handler

    def match(self, method: str, path: str) -> dict[str, str] | None:
        if method != self.method:
            return None
        found = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.pattern), path)
        return found.groupdict() if found else None


def page(request: Request, key: str, items: Iterable[Json]) -> Reply:
    """One page of a list, with the links to the others."""
    everything = list(items)
    number, size = _positive(request, "page", 1), min(_positive(request, "per_page", PER_PAGE), MOST_PER_PAGE)
    last = max(1, -(-len(everything) // size))
    links: dict[str, str] = {}
    if number > 1:
        links |= {"first": _page_url(request, 1), "prev": _page_url(request, number - 1)}
    if number < last:
        links |= {"next": _page_url(request, number + 1), "last": _page_url(request, last)}
    shown = everything[(number - 1) * size : number * size]
    return Reply(200, {key: shown, "links": {"pages": links} if links else {}, "meta": {"total": len(everything)}})


def _positive(request: Request, key: str, default: int) -> int:
    text = request.query.get(key, str(default))
    if not text.isdecimal() or int(text) < 1:
        raise bad_request(f"{key} must be a number from 1 on")
    return int(text)


def _page_url(request: Request, number: int) -> str:
    return f"{request.base}{request.path}?{urlencode({**request.query, 'page': str(number)})}"
