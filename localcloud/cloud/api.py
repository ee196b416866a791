"""What every resource family works with: the request, the reply, the cloud itself, and pages of a list."""

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
    """One rehearsal cloud. `internet` is the network whose addresses are the public ones."""

    name: str
    store: Store
    machines: Backend
    internet: ipaddress.IPv4Network
    # Rules as they are on the running droplets, and the lock under which they are brought there.
    applied: dict[int, tuple[tuple[Rule, ...] | None, tuple[Rule, ...] | None]] = field(default_factory=dict)
    firewall_lock: threading.RLock = field(default_factory=threading.RLock)
    # How many actions run at once: more would only make each slower.
    turn: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(4))
    # Held while a network is being made or removed: two at once could take one range.
    network_lock: threading.RLock = field(default_factory=threading.RLock)

    def say(self, text: str) -> None:
        """One line for who runs the service."""
        print(f"rehearsal cloud {self.name}: {text}", file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Request:
    """One request whose token was right. `base` is scheme, host and port as the client wrote them."""

    method: str
    path: str
    query: dict[str, str]
    body: Json
    base: str

    def text(self, key: str, default: str | None = None) -> str:
        """A text of the body; without a default it must be there."""
        found = self.body.get(key)
        if found is None and default is not None:
            return default
        if not isinstance(found, str) or (default is None and not found):
            raise unprocessable(f"{key} is missing or is not a text")
        return found

    def number(self, key: str) -> int:
        """A whole number of the body that must be there; a client may send it as text."""
        found = self.body.get(key)
        if isinstance(found, str) and found.isdigit():
            return int(found)
        if not isinstance(found, int) or isinstance(found, bool):
            raise unprocessable(f"{key} is missing or is not a number")
        return found

    def flag(self, key: str, default: bool = False) -> bool:
        """A truth value of the body."""
        found = self.body.get(key)
        if found is None:
            return default
        if not isinstance(found, bool):
            raise unprocessable(f"{key} is neither true nor false")
        return found

    def items(self, key: str) -> list[Any]:
        """A list of the body; absent and null are the empty list, as for the real API."""
        found = self.body.get(key)
        if found is None:
            return []
        if not isinstance(found, list):
            raise unprocessable(f"{key} is not a list")
        return found


class Reply:
    """An answer. Written out at once, because the data that `body` is made of may change when the lock is given up."""

    def __init__(self, status: int, body: Json | None = None) -> None:
        self.status = status
        self.content = b"" if body is None else json.dumps(body).encode()


NO_CONTENT = Reply(204)
Handler = Callable[..., Reply]


@dataclass(frozen=True)
class Route:
    """`pattern` is a path whose {parts} are handed to the handler by name."""

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
    if not text.isdigit() or int(text) < 1:
        raise bad_request(f"{key} must be a number from 1 on")
    return int(text)


def _page_url(request: Request, number: int) -> str:
    return f"{request.base}{request.path}?{urlencode({**request.query, 'page': str(number)})}"
