"""What the standard checks of the models expect, and the values that were found, as a stack file writes them."""

from __future__ import annotations

import math
from typing import Any

import pytest

from configs.settings.messages import message
from configs.validation import check_file
from tests.fixtures.full import small

SOURCE = "stacks/Pulumi.test.yaml"


def _hub(**keys: Any) -> dict[str, Any]:
    return small(hub={"local": {}, **keys})


def _edge(**keys: Any) -> dict[str, Any]:
    return small(hosts={"hub": keys})


WORDING: dict[str, tuple[dict[str, Any], str]] = {
    "no text": (_hub(domain=True), "hub.domain: expected a text, got true; put it in quotes"),
    "nothing for a text": (_hub(domain=None), "hub.domain: expected a text, got nothing"),
    "no whole number": (_hub(ports={"http": "80"}), "hub.ports.http: expected a whole number, got '80'"),
    "a fraction": (_hub(ports={"http": 80.5}), "hub.ports.http: expected a whole number, got 80.5"),
    "no boolean": (_edge(logs={"journal": 1}), "hosts.hub.logs.journal: expected true or false, got 1"),
    "no list": (_edge(networks="shop"), "hosts.hub.networks: expected a list, got 'shop'"),
    "no mapping": (_edge(apps=True), "hosts.hub.apps: expected a mapping, got a boolean (not shown)"),
    "nothing for a mapping": (_hub(ports=None), "hub.ports: expected a mapping, got nothing"),
    "no number": (
        _edge(limits={"cadvisor": {"cpus": "1"}}),
        "hosts.hub.limits.cadvisor.cpus: expected a number, got '1'",
    ),
    "too small": (
        _edge(limits={"cadvisor": {"cpus": 0.01}}),
        "hosts.hub.limits.cadvisor.cpus: expected at least 0.1, got 0.01",
    ),
    "too large": (
        _edge(limits={"cadvisor": {"cpus": 300}}),
        "hosts.hub.limits.cadvisor.cpus: expected at most 256, got 300",
    ),
    "not a number": (
        _hub(alerts={"thresholds": {"disk_used": math.nan}}),
        "hub.alerts.thresholds.disk_used: expected a number, got .nan",
    ),
    "infinity": (
        _edge(limits={"cadvisor": {"cpus": -math.inf}}),
        "hosts.hub.limits.cadvisor.cpus: expected a number, got -.inf",
    ),
    "a long number": (_hub(domain=12345678), "hub.domain: expected a text, got a number (not shown); put it in quotes"),
    "a pattern": (
        _hub(grafana={"admin_user": "a/b"}),
        "hub.grafana.admin_user: expected only letters, digits and . _ @ -",
    ),
    "one of some": (
        _edge(logs={"agent": "vector"}),
        "hosts.hub.logs.agent: expected one of promtail, alloy, got 'vector'",
    ),
    "an empty text": (
        _edge(logs={"files": {"a": {"path": "/a/b", "labels": {"team": ""}}}}),
        "hosts.hub.logs.files.a.labels.team: expected at least 1 character, got an empty text",
    ),
    "too many": (
        _edge(logs={"files": {"a": {"path": "/a/b", "labels": {f"l{i}": "x" for i in range(6)}}}}),
        "hosts.hub.logs.files.a.labels: expected at most 5 entries, got a mapping",
    ),
    "a number and a name": (
        _edge(apps={"shop": {"target": "shop:80000"}}),
        "hosts.hub.apps.shop.target: expected host:port, such as api:8000",
    ),
}


@pytest.mark.parametrize("case", WORDING)
def test_standard_checks_are_described_in_the_terms_of_a_stack_file(case: str) -> None:
    sections, text = WORDING[case]
    (problem,) = check_file(sections, SOURCE)[1]
    assert problem.startswith(text), problem
    for foreign in ("valid", "should", "null", "True", "nan,", "string", "dict"):
        assert foreign not in problem, problem


def test_a_text_of_pydantic_without_a_translation_is_kept() -> None:
    mistake = {"type": "other", "msg": "Input should be a thing", "loc": (), "input": 1}
    assert message("hub", (), mistake, int) == "hub: expected a thing, got 1"
