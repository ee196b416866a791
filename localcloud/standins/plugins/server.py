"""Serves a stand-in over gRPC to the Pulumi engine, on the SDK's own servicer.

It adds to the SDK's servicer: the user gets an exception's message only (not a Python repr); a resource that exists but
failed to start is reported as such, so that the engine records it; log lines go to the engine; and one process per run
reports that the run uses stand-ins.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.provider import Provider
from pulumi.provider.experimental.server import ProviderServicer
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    provider_pb2,
    provider_pb2_grpc,
    status_pb2,
)

# Many more operations than cores wait at the same time: for a container's health check or a command's end.
THREADS = 64
GUARDED = ("CheckConfig", "DiffConfig", "Configure", "Check", "Diff", "Create", "Read", "Update", "Delete", "Invoke")


class InitFailed(Exception):
    """The resource exists but failed (a container that does not start). The engine must still record it."""

    def __init__(
        self, reason: str, resource_id: str, properties: dict[str, PropertyValue], inputs: dict[str, PropertyValue]
    ) -> None:
        super().__init__(reason)
        self.resource_id, self.properties, self.inputs = resource_id, properties, inputs

    def status(self) -> grpc.Status:
        detail = provider_pb2.ErrorResourceInitFailed(
            id=self.resource_id,
            reasons=[str(self)],
            properties=PropertyValue.marshal_map(self.properties),
            inputs=PropertyValue.marshal_map(self.inputs),
        )
        packed = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(self))
        packed.details.add().Pack(detail)
        status = grpc.Status()
        status.code, status.details = grpc.StatusCode.UNKNOWN, str(self)
        status.trailing_metadata = (("grpc-status-details-bin", packed.SerializeToString()),)
        return status


class Log:
    """Sends log lines to the engine, from any thread. A line that cannot be delivered does not fail the update."""

    def __init__(self, engine: str) -> None:
        self._engine = engine
        self._stub: Any = None

    def info(self, message: str, urn: str = "", live: bool = False) -> None:
        """`live`: the engine shows the line beside the resource during the operation and does not keep it."""
        if self._stub is None:
            self._stub = engine_pb2_grpc.EngineStub(grpc.insecure_channel(self._engine))
        with contextlib.suppress(grpc.RpcError):
            self._stub.Log(engine_pb2.LogRequest(severity=engine_pb2.INFO, message=message, urn=urn, ephemeral=live))


def _guard(name: str) -> Callable[..., Awaitable[Any]]:
    async def call(self: Servicer, request: Any, context: Any) -> Any:
        try:
            return await getattr(ProviderServicer, name)(self, request, context)
        except InitFailed as failed:
            await context.abort_with_status(failed.status())
        except Exception as error:
            await context.abort(grpc.StatusCode.UNKNOWN, str(error) or repr(error))

    return call


class Servicer(ProviderServicer):
    """The SDK's servicer with readable errors."""


for _name in GUARDED:
    setattr(Servicer, _name, _guard(_name))


def first_of_run(name: str, engine: str) -> Callable[[], bool]:
    """A function that is true once per provider and run of the engine, which has a process per host of one stand-in.

    The first process holds an abstract socket named after the engine's address until it ends. Where the system has no
    abstract sockets, it is true once per process.
    """
    held: list[socket.socket] = []

    def first() -> bool:
        if held:
            return False
        held.append(socket.socket(socket.AF_UNIX))
        try:
            held[0].bind(f"\0fleetwatch-stand-in-{name}-{engine}")
        except OSError:
            return not sys.platform.startswith("linux")
        return True

    return first


def serve(name: str, version: str, make: Callable[[Log, Callable[[], bool]], Provider], args: list[str]) -> None:
    engine = next((a for a in args if not a.startswith("-")), "")
    provider = make(Log(engine), first_of_run(name, engine))

    async def run() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
        server = grpc.aio.server(options=_GRPC_CHANNEL_OPTIONS)
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(Servicer(args, version, provider, engine), server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        parent = os.getppid()  # before the port is written: the engine may end right after it reads it
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()
        try:
            while os.getppid() == parent:  # a killed engine does not end its plugins
                await asyncio.sleep(2)
        finally:
            await server.stop(None)

    # The engine ends its plugins one after the other: Cancel, SIGINT, and waiting until the process ended. All together
    # have five seconds; a later one is reported as "exited prematurely". Python itself takes up to a second to end a
    # process with many threads. (One that was started from a background job inherits that SIGINT is ignored.)
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    asyncio.run(run())
