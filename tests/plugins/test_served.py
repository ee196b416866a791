"""A stand-in as a process, over gRPC: it prints its port and its errors are sentences."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

ROOT = Path(__file__).parents[2]
NO_ENGINE = "127.0.0.1:1"


@pytest.fixture(params=["docker", "command", "random", "digitalocean"])
def served(request: pytest.FixtureRequest) -> Iterator[tuple[str, Any]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "localcloud.standins.plugins", request.param, NO_ENGINE],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}") as channel:
        yield request.param, provider_pb2_grpc.ResourceProviderStub(channel)
    process.terminate()
    process.wait()


def test_it_has_its_sdks_version_and_refuses_other_types_in_a_sentence(served: tuple[str, Any]) -> None:
    name, stub = served
    assert stub.GetPluginInfo(provider_pb2.GetSchemaRequest(), timeout=20).version > "1"
    urn = f"urn:pulumi:s::p::{name}:index/other:Other::x"
    with pytest.raises(grpc.RpcError) as refused:
        stub.Check(provider_pb2.CheckRequest(urn=urn, news=PropertyValue.marshal_map({})), timeout=20)
    assert refused.value.details().startswith(f"stand-in for {name}: the type {name}:index/other:Other is not covered")


def test_an_unknown_name_is_refused() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "localcloud.standins.plugins", "aws"], cwd=ROOT, capture_output=True, text=True
    )
    assert ran.returncode == 2
    assert "expected one of docker, command, random, digitalocean, got aws" in ran.stderr


def test_it_ends_with_the_process_that_started_it() -> None:
    starter = (
        "import subprocess, sys; p = subprocess.Popen([sys.executable, '-m', 'localcloud.standins.plugins', 'random', "
        f"'{NO_ENGINE}'], stdout=subprocess.PIPE, text=True); p.stdout.readline(); print(p.pid, flush=True)"
    )
    argv = [sys.executable, "-c", starter]
    ran = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    plugin = Path(f"/proc/{int(ran.stdout)}/cmdline")
    deadline = time.monotonic() + 20
    while plugin.exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not plugin.exists(), "a plugin whose engine was killed must not stay"


def test_it_ends_at_once_whatever_it_does() -> None:
    """The engine has five seconds for the ends of all its plugins together."""
    argv = [sys.executable, "-m", "localcloud.standins.plugins", "command", NO_ENGINE]
    process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}") as channel:
        stub = provider_pb2_grpc.ResourceProviderStub(channel)
        urn = "urn:pulumi:s::p::command:local:Command::x"
        wanted = PropertyValue.marshal_map({"create": PropertyValue("sleep 20")})
        stub.Create.future(provider_pb2.CreateRequest(urn=urn, properties=wanted))
        busy = time.monotonic() + 20
        while not Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text() and time.monotonic() < busy:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0
