"""The stand-ins' engine: what the tables say about inputs and changes. Needs neither Docker nor Pulumi's engine."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.standins.plugins import schema
from localcloud.standins.plugins.command import TABLE as COMMAND
from localcloud.standins.plugins.compare import diff
from localcloud.standins.plugins.docker_tables import CONTAINER, NETWORK, VOLUME
from localcloud.standins.plugins.random import TABLE as PASSWORD
from localcloud.standins.plugins.schema import UNKNOWN

BASE: dict[str, Any] = {"name": "x-agent", "image": "img:1"}


def changes(table: schema.Table, old: dict[str, Any], new: dict[str, Any]) -> dict[str, tuple[str, bool]]:
    state = schema.recorded(table, schema.with_defaults(table, old), {})
    return {c.path: (c.kind, c.replace) for c in diff(table, state, new)}


def problems(table: schema.Table, inputs: dict[str, Any]) -> list[str]:
    return [sentence for _, sentence in schema.check("docker", table, inputs)]


@pytest.mark.parametrize(
    ("key", "old", "new"),
    [
        ("memory", 64, 32),
        ("memorySwap", 64, 32),
        ("cpuShares", 512, 256),
        ("restart", "no", "always"),
        ("maxRetryCount", 1, 2),
        ("destroyGraceSeconds", 1, 2),
        ("waitTimeout", 5, 6),
        ("mustRun", True, False),
        ("tmpfs", {"/tmp": ""}, {"/tmp": "size=1m"}),
        ("init", True, False),
    ],
)
def test_what_docker_can_change_is_changed_in_place(key: str, old: Any, new: Any) -> None:
    found = changes(CONTAINER, {**BASE, key: old}, {**BASE, key: new})
    assert found, f"a changed {key} must be seen"
    assert not any(replace for _, replace in found.values()), f"a changed {key} must not make a new container"


def test_a_changed_health_check_keeps_the_container() -> None:
    old, new = ({**BASE, "healthcheck": {"tests": ["CMD", "x"], "interval": i}} for i in ("1s", "2s"))
    assert changes(CONTAINER, old, new) == {"healthcheck.interval": ("update", False)}


@pytest.mark.parametrize(
    ("key", "old", "new", "path"),
    [
        ("image", "img:1", "img:2", "image"),
        ("name", "a-b", "a-c", "name"),
        ("cpus", "0.5", "1", "cpus"),
        ("command", ["a", "b"], ["a", "c"], "command[1]"),
        ("envs", ["A=1", "B=1"], ["A=1", "B=2"], "envs[1]"),
        ("capabilities", {"adds": ["X"]}, {"adds": ["X", "Y"]}, "capabilities.adds[1]"),
        ("logOpts", {"max-size": "1m"}, {"max-size": "2m"}, "logOpts.max-size"),
        ("ports", [{"internal": 1, "external": 2}], [{"internal": 1, "external": 3}], "ports[0].external"),
        ("readOnly", False, True, "readOnly"),
    ],
)
def test_the_rest_makes_a_new_container(key: str, old: Any, new: Any, path: str) -> None:
    found = changes(CONTAINER, {**BASE, key: old}, {**BASE, key: new})
    assert {k: replace for k, (_, replace) in found.items()} == {path: True}


def test_networks_and_volumes_are_always_replaced() -> None:
    for table in (NETWORK, VOLUME):
        assert all(p.replace for p in table.inputs().values()), f"{table.short} cannot be changed in place"


def test_the_order_of_a_set_is_no_change() -> None:
    labels = [{"label": "a", "value": "1"}, {"label": "b", "value": "2"}]
    networks = [{"name": "n", "aliases": ["x", "y"]}]
    old = {**BASE, "labels": labels, "envs": ["A=1", "B=2"], "networksAdvanced": networks}
    new = {
        **BASE,
        "labels": labels[::-1],
        "envs": ["B=2", "A=1"],
        "networksAdvanced": [{"name": "n", "aliases": ["y", "x"]}],
    }
    assert changes(CONTAINER, old, new) == {}


def test_the_order_of_a_command_is_a_change() -> None:
    assert changes(CONTAINER, {**BASE, "command": ["a", "b"]}, {**BASE, "command": ["b", "a"]})


def test_a_default_and_an_empty_value_are_no_change() -> None:
    made = schema.recorded(CONTAINER, schema.with_defaults(CONTAINER, BASE), {})
    state = {
        **made,
        "memory": 0,
        "ports": [],
        "hosts": [],
        "user": "nobody",
        "entrypoints": ["/bin/sh"],
        "logDriver": "json-file",
        "privileged": False,
    }
    assert diff(CONTAINER, state, BASE) == [], "what the image or the daemon fills in is not a change"
    assert diff(CONTAINER, {**state, "mustRun": False}, BASE), "a stopped container is one"


def test_an_unknown_value_may_replace() -> None:
    found = changes(CONTAINER, {**BASE, "envs": ["A=1"]}, {**BASE, "envs": UNKNOWN})
    assert found == {"envs": ("update", True)}


def test_triggers_replace_a_command_and_the_rest_updates_it() -> None:
    old = {"create": "a", "triggers": ["1", {"deep": [1]}], "environment": {"X": "1"}}
    assert changes(COMMAND, old, {**old, "triggers": ["1", {"deep": [2]}]}) == {"triggers[1]": ("update", True)}
    assert changes(COMMAND, old, {**old, "create": "b"}) == {"create": ("update", False)}
    assert changes(COMMAND, old, {**old, "environment": {"X": "2"}}) == {"environment.X": ("update", False)}
    assert changes(COMMAND, old, dict(old)) == {}


def test_every_input_of_a_password_replaces_it() -> None:
    assert all(p.replace for p in PASSWORD.inputs().values())
    assert {k for k, p in PASSWORD.props.items() if p.secret} == {"result", "bcryptHash"}


def test_an_uncovered_property_is_refused_by_name() -> None:
    assert problems(CONTAINER, {**BASE, "uploads": []})[0].startswith(
        "stand-in for docker: Container.uploads is not covered"
    )
    nested = problems(CONTAINER, {**BASE, "mounts": [{"type": "bind", "target": "/x", "volumeOptions": {}}]})
    assert nested[0].startswith("stand-in for docker: Container.mounts[0].volumeOptions is not covered")


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ({"image": "x"}, "Container.name is missing: expected a string"),
        ({**BASE, "memory": "64"}, "Container.memory: expected a whole number, got a string"),
        ({**BASE, "memory": 1.5}, "Container.memory: expected a whole number, got a number"),
        ({**BASE, "init": "yes"}, "Container.init: expected true or false, got a string"),
        ({**BASE, "envs": {"A": "1"}}, "Container.envs: expected a list, got a mapping"),
        ({**BASE, "restart": "sometimes"}, "Container.restart: expected one of no, on-failure, always, unless-stopped"),
        ({**BASE, "labels": [{"label": "a"}]}, "Container.labels[0].value is missing"),
    ],
)
def test_a_wrong_input_is_named_with_what_was_expected(inputs: dict[str, Any], sentence: str) -> None:
    assert sentence in problems(CONTAINER, inputs)[0]


def test_a_wrong_secret_is_not_repeated() -> None:
    assert "hunter2" not in str(problems(CONTAINER, {**BASE, "envs": "hunter2"}))


def test_unknown_values_pass_the_check() -> None:
    assert problems(CONTAINER, {"name": UNKNOWN, "image": UNKNOWN, "memory": UNKNOWN, "labels": [UNKNOWN]}) == []


def test_a_preview_knows_inputs_and_not_what_docker_decides() -> None:
    state = schema.expected_state(CONTAINER, {**BASE, "memory": 5})
    assert (state["memory"], state["restart"], state["hostname"]) == (5, "no", UNKNOWN)
    later = schema.expected_state(CONTAINER, BASE, {"hostname": "h"})
    assert later["hostname"] == "h", "an update does not forget what is known"
    assert schema.expected_state(COMMAND, {"create": "x"}, {"stdout": "old"})["stdout"] == UNKNOWN


def test_ports_may_come_back_in_another_order_and_with_a_number_docker_chose() -> None:
    state = {
        **schema.recorded(CONTAINER, BASE, {}),
        **schema.with_defaults(
            CONTAINER, {**BASE, "ports": [{"internal": 80, "external": 32768}, {"internal": 443, "external": 5}]}
        ),
    }
    assert diff(CONTAINER, state, {**BASE, "ports": [{"internal": 443, "external": 5}, {"internal": 80}]}) == []
    found = diff(CONTAINER, state, {**BASE, "ports": [{"internal": 443, "external": 6}, {"internal": 80}]})
    assert [c.path for c in found] == ["ports[0].external"]


def test_a_container_that_failed_before_it_was_read_is_replaced() -> None:
    failed = schema.with_defaults(CONTAINER, {**BASE, "command": ["x"]})
    found = {c.path: c.replace for c in diff(CONTAINER, failed, {**BASE, "command": ["x"]})}
    assert found == {"entrypoints": True, "networkDatas": False}
