"""Which images are pulled before an update replaces anything, and what stops it."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from configs.images import resolve
from configs.settings import Settings, load
from tests.fixtures.full import small
from tools import agent_targets, pull_everywhere
from tools.errors import ToolError
from tools.stack import Stack

VPS = {"server": {"address": "203.0.113.7"}}
NEW = "registry.example.com/prometheus:v9"


def settings(**images: str) -> Settings:
    return load(
        small(hub={"server": {"address": "203.0.113.1"}}, hosts={"vps-1": VPS}, images=images),
        "stacks/Pulumi.test.yaml",
    )


def state(of: Settings, *hosts: str) -> dict[str, Any]:
    """What an update with these settings left."""
    outputs: dict[str, Any] = {"hosts": {host: {} for host in hosts}}
    stack = {"type": "pulumi:pulumi:Stack", "outputs": outputs}
    return {"deployment": {"resources": [stack, {"inputs": {"image": list(resolve(of.images).values())}}]}}


def stack(of: Settings, known: dict[str, Any]) -> Stack:
    return cast(Stack, SimpleNamespace(settings=lambda: of, state=known))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """The docker commands by host, image. Answers are in `_ANSWERS`."""
    made: list[tuple[str, str, str]] = []

    def docker(command: Sequence[str], arguments: Sequence[str]) -> tuple[int, str]:
        made.append((command[0], arguments[0], arguments[-1]))
        return ANSWERS.get((command[0], arguments[0]), (1 if arguments[0] == "image" else 0, ""))

    monkeypatch.setattr(pull_everywhere, "_docker", docker)
    monkeypatch.setattr(agent_targets, "docker_on", lambda _stack, _outputs: lambda host: [host])
    ANSWERS.clear()
    return made


ANSWERS: dict[tuple[str, str], tuple[int, str]] = {}


def test_without_a_change_no_host_is_contacted(calls: list[tuple[str, str, str]]) -> None:
    pull_everywhere.pull(stack(settings(), state(settings(), "hub", "vps-1")))
    pull_everywhere.pull(stack(settings(), {}))
    assert calls == []


def test_a_new_image_is_pulled_on_every_host_that_runs_it(calls: list[tuple[str, str, str]]) -> None:
    pull_everywhere.pull(stack(settings(prometheus=NEW), state(settings(), "hub", "vps-1", "gone")))
    assert sorted(calls) == [
        (host, command, NEW) for host in ("hub", "vps-1") for command in ("image", "pull")
    ]  # fmt: skip
    assert pull_everywhere.changed(settings(loki=NEW), state(settings()), ["hub", "vps-1"]) == {"hub": [(NEW, "loki")]}
    local = "fleetwatch.local/loki:9"
    assert pull_everywhere.changed(settings(loki=local), state(settings()), ["hub"]) == {}, "no registry has it"


def test_an_image_that_cannot_be_pulled_stops_the_update_with_its_host(calls: list[tuple[str, str, str]]) -> None:
    ANSWERS["vps-1", "pull"] = (1, "manifest unknown")
    with pytest.raises(ToolError) as caught:
        pull_everywhere.pull(stack(settings(prometheus=NEW), state(settings(), "hub", "vps-1")))
    assert f"host vps-1: the image {NEW} (prometheus) is not there and could not be pulled: manifest unknown" in str(
        caught.value
    )
    assert "Nothing was changed" in str(caught.value)
    assert "host hub" not in str(caught.value)


def test_a_host_that_cannot_be_reached_stops_nothing(
    calls: list[tuple[str, str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    ANSWERS["vps-1", "image"] = (255, "Connection timed out")
    pull_everywhere.pull(stack(settings(prometheus=NEW), state(settings(), "hub", "vps-1")))
    assert ("vps-1", "pull", NEW) not in calls
    assert "host vps-1: no connection" in "".join(capsys.readouterr())
