"""Servers that hang: a relay in front of a real one that can be held, and a listener that accepts and never answers."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Relay:
    """Passes connections on to a port. While it is held, it accepts and takes what is sent, and passes nothing on."""

    target: int
    _listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    _open: threading.Event = field(default_factory=threading.Event)
    _ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._open.set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hang for a time."""
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()

    def close(self) -> None:
        """End everything."""
        self._ended.set()
        self._open.set()
        self._listener.close()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass, args=(client,), daemon=True).start()

    def _pass(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            self._open.wait()
            with socket.create_connection(("127.0.0.1", self.target)) as server:
                while not self._ended.is_set():
                    ready = select.select([client, server], [], [], 0.5)[0]
                    for one in ready:
                        self._open.wait()
                        data = one.recv(65536)
                        if not data:
                            return
                        (server if one is client else client).sendall(data)


@contextlib.contextmanager
def relay(target: int) -> Iterator[Relay]:
    """A relay for a block."""
    made = Relay(target)
    try:
        yield made
    finally:
        made.close()


@contextlib.contextmanager
def silent(sent: bytes = b"", every: float = 0.2) -> Iterator[int]:
    """The port of a listener that accepts and never answers; or sends a byte of `sent` now and then, without an end."""
    listener, ended = socket.create_server(("127.0.0.1", 0)), threading.Event()
    kept: list[socket.socket] = []

    def drip(client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            client.sendall(sent)
            while not ended.wait(every):
                client.sendall(b" ")

    def accept() -> None:
        while not ended.is_set():
            try:
                client, _ = listener.accept()
            except OSError:
                return
            kept.append(client)
            if sent:
                threading.Thread(target=drip, args=(client,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        ended.set()
        listener.close()
        for one in kept:
            one.close()


@contextlib.contextmanager
def ends_within(seconds: float) -> Iterator[None]:
    """Fails if the block takes longer."""
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    assert took < seconds, f"it took {took:.1f} s"
