"""A preview of a hub that is too small for its hosts."""

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
