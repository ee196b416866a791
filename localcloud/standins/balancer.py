"""Stand-in for DigitalOcean's load balancer: a TCP proxy that checks whether its targets are ready.

`python3 balancer.py FILE`: FILE is JSON, read again whenever it changes: `rules` (entry port -> target port), `targets`
(addresses), `health` (port, path, interval, timeout, unhealthy, healthy; times in seconds; without a path a connection
is enough) and `proxy`, whether each connection begins with the client's address (PROXY protocol, version 1). Standard
library alone: it runs in a container that has nothing else.

As the real one does: round robin over the ready targets, a new target is not ready before its first checks, and a
connection is closed at once while none is ready. It differs in two places: a target that refuses a connection is left
out for that connection, and what is open goes on when a target stops being ready.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import signal
import sys
from pathlib import Path
from typing import Any

CONNECT = 5  # seconds
LOOK = 0.5  # seconds between two looks at the file
CHUNK = 65536

Config = dict[str, Any]


def header(client: tuple[Any, ...], here: tuple[Any, ...]) -> bytes:
    """The line of the PROXY protocol: the client's address and port, and those it connected to."""
    return f"PROXY TCP4 {client[0]} {here[0]} {client[1]} {here[1]}\r\n".encode()


class Balancer:
    """The listeners and the knowledge of who is ready, for one file."""

    def __init__(self, file: Path, address: str = "0.0.0.0") -> None:
        self._file, self._address = file, address
        self._read = ""
        self._config: Config = {"rules": {}, "targets": [], "health": {}, "proxy": False}
        self._servers: dict[tuple[int, int], asyncio.Server] = {}
        self._checks: dict[str, asyncio.Task[None]] = {}
        self.ready: set[str] = set()
        self._turn = itertools.count()

    async def run(self) -> None:
        """Serve until cancelled."""
        while True:
            text = self._file.read_text()  # `docker cp` leaves no other trace of a change than the content
            if text != self._read:
                with contextlib.suppress(ValueError):  # half of it is written: read again
                    config = json.loads(text)
                    self._read = text
                    await self._take(config)
            await asyncio.sleep(LOOK)

    async def _take(self, config: Config) -> None:
        changed = config["health"] != self._config["health"]
        self._config = config
        for target in [one for one in self._checks if changed or one not in config["targets"]]:
            self._checks.pop(target).cancel()
            self.ready.discard(target)
        for target in config["targets"]:
            if target not in self._checks:
                self._checks[target] = asyncio.create_task(self._check(target))
        wanted = {(int(entry), int(port)) for entry, port in config["rules"].items()}
        for gone in set(self._servers) - wanted:
            self._servers.pop(gone).close()
        for entry, port in sorted(wanted - set(self._servers)):
            self._servers[entry, port] = await self._listen(entry, port)

    async def _listen(self, entry: int, port: int) -> asyncio.Server:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._pass_on(port, reader, writer)

        return await asyncio.start_server(serve, self._address, entry)

    async def _check(self, target: str) -> None:
        """Ask one target again and again. Thresholds count answers of one kind in a row."""
        row, health = 0, self._config["health"]
        while True:
            good = await self._answers(target, health)
            row = row + 1 if good != (target in self.ready) else 0
            if good and row >= health["healthy"]:
                self.ready.add(target)
            elif not good and row >= health["unhealthy"]:
                self.ready.discard(target)
            await asyncio.sleep(health["interval"])

    async def _answers(self, target: str, health: Config) -> bool:
        try:
            return await asyncio.wait_for(self._asked(target, health), health["timeout"])
        except (OSError, asyncio.TimeoutError, ValueError, IndexError):
            return False

    async def _asked(self, target: str, health: Config) -> bool:
        reader, writer = await asyncio.open_connection(target, health["port"])
        try:
            if not health["path"]:
                return True
            if self._config["proxy"]:
                here = writer.get_extra_info("sockname")
                writer.write(header(here, writer.get_extra_info("peername")))
            writer.write(f"GET {health['path']} HTTP/1.0\r\nHost: {target}\r\n\r\n".encode())
            status = (await reader.readline()).split()[1]
            return 200 <= int(status) < 400
        finally:
            writer.close()

    async def _pass_on(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            found = await self._target(port)
            if found is None:
                return
            if self._config["proxy"]:
                found[1].write(header(writer.get_extra_info("peername"), writer.get_extra_info("sockname")))
            await asyncio.gather(_pump(reader, found[1]), _pump(found[0], writer))
        finally:
            writer.close()

    async def _target(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        ready = sorted(self.ready)
        first = next(self._turn)
        for step in range(len(ready)):
            target = ready[(first + step) % len(ready)]
            with contextlib.suppress(OSError, asyncio.TimeoutError):
                return await asyncio.wait_for(asyncio.open_connection(target, port), CONNECT)
        return None


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One direction. Its end closes that direction alone, an error both."""
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        writer.close()


async def main(file: Path) -> None:
    """Serve until SIGTERM."""
    serving = asyncio.ensure_future(Balancer(file).run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, serving.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await serving


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
