"""Panels of a hub with a bucket are right on down-sampled blocks: no graph has a range that a coarse step leaves empty,
and no panel counts samples or compares neighbours, which are means there."""

from __future__ import annotations

import copy
import re

import pytest

from configs.dashboards import boards, resolution
from configs.dashboards.model import PROMETHEUS, Graph, Panel, Stat, Table
from configs.settings import load
from configs.units import parse_duration
from tests.fixtures.full import SOURCE, STORAGE, raw

_RANGE = re.compile(r"\[([^\]:$]+)(?::[^\]]*)?\](?!\.)")
# Of a selector itself: by a subquery they get what a function made of it.
_OF_SAMPLES = re.compile(
    r"\b(changes|resets|irate|idelta|count_over_time|stddev_over_time|quantile_over_time)\([\d., ]*[a-z_:]+\{"
)
# Whether there is a series at all: any number of samples will do.
PRESENCE = "count(count by (env, host) (count_over_time(up{"


def _boards() -> list[tuple[str, Panel]]:
    sections = raw()
    sections["hub"]["storage"] = copy.deepcopy(STORAGE)
    for key in ("metrics", "metrics_size"):
        sections["hub"].get("retention", {}).pop(key, None)
    return [
        (f"{board.name}/{panel.title}", panel)
        for board in boards(load(sections, SOURCE))
        for row in board.rows
        for panel in row.panels
        if panel.source == PROMETHEUS
    ]


def _expressions(panel: Panel) -> list[str]:
    if isinstance(panel, Graph):
        return [query.expr for query in panel.queries]
    if isinstance(panel, Stat):
        return [panel.query.expr]
    return [column.expr for column in panel.columns] if isinstance(panel, Table) else []


PANELS = _boards()
GRAPHS = [(place, panel) for place, panel in PANELS if isinstance(panel, Graph)]


def _short(expr: str) -> list[str]:
    """The fixed ranges of an expression that hold no two samples of the coarsest resolution."""
    unquoted = re.sub(r'"[^"]*"', '""', expr)
    return [found for found in _RANGE.findall(unquoted) if parse_duration(found) < resolution.LEAST_WINDOW]


@pytest.mark.parametrize(("place", "panel"), GRAPHS, ids=[place for place, _ in GRAPHS])
def test_no_graph_has_a_fixed_range_below_the_coarsest_step(place: str, panel: Graph) -> None:
    short = [found for expr in _expressions(panel) for found in _short(expr)]
    assert not short, f"{place}: expected $__rate_interval or at least {resolution.LEAST_WINDOW} s instead of {short}"


def test_no_panel_counts_samples_or_compares_neighbours() -> None:
    wrong = {
        place: found[1]
        for place, panel in PANELS
        for expr in _expressions(panel)
        if (found := _OF_SAMPLES.search(expr)) and PRESENCE not in expr
    }
    assert not wrong, "a mean of five minutes is neither of two values: see configs/dashboards/resolution.py"


def test_the_check_sees_what_it_is_for() -> None:
    assert len(GRAPHS) > 60
    assert _short('rate(x{job="[1m]"}[5m]) / y[2h] + z[$__rate_interval] + max_over_time(a[$__range:$__interval])') == [
        "5m"
    ]
    assert _short("max_over_time(x[1h:30s])") == ["1h"]
    assert _OF_SAMPLES.search('changes(x{job="a"}[5m])')
    assert not _OF_SAMPLES.search('changes(max_over_time(x{job="a"}[5m])[1h:5m])')
