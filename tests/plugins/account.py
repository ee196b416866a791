"""The digitalocean stand-in with a rehearsal cloud whose machines only remember: what its tests share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localcloud.cloud.server import Handler
from localcloud.standins.plugins import digitalocean
from localcloud.standins.plugins.provider import plain_map
from tests.cloud.rig import Client, FakeMachines, running
from tests.plugins.calls import Calls, Lines, Values

DROPLET = {"name": "web-1", "region": "fra1", "size": "s-1vcpu-1gb", "image": "debian-12-x64"}
VOLUME = {"name": "data", "region": "fra1", "size": 10, "initialFilesystemType": "ext4"}


class Account:
    """A cloud, a provider that works on it, and what was asked of the cloud through it."""

    def __init__(self, client: Client, machines: FakeMachines) -> None:
        self.client, self.machines, self.log = client, machines, Lines()
        self.asked: list[str] = []
        config = {"apiEndpoint": client.server.url, "token": client.server.token, "httpRetryMax": "0"}
        self.calls = Calls(digitalocean.package(self.log), self.log, config)

    def asks(self) -> list[str]:
        """What has been asked since the last time, reads left out."""
        asked, self.asked[:] = [line for line in self.asked if not line.startswith("GET ")], []
        return asked


@contextlib.contextmanager
def opened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """An account until the block ends."""
    monkeypatch.setattr("localcloud.standins.plugins.digitalocean_api.LOOK", 0.01)
    machines = FakeMachines()
    with running(folder / "state", machines) as client:
        made = Account(client, machines)
        serve = Handler._serve

        def noted(handler: Handler) -> None:
            if not handler.headers.get("User-Agent", "").startswith("python-httpx"):
                made.asked.append(f"{handler.command} {handler.path}")
            serve(handler)

        monkeypatch.setattr(Handler, "_serve", noted)
        yield made


def settled(account: Account, kind: str, made: str, state: Values, inputs: dict[str, Any]) -> None:
    """Nothing to do after it was made, nor after a refresh, which also keeps the inputs."""
    assert not account.calls.diff(kind, state, inputs).changes
    read = account.calls.read(kind, made, state, inputs)
    assert not account.calls.diff(kind, read.properties, inputs).changes
    assert {k: v for k, v in plain_map(read.inputs).items() if k in inputs} == inputs
