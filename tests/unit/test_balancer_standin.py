"""The stand-in for a load balancer, with targets on this machine's loopback addresses."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from localcloud.standins.balancer import Balancer

HERE = "127.0.0.1"
TARGETS = ("127.0.0.2", "127.0.0.3")


class Target:
    """An HTTP server that shows how a connection began and which target it is; `ready` is its answer to a check."""

    def __init__(self, address: str) -> None:
        self.address, self.ready, self.first = address, True, b""
        self.server: asyncio.Server | None = None

    async def up(self, port: int) -> None:
        self.server = await asyncio.start_server(self._serve, self.address, port)

    async def down(self) -> None:
        assert self.server is not None
        self.server.close()
        await self.server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            line = await reader.readline()
            if line.startswith(b"PROXY"):
                self.first, line = line, await reader.readline()
            status = b"200" if self.ready or b"/ready" not in line else b"503"
            writer.write(b"HTTP/1.0 " + status + b" x\r\n\r\n" + self.address.encode() + b" " + self.first)
            await writer.drain()
        writer.close()


def _port() -> int:
    with socket.socket() as found:
        found.bind((HERE, 0))
        number: int = found.getsockname()[1]
    return number


class Rig:
    """A balancer in front of two targets, and a client."""

    def __init__(self, file: Path) -> None:
        self.file, self.entry, self.port = file, _port(), _port()
        self.targets = [Target(address) for address in TARGETS]
        self.balancer = Balancer(file, HERE)

    def write(self, **more: Any) -> None:
        health = {"port": self.port, "path": "/ready", "interval": 0.05, "timeout": 1, "unhealthy": 2, "healthy": 2}
        config = {"rules": {str(self.entry): self.port}, "targets": TARGETS, "health": health, "proxy": True, **more}
        self.file.write_text(json.dumps(config))

    async def ask(self) -> bytes:
        reader, writer = await asyncio.open_connection(HERE, self.entry)
        try:
            writer.write(b"GET / HTTP/1.0\r\n\r\n")
            return (await reader.read()).partition(b"\r\n\r\n")[2]
        except OSError:
            return b""
        finally:
            writer.close()

    async def until(self, *addresses: str) -> None:
        for _ in range(200):
            if self.balancer.ready == set(addresses):
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"ready: {self.balancer.ready}, expected {addresses}")


@contextlib.asynccontextmanager
async def _running(file: Path, **more: Any) -> AsyncIterator[Rig]:
    rig = Rig(file)
    rig.write(**more)
    for target in rig.targets:
        await target.up(rig.port)
    serving = asyncio.ensure_future(rig.balancer.run())
    try:
        await rig.until(*TARGETS)
        yield rig
    finally:
        serving.cancel()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("localcloud.standins.balancer.LOOK", 0.02)
    return tmp_path / "balancer.json"


def test_connections_go_round_and_begin_with_the_clients_address(file: Path) -> None:
    async def story() -> list[bytes]:
        async with _running(file) as rig:
            return [await rig.ask() for _ in range(4)]

    answers = asyncio.run(story())
    assert {answer.split()[0].decode() for answer in answers} == set(TARGETS)
    for answer in answers:
        words = answer.split()[1:]
        assert words[:4] == [b"PROXY", b"TCP4", HERE.encode(), HERE.encode()]
        assert words[4].isdigit()


def test_without_it_a_connection_is_passed_on_as_it_is(file: Path) -> None:
    async def story() -> bytes:
        async with _running(file, proxy=False) as rig:
            return await rig.ask()

    assert b"PROXY" not in asyncio.run(story())


def test_a_target_that_is_not_ready_or_away_gets_nothing_until_it_is_back(file: Path) -> None:
    async def story() -> None:
        async with _running(file) as rig:
            first, second = rig.targets
            first.ready = False
            await rig.until(second.address)
            assert {(await rig.ask()).split()[0] for _ in range(3)} == {second.address.encode()}
            await second.down()
            assert await rig.ask() == b"", "closed at once: nobody is there"
            await rig.until()
            first.ready = True
            await rig.until(first.address)
            assert (await rig.ask()).startswith(first.address.encode())

    asyncio.run(story())


def test_its_file_is_read_again(file: Path) -> None:
    async def story() -> None:
        async with _running(file) as rig:
            file.write_text("{")  # half of it
            await asyncio.sleep(0.1)
            rig.write(targets=TARGETS[1:])
            await rig.until(TARGETS[1])
            assert {(await rig.ask()).split()[0] for _ in range(3)} == {TARGETS[1].encode()}

    asyncio.run(story())


def test_without_a_path_a_connection_is_enough(file: Path) -> None:
    async def story() -> None:
        async with _running(file) as rig:
            for target in rig.targets:
                target.ready = False
            await rig.until()
            health = {"port": rig.port, "path": "", "interval": 0.05, "timeout": 1, "unhealthy": 2, "healthy": 2}
            rig.write(health=health)
            await rig.until(*TARGETS)

    asyncio.run(story())
