"""The assistant's models in the cloud: the ports of their addresses in the firewall."""

from __future__ import annotations

from typing import Any

import pytest

from tests.component.program import run
from tests.component.test_fleet import fleet

MODEL = {"provider": "ollama", "name": "m", "base_url": "http://192.0.2.5:11434"}
EMBEDDINGS = MODEL | {"base_url": "http://192.0.2.6:11435", "dimensions": 768}


@pytest.mark.parametrize(
    ("ask", "ports"),
    [
        (None, set()),
        ({}, set()),
        ({"model": MODEL}, {"11434"}),
        ({"model": MODEL, "embeddings": EMBEDDINGS}, {"11434", "11435"}),
    ],
)
def test_the_ports_of_its_models_are_open_outwards(ask: Any, ports: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    sections = fleet()
    sections["hub"] |= {"ask": ask} if ask is not None else {}
    made = run(sections, monkeypatch)
    rules = made.of("digitalocean:index/firewall:Firewall")["firewall-hub"].plain()["outboundRules"]
    found = {one["portRange"] for one in rules if one["protocol"] == "tcp"}
    assert found - {"53", "80", "443", "1-65535"} == ports
