"""Dashboards over two years of down-sampled blocks: their own expressions, through Thanos' own parts, have the known
answers."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

import pytest

from configs import rules
from configs.dashboards import boards
from configs.dashboards.model import Graph, Panel, Stat
from configs.rules import recording
from configs.rules.model import Alert, expression
from tests.integration.rig import rig
from tests.integration.years import DAY, RESTART, SPARSE, YEARS, Range, Years, probed, restarted, season
from tools import setup

HOUR = Range(3600, 15)
MONTH = Range(30 * DAY, 3600)
ALL = Range(YEARS - DAY, 12 * 3600)
# Older than raw samples are kept: only down-sampled blocks have it.
MONTH_OF_BEFORE = Range(30 * DAY, 3600, ago=365 * DAY)
SPANS = {"hour": HOUR, "month": MONTH, "two years": ALL, "month a year ago": MONTH_OF_BEFORE}
# The tolerance of a rate: one interval between two old samples, of the shortest range that reads them.
RATE = 1.01 * SPARSE / 3600
# A comparison with a number: without it an expression has a value also where no alert fires.
LIMIT = re.compile(r" (?:[<>]=?|[!=]=) [\d.]+(?!\w)")
# Some rules about what the samples are of.
ANSWERED = {"MemoryUsed", "OutOfMemory", "ContainerRestarts", "HttpErrors", "ProbeFails", recording.NEWEST}
RAW_BLOCKS = 8  # of 20 days that are at most 90 days old, or in part, and some of hours that Compact merged


@pytest.fixture(scope="module")
def years(chain: setup.ToolChain) -> Iterator[Years]:
    images = {image.key: image.ref for image in chain.images}
    with rig("years") as made:
        found = Years(made, images, int(time.time()) // 3600 * 3600)
        found.seed()
        found.compacted()
        found.start()
        yield found


def panel(years: Years, board: str, title: str) -> Panel:
    (one,) = [one for one in boards(years.settings) if one.name == board]
    (found,) = [panel for row in one.rows for panel in row.panels if panel.title == title]
    return found


def graph(years: Years, board: str, title: str) -> str:
    found = panel(years, board, title)
    assert isinstance(found, Graph)
    return found.queries[0].expr


def stat(years: Years, board: str, title: str) -> str:
    found = panel(years, board, title)
    assert isinstance(found, Stat)
    return found.query.expr


def expressions(years: Years) -> Iterator[tuple[str, str]]:
    """Name and expression of each rule, as it is and without its limits."""
    for group in rules.groups(years.settings):
        for rule in group.rules:
            expr = expression(years.settings, rule) if isinstance(rule, Alert) else rule.expr
            yield rule.name, expr
            yield rule.name, LIMIT.sub("", expr)


@pytest.mark.long
@pytest.mark.xdist_group("years")
class TestYears:
    def test_old_samples_are_down_sampled_alone(self, years: Years) -> None:
        rows = years.blocks().splitlines()
        raw = [row for row in rows if ",0s," in row and "replica=" not in row]  # and not as Receive uploaded it
        assert len(raw) <= RAW_BLOCKS, "raw blocks are as old as they are kept"
        for resolution in ("5m0s", "1h0m0s"):
            assert sum(f",{resolution}," in row for row in rows) > 30, rows[:5]

    @pytest.mark.parametrize("span", SPANS)
    @pytest.mark.parametrize(
        ("board", "title", "known", "tolerance"),
        [
            ("hosts", "CPU usage", lambda at: 0.25, 0.75 * RATE),
            ("hosts", "Memory usage", lambda at: 0.5 - 0.2 * season(at), 0.02),
            ("containers", "CPU usage by container", lambda at: 0.5, 0.5 * RATE),
            ("containers", "Memory usage by container", lambda at: 1000 + 400 * season(at), 20),
            ("http", "Request rate by service", lambda at: 10, 10 * RATE),
            ("http", "Error ratio by service", lambda at: 0.1, 0.005),
            ("http", "p95 latency", lambda at: 0.91, 0.02),
        ],
    )
    def test_every_point_of_a_graph_is_right(
        self, years: Years, board: str, title: str, known: Callable[[int], float], tolerance: float, span: str
    ) -> None:
        points = years.graph(graph(years, board, title), SPANS[span])
        assert len(points) >= SPANS[span].seconds // SPANS[span].step - 2, f"{len(points)} points"
        wrong = [(at, value) for at, value in points if abs(value - known(at)) > tolerance]
        assert not wrong, f"{len(wrong)} of {len(points)}, such as {wrong[:3]}; expected {known(wrong[0][0])}"

    @pytest.mark.parametrize("span", SPANS)
    def test_probes_mean_is_right(self, years: Years, span: str) -> None:
        points = years.graph(graph(years, "probes", "Success ratio by probe"), SPANS[span])
        assert len(points) >= SPANS[span].seconds // SPANS[span].step - 2
        times = range(points[0][0] - SPANS[span].step, points[-1][0], 15)
        known = sum(map(probed, times)) / len(times)
        assert sum(value for _, value in points) / len(points) == pytest.approx(known, abs=0.03)

    @pytest.mark.parametrize("span", ["month", "two years", "month a year ago"])
    def test_each_start_of_a_container_is_counted_once(self, years: Years, span: str) -> None:
        points = years.graph(graph(years, "containers", "Container starts by container"), SPANS[span])
        first, last = points[0][0] - SPANS[span].step, points[-1][0]
        assert sum(value for _, value in points) == (restarted(last) - restarted(first)) // RESTART

    def test_starts_would_be_counted_twice_by_means(self, years: Years) -> None:
        """Why the panel compares maxima (configs/dashboards/resolution.py)."""
        points = years.graph("sum(changes(container_start_time_seconds[$__rate_interval]))", MONTH_OF_BEFORE)
        assert sum(value for _, value in points) > 1.5 * MONTH_OF_BEFORE.seconds // RESTART

    def test_a_fixed_range_of_minutes_has_gaps(self, years: Years) -> None:
        """Why no graph has one: between two hourly samples it is empty."""
        span = Range(YEARS - DAY, 11 * 3600 + 1800)
        assert len(years.graph("avg_over_time(probe_success[5m])", span)) < 0.6 * span.seconds / span.step

    @pytest.mark.parametrize("span", ["hour", "month", "two years"])
    def test_totals_of_the_time_range_are_right(self, years: Years, span: str) -> None:
        seconds = SPANS[span].seconds
        starts = years.stat(stat(years, "containers", "Container starts"), SPANS[span])
        assert starts == (restarted(years.end) - restarted(years.end - seconds)) // RESTART
        kills = years.stat(stat(years, "hosts", "OOM kills"), SPANS[span])
        assert kills == pytest.approx(years.end // DAY - (years.end - seconds) // DAY, abs=2)

    def test_rules_read_raw_samples(self, years: Years) -> None:
        """Thanos Rule's queries name no resolution: Query may answer from blocks of five minutes."""
        answered = set()
        for name, expr in expressions(years):
            raw = years.values(expr, raw=True)
            assert years.values(expr) == pytest.approx(raw, rel=1e-9, nan_ok=True), f"{name}: {expr}"
            answered |= {name} if raw else set()
        assert answered >= ANSWERED

    def test_a_query_without_a_resolution_reads_down_sampled_blocks(self, years: Years) -> None:
        """Else the test above would compare nothing."""
        expr = "max_over_time(node_memory_MemTotal_bytes[1d])"
        assert list(years.values(expr, 365 * DAY).values()) == [1000]
        assert not years.values(expr, 365 * DAY, raw=True)
