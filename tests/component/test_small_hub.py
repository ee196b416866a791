"""A hub on one host: its parts are made one after the other; a preview says where it is too small."""

from __future__ import annotations

import pytest

from tests.component.program import run
from tests.component.test_fleet import fleet


def test_a_hub_that_is_too_small_for_its_hosts_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    sections = fleet()
    enough = run(sections, monkeypatch).warnings
    assert not [line for line in enough if line.startswith("hub.droplet.size")]
    sections["hub"]["droplet"]["size"] = "s-1vcpu-1gb"
    (warning,) = [line for line in run(sections, monkeypatch).warnings if line.startswith("hub.droplet.size")]
    assert "4 hosts with about 16000 series need a hub with about " in warning
    assert "s-1vcpu-1gb has 1024 MB; choose s-1vcpu-2gb or a larger one" in warning


def test_the_preview_says_what_the_assistant_costs_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    sections = fleet()
    assert not [line for line in run(sections, monkeypatch).infos if line.startswith("hub.ask")]
    sections["hub"]["ask"] = {}
    (info,) = [line for line in run(sections, monkeypatch).infos if line.startswith("hub.ask")]
    assert info.startswith("hub.ask: the assistant's three containers may use 296 MB of memory; with it all containers")
    sections["hub"]["droplet"]["size"] = "s-1vcpu-1gb"
    made = run(sections, monkeypatch)
    assert not [line for line in made.infos if line.startswith("hub.ask")]
    (warning,) = [line for line in made.warnings if line.startswith("hub.ask")]
    assert warning.endswith("(s-1vcpu-1gb) has 1024 MB: choose a larger `hub.droplet.size`, or lower `hub.limits`")


def test_each_part_is_made_once_the_one_before_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """So an image that does not work costs one part of the hub."""
    made = run(fleet(), monkeypatch)
    parts = [name for name in made.containers if name.startswith("hub-")]
    assert {"hub-prometheus", "hub-loki", "hub-grafana", "hub-alertmanager", "hub-caddy"} <= set(parts)
    for before, name in zip(parts, parts[1:], strict=False):
        needed = {urn.split("::")[-1] for urn in made.containers[name].request.dependencies}
        assert {before, f"{before}-answers"} <= needed, name
