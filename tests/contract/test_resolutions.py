"""Panels of a hub with a bucket are right on down-sampled blocks: no graph has a range that a coarse step leaves empty,
and no panel counts samples or compares neighbours, which are means there. Rules read raw samples alone."""

from __future__ import annotations

import copy
import re

import pytest

from configs import rules
from configs.dashboards import boards, resolution
from configs.dashboards.model import PROMETHEUS, Graph, Panel, Stat, Table
from configs.rules.model import Alert, expression
from configs.settings import Settings, load
from configs.units import parse_duration
from tests.fixtures.full import SOURCE, STORAGE, raw

_RANGE = re.compile(r"\[([^\]:$]+)(?::[^\]]*)?\](?!\.)")
# Of a selector itself: by a subquery they get what a function made of it.
_OF_SAMPLES = re.compile(
    r"\b(changes|resets|irate|idelta|count_over_time|stddev_over_time|quantile_over_time)\([\d., ]*[a-z_:]+\{"
)
# Whether there is a series at all: any number of samples will do.
_OFFSET = re.compile(r"\boffset (\w+)")
# Compact thins out blocks that span more; what is newer than that has raw samples alone.
ONLY_RAW = 40 * 3600  # seconds
PRESENCE = "count(count by (env, host) (count_over_time(up{"


def _settings() -> Settings:
    sections = raw()
    sections["hub"]["storage"] = copy.deepcopy(STORAGE)
    for key in ("metrics", "metrics_size"):
        sections["hub"].get("retention", {}).pop(key, None)
    return load(sections, SOURCE)


SETTINGS = _settings()


def _boards() -> list[tuple[str, Panel]]:
    return [
        (f"{board.name}/{panel.title}", panel)
        for board in boards(SETTINGS)
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


def _reach(expr: str) -> int:
    """At most so many seconds ago is the oldest sample that an expression reads: ranges and subqueries in each other
    add up."""
    unquoted = re.sub(r'"[^"]*"', '""', expr)
    longest = sorted({parse_duration(found) for found in _RANGE.findall(unquoted)})[-2:]
    return sum(longest) + max((parse_duration(found) for found in _OFFSET.findall(unquoted)), default=0)


RULES = {
    f"{group.name}/{rule.name}": expression(SETTINGS, rule) if isinstance(rule, Alert) else rule.expr
    for group in rules.groups(SETTINGS)
    for rule in group.rules
}


def test_rules_reach_no_down_sampled_block() -> None:
    """Thanos Rule's queries name no resolution: Query answers from blocks of five minutes where there are
    some (`--query.instant.default.max_source_resolution`)."""
    far = {place: _reach(expr) / 3600 for place, expr in RULES.items() if _reach(expr) >= ONLY_RAW}
    assert not far, f"expected less than {ONLY_RAW / 3600:.0f} hours back"


def test_the_check_sees_what_it_is_for() -> None:
    assert len(RULES) > 60
    assert max(map(_reach, RULES.values())) >= 86400
    assert _reach('max_over_time(rate(x{job="[9d]"}[5m])[1d:1m] offset 15m)') == 86400 + 300 + 900
    assert len(GRAPHS) > 60
    assert _short('rate(x{job="[1m]"}[5m]) / y[2h] + z[$__rate_interval] + max_over_time(a[$__range:$__interval])') == [
        "5m"
    ]
    assert _short("max_over_time(x[1h:30s])") == ["1h"]
    assert _OF_SAMPLES.search('changes(x{job="a"}[5m])')
    assert not _OF_SAMPLES.search('changes(max_over_time(x{job="a"}[5m])[1h:5m])')
