"""`make rebuild` of a server: what leaves the state, what stays, and when it is refused."""

from __future__ import annotations

from typing import Any

import pytest

from configs.settings.places import Server
from tools import another_machine, pulumi_state
from tools.errors import ToolError
from tools.stack import Stack

BASE = "urn:pulumi:test::fleetwatch::"
STACK = f"{BASE}pulumi:pulumi:Stack::fleetwatch-test"


def _urn(kinds: str, name: str) -> str:
    return f"{BASE}{kinds}::{name}"


HOST_C, HUB_C = _urn("fleetwatch:index:Host", "hub-c"), _urn("fleetwatch:index:Hub", "hub-c")
SERVICE = _urn("fleetwatch:index:Hub$fleetwatch:index:Service", "hub-c-caddy")
CONTACT = _urn("fleetwatch:index:Host$command:local:Command", "hub-c-contact")
DOCKER = _urn("fleetwatch:index:Host$pulumi:providers:docker", "hub-c-docker")
CONTAINER = _urn("fleetwatch:index:Hub$fleetwatch:index:Service$docker:index/container:Container", "hub-c-caddy")
PASSWORD = _urn("fleetwatch:index:Host$random:index/randomPassword:RandomPassword", "hub-c-scrape-password")
OTHER = _urn("fleetwatch:index:Hub$command:local:Command", "hub-ring-before")
OF_ANOTHER = _urn("fleetwatch:index:Host$command:local:Command", "web-hub-c-contact")


def _resource(urn: str, parent: str = STACK, **more: Any) -> dict[str, Any]:
    return {"urn": urn, "type": urn.split("::")[2].rpartition("$")[2], "parent": parent, **more}


def _state(address: str = "ssh://deploy@203.0.113.7:22") -> dict[str, Any]:
    resources = [
        {"urn": STACK, "type": "pulumi:pulumi:Stack", "outputs": {"hosts": {"hub-c": {"address": "203.0.113.7"}}}},
        _resource(HOST_C),
        _resource(PASSWORD, HOST_C),
        _resource(CONTACT, HOST_C, inputs={"triggers": [address, ""]}),
        _resource(DOCKER, HOST_C, dependencies=[CONTACT]),
        _resource(HUB_C),
        _resource(SERVICE, HUB_C),
        _resource(CONTAINER, SERVICE, provider=f"{DOCKER}::id"),
        _resource(_urn("fleetwatch:index:Hub", "hub")),
        _resource(
            OTHER,
            _urn("fleetwatch:index:Hub", "hub"),
            dependencies=[CONTACT, PASSWORD],
            propertyDependencies={"stdin": [CONTACT], "create": None},
        ),
        _resource(OF_ANOTHER, _urn("fleetwatch:index:Host", "web-hub-c")),
    ]
    return {"version": 3, "deployment": {"resources": resources}}


class StandIn(Stack):
    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state


def test_what_is_on_the_machine_leaves_and_its_passwords_stay() -> None:
    gone = pulumi_state.on_machine(_state(), "hub-c")
    assert gone == {CONTACT, DOCKER, CONTAINER}
    left = another_machine.without(_state(), gone)["deployment"]["resources"]
    assert [one["urn"] for one in left] == [
        one["urn"] for one in _state()["deployment"]["resources"] if one["urn"] not in gone
    ]
    (other,) = [one for one in left if one["urn"] == OTHER]
    assert other["dependencies"] == [PASSWORD]
    assert other["propertyDependencies"] == {"stdin": [], "create": []}


def test_the_same_address_is_refused_with_the_way_out() -> None:
    with pytest.raises(
        ToolError, match="expected the address of another machine.*`make up` makes what is missing on it"
    ):
        another_machine.require_gone(StandIn(_state()), "hub-c", Server(address="203.0.113.7", user="deploy"))


@pytest.mark.parametrize("answers", [True, False])
def test_a_machine_that_still_answers_is_refused(monkeypatch: pytest.MonkeyPatch, answers: bool) -> None:
    state = _state()
    state["deployment"]["resources"][0]["outputs"]["hosts"]["hub-c"]["ssh"] = ["ssh", "deploy@203.0.113.7"]
    monkeypatch.setattr(another_machine, "try_output", lambda *_, **__: "" if answers else None)
    new = Server(address="203.0.113.9", user="deploy")
    if not answers:
        another_machine.require_gone(StandIn(state), "hub-c", new)
        return
    with pytest.raises(ToolError, match=r"its old machine \(203.0.113.7\) still answers"):
        another_machine.require_gone(StandIn(state), "hub-c", new)


def test_a_run_that_was_interrupted_is_continued() -> None:
    """The state has nothing of the host, or has it at its new address: nothing leaves it once more."""
    state = _state()
    left = another_machine.without(state, pulumi_state.on_machine(state, "hub-c"))
    another_machine.require_gone(StandIn(left), "hub-c", Server(address="203.0.113.9", user="deploy"))
    assert another_machine.address(left, "hub-c") is None
