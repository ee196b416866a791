"""What the stand-ins for providers have in common: a server on loopback whose requests are kept as the bytes of the
wire, one for each connection."""

from __future__ import annotations

import contextlib
import json
import socketserver
import threading
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar


class Fake(Protocol):
    """What a test sees of a stand-in."""

    port: int


Kind = TypeVar("Kind", bound=Fake)


@dataclass(frozen=True)
class Request:
    """One request; `received` is all of it."""

    path: str
    headers: dict[str, str]
    body: Any
    received: bytes


class Server(socketserver.ThreadingTCPServer, Generic[Kind]):
    """Serves for a stand-in."""

    daemon_threads = True
    allow_reuse_address = True
    fake: Kind


class Handler(socketserver.StreamRequestHandler, Generic[Kind]):
    """HTTP/1.1 with one request for each connection."""

    server: Server[Kind]

    def handle(self) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.rfile.readline()
            if not line:
                return
            head += line
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)}
        body = self.rfile.read(int(headers["content-length"]))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.answer(self.server.fake, Request(first.split(" ")[1], headers, json.loads(body), head + body))

    @abstractmethod
    def answer(self, fake: Kind, request: Request) -> None:
        """Send a response, or none."""

    def send(self, status: int, document: Any, more: dict[str, str] | None = None) -> None:
        """A response: JSON, or a text as it is."""
        data = document.encode() if isinstance(document, str) else json.dumps(document).encode()
        headers = {"content-type": "application/json", "content-length": str(len(data)), "connection": "close"}
        lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in {**headers, **(more or {})}.items())]
        self.wfile.write("\r\n".join(lines).encode() + b"\r\n\r\n" + data)


@contextlib.contextmanager
def serving(fake: Kind, handler: type[Handler[Kind]]) -> Iterator[Kind]:
    """The stand-in on a free port."""
    with Server[Kind](("127.0.0.1", 0), handler) as server:
        server.fake = fake
        fake.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield fake
        finally:
            server.shutdown()
            thread.join(timeout=10)
