"""The docker stand-in against a real Docker Engine: what it makes, reads back, changes and takes away."""

from __future__ import annotations

import asyncio
import secrets
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from pulumi.provider.experimental import provider as sdk
from pulumi.provider.experimental.property_value import PropertyValue

from localcloud.standins.plugins import docker
from localcloud.standins.plugins.provider import TableProvider, plain_map, wrap
from localcloud.standins.plugins.schema import UNKNOWN
from localcloud.standins.plugins.server import InitFailed, Log

pytestmark = pytest.mark.integration
NETWORK, VOLUME = "docker:index/network:Network", "docker:index/volume:Volume"
CONTAINER = "docker:index/container:Container"


class Engine:
    """Calls the provider as Pulumi's engine does, and remembers what was made."""

    def __init__(self) -> None:
        self._provider = TableProvider(docker.package(Log("127.0.0.1:1")), Log("127.0.0.1:1"), lambda: False)
        self._made: list[tuple[str, str, dict[str, PropertyValue]]] = []
        asyncio.run(self._provider.configure(sdk.ConfigureRequest({}, {}, True, True)))

    def check(self, token: str, inputs: dict[str, Any]) -> dict[str, PropertyValue]:
        answer = asyncio.run(self._provider.check(sdk.CheckRequest(_urn(token), {}, _values(inputs), b"")))
        assert not answer.failures, [f.reason for f in answer.failures]
        return answer.inputs or {}

    def create(self, token: str, inputs: dict[str, Any]) -> tuple[str, dict[str, PropertyValue]]:
        request = sdk.CreateRequest(_urn(token), self.check(token, inputs), 0, False)
        try:
            made = asyncio.run(self._provider.create(request))
        except InitFailed as failed:
            self._made.append((token, failed.resource_id, failed.properties))
            raise
        self._made.append((token, made.resource_id or "", made.properties))
        return made.resource_id or "", made.properties

    def diff(self, token: str, state: dict[str, PropertyValue], inputs: dict[str, Any]) -> sdk.DiffResponse:
        return asyncio.run(self._provider.diff(sdk.DiffRequest(_urn(token), "", state, self.check(token, inputs), [])))

    def update(
        self, token: str, made: str, state: dict[str, PropertyValue], inputs: dict[str, Any]
    ) -> dict[str, PropertyValue]:
        request = sdk.UpdateRequest(_urn(token), made, state, self.check(token, inputs), 0, [], False)
        return asyncio.run(self._provider.update(request)).properties

    def read(self, token: str, made: str, state: dict[str, PropertyValue], inputs: dict[str, Any]) -> sdk.ReadResponse:
        return asyncio.run(self._provider.read(sdk.ReadRequest(_urn(token), made, state, self.check(token, inputs))))

    def delete(self, token: str, made: str, state: dict[str, PropertyValue]) -> None:
        asyncio.run(self._provider.delete(sdk.DeleteRequest(_urn(token), made, state, 0)))

    def clean(self) -> None:
        for made in reversed(self._made):
            self.delete(*made)


def _urn(token: str) -> str:
    return f"urn:pulumi:s::p::{token}::x"


def _values(inputs: dict[str, Any]) -> dict[str, PropertyValue]:
    return {k: v if isinstance(v, PropertyValue) else wrap(v) for k, v in inputs.items()}


def inspect(made: str, template: str) -> str:
    return subprocess.run(
        ["docker", "inspect", made, "--format", template], check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def prefix() -> str:
    return f"fleetwatch-plugintest-{secrets.token_hex(3)}"


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = Engine()
    yield made
    made.clean()


@pytest.fixture(scope="session")
def image() -> str:
    """Any image with a shell: Prometheus's has one, the vendor's as well as the one assembled offline."""
    listed = subprocess.run(
        ["docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}"], check=True, capture_output=True, text=True
    ).stdout.split()
    found = [name for name in listed if name.split(":")[0].endswith("/prometheus")]
    assert found, "expected a Prometheus image in Docker: `python -m tools images` gets one"
    return found[0]


@pytest.fixture
def inputs(prefix: str, image: str) -> dict[str, Any]:
    return {
        "name": f"{prefix}-box",
        "image": image,
        "entrypoints": ["/bin/sh", "-c"],
        "command": ["sleep 600"],
        "labels": [{"label": "fleetwatch.stack", "value": prefix}],
        "logDriver": "json-file",
        "logOpts": {"max-size": "1m"},
        "memory": 64,
        "memorySwap": 64,
        "cpus": "0.5",
        "restart": "no",
        "securityOpts": ["no-new-privileges"],
        "capabilities": {"drops": ["ALL"], "adds": ["CAP_CHOWN"]},
        "healthcheck": {"tests": ["CMD", "/bin/true"], "interval": "1s", "timeout": "2s", "retries": 3},
        "readOnly": True,
        "tmpfs": {"/tmp": "size=1m"},
        "wait": True,
        "waitTimeout": 30,
        "envs": PropertyValue([wrap("A=1"), wrap("TOKEN=s3cret").with_secret(True)]),
    }


def test_a_container_in_a_network_with_a_volume_is_as_asked_and_stays_so(
    engine: Engine, prefix: str, inputs: dict[str, Any]
) -> None:
    engine.create(NETWORK, {"name": f"{prefix}-net", "internal": True})
    engine.create(VOLUME, {"name": f"{prefix}-vol"})
    inputs |= {
        "networksAdvanced": [{"name": f"{prefix}-net", "aliases": ["box"]}],
        "mounts": [{"type": "volume", "source": f"{prefix}-vol", "target": "/data"}],
    }
    made, state = engine.create(CONTAINER, inputs)
    assert inspect(made, "{{.State.Health.Status}}") == "healthy", "wait means until healthy"
    assert inspect(made, "{{.HostConfig.Privileged}} {{.HostConfig.CapDrop}}") == "false [ALL]"
    assert "box" in inspect(made, "{{range .NetworkSettings.Networks}}{{.Aliases}}{{end}}")
    assert "TOKEN=s3cret" in inspect(made, "{{.Config.Env}}")
    assert state["envs"].is_secret
    assert not engine.diff(CONTAINER, state, inputs).changes, "nothing changed: nothing to do"
    read = engine.read(CONTAINER, made, state, inputs)
    assert not engine.diff(CONTAINER, read.properties, inputs).changes, "nor after a refresh"
    assert read.properties["envs"].is_secret, "a refresh keeps secrets secret"


def test_memory_changes_in_place_and_the_environment_does_not(engine: Engine, inputs: dict[str, Any]) -> None:
    made, state = engine.create(CONTAINER, inputs)
    more = {**inputs, "memory": 96, "memorySwap": 96}
    answer = engine.diff(CONTAINER, state, more)
    assert (answer.diffs, answer.replaces) == (["memory", "memorySwap"], [])
    state = engine.update(CONTAINER, made, state, more)
    assert inspect(made, "{{.HostConfig.Memory}}") == str(96 * 1024 * 1024)
    assert not engine.diff(CONTAINER, state, more).changes
    answer = engine.diff(CONTAINER, state, {**more, "envs": ["A=2"]})
    assert answer.replaces == ["envs"]
    assert answer.delete_before_replace, "the name is taken until the old one is gone"


def test_what_was_removed_by_hand_leaves_the_state_and_can_be_deleted(engine: Engine, inputs: dict[str, Any]) -> None:
    made, state = engine.create(CONTAINER, inputs)
    subprocess.run(["docker", "rm", "-f", "-v", made], check=True, capture_output=True)
    assert not engine.read(CONTAINER, made, state, inputs).resource_id
    engine.delete(CONTAINER, made, state)


def test_a_container_that_does_not_come_up_is_recorded(engine: Engine, inputs: dict[str, Any]) -> None:
    inputs |= {"command": ["exit 4"], "waitTimeout": 2}
    with pytest.raises(InitFailed, match="container failed to be in healthy state") as failed:
        engine.create(CONTAINER, inputs)
    assert inspect(failed.value.resource_id, "{{.State.ExitCode}}") == "4"
    assert plain_map(failed.value.properties)["name"] == inputs["name"]


def test_a_stopped_container_is_started_by_the_next_run(engine: Engine, inputs: dict[str, Any]) -> None:
    made, state = engine.create(CONTAINER, inputs)
    subprocess.run(["docker", "stop", "-t", "0", made], check=True, capture_output=True)
    state = engine.read(CONTAINER, made, state, inputs).properties
    assert engine.diff(CONTAINER, state, inputs).diffs == ["mustRun"]
    engine.update(CONTAINER, made, state, inputs)
    assert inspect(made, "{{.State.Running}}") == "true"


def test_a_missing_image_is_named(engine: Engine, inputs: dict[str, Any]) -> None:
    missing = "localhost:1/fleetwatch-no-such-image:1"
    with pytest.raises(RuntimeError, match=f"Unable to create container with image {missing}"):
        engine.create(CONTAINER, {**inputs, "image": missing})


def test_a_volume_is_a_folder_where_the_driver_is_told_so(engine: Engine, prefix: str) -> None:
    inputs: dict[str, Any] = {
        "name": f"{prefix}-bound",
        "driver": "local",
        "driverOpts": {"type": "none", "o": "bind", "device": "/mnt/fleetwatch/loki"},
    }
    made, state = engine.create(VOLUME, inputs)
    listed = inspect(made, "{{.Options.type}} {{.Options.o}} {{.Options.device}}")
    assert listed == "none bind /mnt/fleetwatch/loki"
    assert not engine.diff(VOLUME, state, inputs).changes
    read = engine.read(VOLUME, made, state, inputs)
    assert not engine.diff(VOLUME, read.properties, inputs).changes, "nor after a refresh"
    moved = {**inputs, "driverOpts": {**inputs["driverOpts"], "device": "/srv"}}
    assert engine.diff(VOLUME, state, moved).replaces == ["driverOpts"]


def test_a_port_is_published_on_the_address_it_was_given(engine: Engine, inputs: dict[str, Any]) -> None:
    inputs |= {"ports": [{"internal": 80, "external": 28480, "ip": "127.0.0.3"}]}
    unknown = {**inputs, "ports": [{**inputs["ports"][0], "ip": UNKNOWN}]}
    engine.check(CONTAINER, unknown)
    made, state = engine.create(CONTAINER, inputs)
    assert inspect(made, '{{json (index .HostConfig.PortBindings "80/tcp")}}') == (
        '[{"HostIp":"127.0.0.3","HostPort":"28480"}]'
    )
    read = engine.read(CONTAINER, made, state, inputs)
    assert not engine.diff(CONTAINER, read.properties, inputs).changes
    assert engine.diff(CONTAINER, state, unknown).replaces == ["ports"], "an address not known yet may be another one"
