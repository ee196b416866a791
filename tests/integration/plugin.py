"""The docker provider plugin that stacks use on this machine, called as Pulumi's engine does."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import grpc
from google.protobuf import json_format, struct_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from tools import plugins

TOKEN = "docker:index/container:Container"
_OPTIONS = [(f"grpc.max_{way}_message_length", 64 * 1024**2) for way in ("send", "receive")]


class Plugin:
    """Makes containers; `clean` removes them again."""

    def __init__(self, stub: Any) -> None:
        self._stub = stub
        self._made: list[tuple[str, str, struct_pb2.Struct]] = []
        stub.Configure(provider_pb2.ConfigureRequest(args=struct_pb2.Struct(), acceptSecrets=True), timeout=30)

    def create(self, name: str, inputs: dict[str, Any]) -> str:
        """The id of the new container."""
        urn = f"urn:pulumi:test::fleetwatch::{TOKEN}::{name}"
        news = json_format.ParseDict(inputs, struct_pb2.Struct())
        checked = self._stub.Check(provider_pb2.CheckRequest(urn=urn, news=news), timeout=30)
        assert not checked.failures, [one.reason for one in checked.failures]
        made = self._stub.Create(provider_pb2.CreateRequest(urn=urn, properties=checked.inputs), timeout=120)
        self._made.append((urn, made.id, made.properties))
        return str(made.id)

    def clean(self) -> None:
        for urn, made, properties in reversed(self._made):
            self._stub.Delete(provider_pb2.DeleteRequest(urn=urn, id=made, properties=properties), timeout=120)
        self._made = []


@contextlib.contextmanager
def started() -> Iterator[Plugin]:
    """The plugin in a separate process, which ends with the block."""
    (found,) = [one for one in plugins.state() if one.name == "docker"]
    folders = [plugins.home() / "plugins" / f"resource-docker-v{found.version}"]
    folders += [folder for folder in (plugins.given_dir(), plugins.stand_in_dir()) if folder]
    if (given := plugins.given_dir()) is not None:
        folders.insert(0, given)
    program = next(path for folder in folders if (path := folder / "pulumi-resource-docker").is_file())
    process = subprocess.Popen(
        # The address of an engine, as the plugin expects one; nothing is sent there that matters.
        [str(program), "127.0.0.1:1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    )  # fmt: skip
    try:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        assert port.isdigit(), f"expected a port from {program}, got {port!r}"
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=_OPTIONS) as channel:
            plugin = Plugin(provider_pb2_grpc.ResourceProviderStub(channel))
            try:
                yield plugin
            finally:
                plugin.clean()
    finally:
        process.terminate()
        process.communicate(timeout=30)
