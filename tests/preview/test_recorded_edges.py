"""What the recorded changes of a fleet do to its edges: containers, secrets, and what the guard rails see of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from policy import preview, projects, rules
from tests.preview.record import CHANGES
from tests.preview.recordings import read, recording
from tools.comment import changes, containers, page


def by_host(tmp_path: Path, name: str) -> dict[str, dict[str, str]]:
    """What a recorded change does to containers: host, role, action."""
    found: dict[str, dict[str, str]] = {}
    for one in containers.changed_containers(changes.planned_changes(read(tmp_path, recording(name)))):
        found.setdefault(one.host, {})[one.role] = f"{'perhaps ' if one.perhaps else ''}{one.action}"
    return found


FOUR = ("agent", "cadvisor", "node-exporter", "promtail")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("host-added", {"hub": {"loki": "reloaded", "prometheus": "reloaded"},
                        "web-1": dict.fromkeys(FOUR, "created")}),
        ("host-removed", {"hub": {"caddy": "reloaded", "loki": "reloaded", "prometheus": "reloaded"},
                          "vps-1": dict.fromkeys(FOUR, "removed")}),
        ("host-renamed", {"hub": {"caddy": "reloaded", "loki": "reloaded", "prometheus": "reloaded"},
                          "vps-2": dict.fromkeys(FOUR, "recreated")}),
        ("host-abandoned", {"hub": {"prometheus": "reloaded"}}),
        ("scrape-interval", {"db-1": {"agent": "reloaded"}}),
        ("hub-resized", {}),
        ("image-bumped", {"db-1": {"agent": "recreated"}, "hub": {"agent": "recreated", "prometheus": "recreated"},
                          "vps-1": {"agent": "recreated"}}),
        ("password-rotated", {"hub": {"caddy": "reloaded"}, "vps-1": {"agent": "reloaded", "promtail": "restarted"}}),
    ],
)  # fmt: skip
def test_the_containers_of_a_recorded_change(name: str, expected: dict[str, dict[str, str]], tmp_path: Path) -> None:
    assert by_host(tmp_path, name) == expected


def test_a_rotated_password_is_a_secret_that_changes_and_no_more(tmp_path: Path) -> None:
    text = page.build([read(tmp_path, recording("password-rotated"))])
    assert "| `vps-1` | `promtail` | `agent` | changed |" in text
    assert "- `vps-1` `*/secrets/*`: secret, not shown (changed)" in text
    assert "[!CAUTION]" not in text


def test_an_abandoned_host_that_goes_is_left_where_it_is(tmp_path: Path) -> None:
    content = recording("host-removed")
    for one in content["preview"]["steps"]:
        if one["op"] == "delete" and "::vps-1" in one["urn"]:
            one["oldState"]["retainOnDelete"] = True  # as the update that abandoned it wrote into the state
    text = page.build([read(tmp_path, content)])
    assert "`agent` (left where it is), `cadvisor` (left where it is)" in text
    assert "the Docker volume stays on the host, unused" in text
    assert "the hub accepts nothing from it any more" in text


@pytest.mark.parametrize("name", CHANGES)
def test_the_guard_rails_judge_the_edges_of_a_recorded_change(name: str) -> None:
    """As `record` does. What does not change is not in the recordings."""
    plan = recording(name)["preview"]
    parts = [part for one in preview.records(plan) for part in projects.parts(one)]
    edges = {part.name for part in parts if part.service}
    wanted = {"host-added": {"web-1-project"}, "scrape-interval": {"db-1-project"}}
    assert edges >= wanted.get(name, set())
    assert rules.violations(preview.records(plan), "test") == []
    for one in plan["steps"]:
        environment = one.get("newState", {}).get("inputs", {}).get("environment", {})
        if "FILES" in environment:
            environment["FILES"] = environment["FILES"].replace("    cap_drop:", "    privileged: true\n    cap_drop:")
    found = {(one.rule, one.record.name) for one in rules.violations(preview.records(plan), "test")}
    assert found == {("container-rights", edge) for edge in edges}
