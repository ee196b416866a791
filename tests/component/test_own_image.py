"""The assistant's image, which no registry has, on a hub elsewhere."""

from __future__ import annotations

import pytest

from tests.component.program import run
from tests.component.test_fleet import fleet


def test_assistants_image_is_copied_to_a_hub_elsewhere_before_its_files(monkeypatch: pytest.MonkeyPatch) -> None:
    sections = fleet()
    sections["hub"]["ask"] = {}
    made = run(sections, monkeypatch)
    brought = made.commands["hub-ask-image"]
    assert brought.parent.endswith("::hub")
    for name in ("hub-ask-secrets", "hub-ask-config"):
        needed = made.commands[name].request.dependencies
        assert any(urn.endswith("::hub-ask-image") for urn in needed), name
    others = [name for name in made.commands if name.endswith("-image")]
    assert others == ["hub-ask-image"], "the vendors' images are pulled"
    sections["images"] = {"ask": "registry.example.com/ask:1"}
    assert "hub-ask-image" not in run(sections, monkeypatch).commands
