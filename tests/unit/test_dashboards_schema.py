"""The dashboards in the eyes of Grafana's own schema: the classes that Grafana's makers generate from it.

What a class does not know is gone after a round trip: a key that is spelt wrong, an option of another panel type.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from configs.dashboards import render
from tests.fixtures.full import full

pytestmark = [
    pytest.mark.skipif(sys.version_info < (3, 11), reason="grafana-foundation-sdk needs Python 3.11"),
    # Classic JSON is what Grafana reads from files in every version in use.
    pytest.mark.filterwarnings("ignore:Prefer using dashboardv2:DeprecationWarning"),
]
BOARDS: dict[str, dict[str, Any]] = {name: json.loads(text) for name, text in render(full()).items()}


def _round_trip(board: dict[str, Any]) -> dict[str, Any]:
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins
    from grafana_foundation_sdk.models.dashboard import Dashboard

    register_default_plugins()
    text = JSONEncoder(sort_keys=True).encode(Dashboard.from_json(board))
    found: dict[str, Any] = json.loads(text)
    return found


def _lost(ours: Any, theirs: Any, where: str = "") -> list[str]:
    """Paths of ours that are missing or different in theirs; keys that the classes add do not count."""
    if isinstance(ours, dict):
        if not isinstance(theirs, dict):
            return [where]
        return [hit for key, value in ours.items() for hit in _lost(value, theirs.get(key), f"{where}/{key}")]
    if isinstance(ours, list):
        if not isinstance(theirs, list) or len(ours) != len(theirs):
            return [where]
        return [hit for one, other in zip(ours, theirs, strict=True) for hit in _lost(one, other, f"{where}/[]")]
    return [] if ours == theirs else [f"{where} = {ours!r} -> {theirs!r}"]


@pytest.mark.parametrize("name", BOARDS)
def test_a_round_trip_through_grafanas_classes_loses_nothing(name: str) -> None:
    assert not _lost(BOARDS[name], _round_trip(BOARDS[name]))


def test_a_key_that_the_schema_does_not_have_would_be_found() -> None:
    board = json.loads(json.dumps(next(iter(BOARDS.values()))))
    graph = next(panel for panel in board["panels"] if panel["type"] == "timeseries")
    graph["options"]["legend"]["placment"] = "bottom"
    graph["fieldConfig"]["defaults"]["untis"] = "s"
    lost = " ".join(_lost(board, _round_trip(board)))
    assert "placment" in lost
    assert "untis" in lost
