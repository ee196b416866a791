"""Stand-in providers as Pulumi's engine calls them: secrets, unknowns, errors. Needs neither Docker nor that engine."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import bcrypt
import pytest
from pulumi.provider.experimental import provider as sdk
from pulumi.provider.experimental.property_value import PropertyValue

from localcloud.standins.plugins import command, docker, random
from localcloud.standins.plugins.provider import TableProvider, wrap
from localcloud.standins.plugins.schema import UNKNOWN
from localcloud.standins.plugins.server import Log

T = TypeVar("T")


class Lines(Log):
    def __init__(self) -> None:
        self.said: list[str] = []

    def info(self, message: str, urn: str = "", live: bool = False) -> None:
        self.said.append(message)


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(coroutine)


def make(module: Any) -> tuple[TableProvider, Lines]:
    log = Lines()
    return TableProvider(module.package(log), log, lambda: True), log


def urn(token: str) -> str:
    return f"urn:pulumi:s::p::{token}::name"


def values(**inputs: Any) -> dict[str, PropertyValue]:
    return {k: v if isinstance(v, PropertyValue) else wrap(v) for k, v in inputs.items()}


def create(module: Any, token: str, preview: bool = False, **inputs: Any) -> sdk.CreateResponse:
    return run(make(module)[0].create(sdk.CreateRequest(urn(token), values(**inputs), 0, preview)))


COMMAND, PASSWORD = "command:local:Command", "random:index/randomPassword:RandomPassword"


def test_a_command_gives_its_output_and_shows_it_while_it_runs() -> None:
    provider, log = make(command)
    request = sdk.CreateRequest(
        urn(COMMAND), values(create="cat; echo $X >&2", stdin="in", environment={"X": "1"}), 0, False
    )
    made = run(provider.create(request))
    assert (made.properties["stdout"].value, made.properties["stderr"].value) == ("in", "1")
    assert sorted(log.said) == ["1", "in"]
    assert (made.resource_id or "").startswith("name")


def test_a_command_with_a_secret_shows_nothing_when_logging_is_off() -> None:
    provider, log = make(command)
    request = sdk.CreateRequest(
        urn(COMMAND), values(create="cat", stdin=wrap("s3cret").with_secret(True), logging="none"), 0, False
    )
    made = run(provider.create(request))
    assert log.said == []
    assert made.properties["stdin"].is_secret


def test_a_failing_command_says_what_it_said() -> None:
    with pytest.raises(command.CommandFailed, match='(?s)^exit status 3: running "echo bad; exit 3":\nbad\n$'):
        create(command, COMMAND, create="echo bad; exit 3")


def test_update_runs_the_update_command_with_the_previous_output() -> None:
    provider, _ = make(command)
    old = values(create="echo one", stdout="one", stderr="")
    for extra, expected in (({}, "one"), ({"addPreviousOutputInEnv": False}, "")):
        new = values(create="echo one", update="echo $PULUMI_COMMAND_STDOUT", **extra)
        request = sdk.UpdateRequest(urn(COMMAND), "id", old, new, 0, [], False)
        assert run(provider.update(request)).properties["stdout"].value == expected


def test_update_falls_back_to_create() -> None:
    provider, _ = make(command)
    request = sdk.UpdateRequest(
        urn(COMMAND), "id", values(create="echo one", stdout="one"), values(create="echo two"), 0, [], False
    )
    assert run(provider.update(request)).properties["stdout"].value == "two"


def test_delete_runs_the_delete_command(tmp_path: Any) -> None:
    provider, _ = make(command)
    state = values(create="true", delete="echo gone > mark", dir=str(tmp_path))
    run(provider.delete(sdk.DeleteRequest(urn(COMMAND), "id", state, 0)))
    assert (tmp_path / "mark").read_text() == "gone\n"


def test_a_preview_runs_nothing(tmp_path: Any) -> None:
    made = create(command, COMMAND, preview=True, create="touch mark", dir=str(tmp_path))
    assert made.properties["stdout"].value == UNKNOWN
    assert not list(tmp_path.iterdir())


def test_a_password_has_what_was_asked_for_and_is_secret() -> None:
    made = create(random, PASSWORD, length=30, special=False, minNumeric=20).properties
    result, hashed = made["result"].value, made["bcryptHash"].value
    assert isinstance(result, str)
    assert isinstance(hashed, str)
    assert len(result) == 30
    assert result.isalnum()
    assert sum(c.isdigit() for c in result) >= 20
    assert bcrypt.checkpw(result.encode(), hashed.encode())
    assert made["result"].is_secret
    assert made["bcryptHash"].is_secret


def test_a_password_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="length: expected at least 4"):
        create(random, PASSWORD, length=3, minUpper=4)


def test_secret_inputs_make_secret_outputs_and_the_rest_stays_plain() -> None:
    envs = PropertyValue([wrap("A=1"), wrap("B=s3cret").with_secret(True)])
    made = create(docker, "docker:index/container:Container", preview=True, name="x-y", image="i", envs=envs)
    assert made.properties["envs"].is_secret
    assert not made.properties["image"].is_secret


@pytest.mark.parametrize("token", ["docker:index/service:Service", "command:remote:Command"])
def test_an_uncovered_type_is_refused(token: str) -> None:
    module = docker if token.startswith("docker") else command
    with pytest.raises(ValueError, match=f"the type {token} is not covered .* vendor's own plugin"):
        create(module, token, preview=True)


def test_a_replacement_under_the_same_name_deletes_first() -> None:
    provider, _ = make(docker)
    token = "docker:index/container:Container"
    for name, first in (("x-y", True), ("x-z", False)):
        request = sdk.DiffRequest(
            urn(token), "id", values(name="x-y", image="a", mustRun=True), values(name=name, image="b"), []
        )
        answer = run(provider.diff(request))
        assert answer.delete_before_replace is first
        assert "image" in answer.replaces


def test_the_provider_names_itself_a_stand_in() -> None:
    provider, log = make(docker)
    run(provider.configure(sdk.ConfigureRequest({}, values(host="unix:///nowhere"), True, True)))
    assert log.said == ["stand-in for the docker provider (the vendor's plugin could not be installed here)"]


def test_an_uncovered_setting_of_the_provider_is_refused() -> None:
    provider, _ = make(docker)
    request = sdk.CheckRequest("urn", {}, values(registryAuth="[]", version="5.2.0"), b"")
    failures = run(provider.check_config(request)).failures or []
    assert [f.property for f in failures] == ["registryAuth"]


def test_an_interrupted_run_ends_its_commands() -> None:
    async def interrupted() -> None:
        provider, _ = make(command)
        request = sdk.CreateRequest(urn(COMMAND), values(create="sleep 60"), 0, False)
        running = asyncio.create_task(provider.create(request))
        await asyncio.sleep(0.3)
        await provider.cancel()
        await running

    with pytest.raises(command.CommandFailed, match="^signal: killed"):
        run(interrupted())
