"""The Grafana stand-in sizes columns, bounds axes and sorts legends as Grafana does."""

from __future__ import annotations

from typing import Any

from localcloud.standins.grafana import charts, panels, tables
from localcloud.standins.grafana.queries import Series


def _series(name: str, value: float) -> Series:
    return Series("A", name, {"host": name}, [(0.0, 0.0), (60.0, value)], 60)


def test_a_column_has_its_least_width_or_150_pixels() -> None:
    width = {"matcher": {"id": "byName", "options": "host"}, "properties": [{"id": "custom.minWidth", "value": 66}]}
    panel: dict[str, Any] = {"fieldConfig": {"overrides": [width]}}
    table, _ = tables.build(panel, [_series("web-1", 1)])
    drawn = tables.draw(panel, table, lambda text: text)
    assert 'min-width:66px">host' in drawn
    assert 'min-width:150px">Value' in drawn


def test_zeros_have_the_soft_bound_and_higher_values_their_own() -> None:
    panel = {"fieldConfig": {"defaults": {"min": 0, "custom": {"axisSoftMax": 8}}}}
    for value, top in ((0.0, 8.0), (2.0, 8.0), (20.0, 20.0)):
        drawn = charts.traces(panel, [_series("a", value)])
        low, high = charts._limits(drawn, drawn[0].field)
        assert low == 0
        assert top <= high < top * 1.1


def test_legends_are_sorted_by_the_figure_that_the_panel_names() -> None:
    legend = {"calcs": ["max"], "sortBy": "Max", "sortDesc": True}
    panel = {"options": {"legend": legend}}
    drawn = charts.traces(panel, [_series("web-1", 1), _series("web-9", 9), _series("web-5", 5)])
    text = panels._legend(panel, drawn, 3)
    assert text.index("web-9") < text.index("web-5") < text.index("web-1")
    unsorted = panels._legend({"options": {"legend": {}}}, drawn, 3)
    assert unsorted.index("web-1") < unsorted.index("web-9")
